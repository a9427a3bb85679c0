"""The bundle's configs as stages of one program: what a person would type, one after the other, each in its time."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from monai.bundle import ConfigWorkflow

from monai_cardiac_gan.inferers import subjects_needed
from monai_cardiac_gan.inferers.familiarity import FEWEST_SUBJECTS
from monai_cardiac_gan.inferers.search_presets import AMORTISED, LBFGS
from monai_cardiac_gan.training.measured_choices import MEASURED, TrainingChoice

__all__ = ["BundleStages"]

logger = logging.getLogger(__name__)

SIDE = 128
CHECK_EVERY = 50
"""Updates between two looks of a GPU's host at whether the losses are finite; each makes it wait."""
PROBE_BATCHES = 5
"""Batches that are run before a supervised training chooses its length; the first does not count."""
OTHER_STEPS = {"features": 5, "encoder": 60, "inpainting_unet": 5}
"""What is not training takes as long as so many steps: the report, and for an encoder `FULL_BANK` images of the bank and
`FULL_CANDIDATES` of the report; measured at width 4."""
FULL_BANK, SMALL_BANK = 2048, 512
"""Latents of the bank; the smaller one in a budget of few minutes, where its images take longer than the training."""
FULL_CANDIDATES, FEW_CANDIDATES = 980, 98
"""Random starts that the encoder's report is compared with; fewer in such a budget."""
KEPT_FREE = 0.15
"""Share of a supervised stage's time that nothing is planned for."""
REPORT_PATCHES = 200
"""Held-out patches that the report of a supervised training is measured on."""
SHORTER = 4
"""Factor by which bank and report are shorter in such a budget."""
FILTER_PATCHES, FEW_FILTER_PATCHES = 500, 100
"""Training patches whose spectrum the filters behind the generators get; fewer in a short budget."""
FULL_CALIBRATION = 120
CALIBRATION = "$@models_dir + '/' + @calibration_file"
"""Where the intervals of a preset go: to the weights that they belong to."""
PROBE_PATCHES = 2
"""Patches whose search is timed before a calibration chooses how many it takes."""
OTHER_WORKFLOWS = 1.0
"""What is built and loaded after that, as a share of the time that this took."""
TUNING_SHARE = 0.2
"""Patches of the training split beside them, which choose the floors of the intervals."""
LEVELS = (0.9, 0.8, 0.5)
"""Of intervals: the highest is taken for which enough people are held out."""
EVALUATED = ((600.0, 1000, None), (240.0, 300, None), (60.0, 60, 1200), (0.0, 24, 240))
"""Seconds from which so many patches are generated and compared, and at most so many training patches are looked through for
copies; 60 and all 1700 training patches of a small run took two and a half minutes of a core that was shared by three."""


@dataclass(frozen=True)
class BundleStages:
    """Run configs of a bundle with common settings.

    Attributes:
        bundle: folder of the bundle.
        state: folder of patch set, checkpoints and models.
        device: where the trainings run.
        choice: width, batch and execution.
        seed: of everything.
        short: whether the budget is one of few minutes.
    """

    bundle: Path
    state: Path
    device: torch.device
    choice: TrainingChoice
    seed: int = 0
    short: bool = False

    @property
    def models(self) -> Path:
        """Folder of the weights."""
        return self.state / "models"

    def workflow(self, names: Sequence[str], **settings: Any) -> ConfigWorkflow:
        """Configs of these names with the common settings."""
        files = [str(self.bundle / "configs" / f"{name}.json") for name in names]
        common: dict[str, Any] = {
            "bundle_root": str(self.bundle),
            "output_dir": str(self.state),
            "models_dir": str(self.models),
            "device": self.device,
            "seed": self.seed,
            "width": self.choice.width,
            "max_channels": self.choice.max_channels,
            "subpixel": self.choice.subpixel,
            "output_filter": self.choice.output_filter,
            "amortised_filter": self.choice.output_filter,
            "amortised_width": self.choice.amortised_width,
            "amortised_max_channels": self.choice.amortised_max_channels,
        }
        if {"inference", "encoder"} & set(names):
            common["bank_count"] = SMALL_BANK if self.short else FULL_BANK
        return ConfigWorkflow(files, workflow_type=None, logging_file=False, meta_file=None, **common | settings)

    def probe(self, choice: TrainingChoice) -> Any:
        """A trainer at 128 pixels of random images, for `choose`."""
        images = [torch.rand(choice.batch_size, 1, SIDE, SIDE, device=self.device) * 2 - 1 for _ in range(2)]
        batches = [images[number % 2] for number in range(choice.warm_up + MEASURED)]
        own = {"width": choice.width, "max_channels": choice.max_channels, "subpixel": choice.subpixel}
        workflow = self.workflow(
            ["train"],
            **own,
            **self.execution(choice),
            epochs=1,
            **{"train#trainer#train_data_loader": batches, "train#trainer#train_handlers": None},
        )
        workflow.initialize()
        return workflow.parser.get_parsed_content("train#trainer")

    def train_supervised(self, name: str, part: str, seconds: float, steps: int | None, kept: dict[str, Any]) -> None:
        """Run ``features``, ``encoder`` or ``inpainting_unet`` for about so many seconds.

        The one-cycle schedule has to know its end, so that a few batches are timed first and the number of steps is kept.

        Args:
            name: of the config.
            part: id of the object in it whose ``run`` trains.
            seconds: that it may take.
            steps: a fixed number; None chooses by time.
            kept: gets the number of steps, and is read for it.
        """
        key = f"{name}_steps"
        if steps is None and key not in kept:
            per_step = self._seconds_of_step(name, part)
            others = OTHER_STEPS[name] // (SHORTER if self.short else 1)
            kept[key] = max(1, int((1 - KEPT_FREE) * seconds / per_step) - others)
        workflow = self._supervised(name, steps or kept[key])
        workflow.initialize()
        workflow.run()

    def fit_output_filter(self, behind: Sequence[str], **settings: Any) -> None:
        """Give a generator that was trained the band limit of its training patches."""
        count = FEW_FILTER_PATCHES if self.short else FILTER_PATCHES
        workflow = self.workflow(
            [*behind, "output_filter"], patch_dir=str(self.state / "patch_set"), patch_count=count, **settings
        )
        workflow.initialize()
        workflow.run()

    def learn_familiarity(self) -> bool:
        """Learn what the training scans look like to the features; false where there are too few people."""
        workflow = self.workflow(["train", "familiarity"], patch_dir=str(self.state / "patch_set"), overwrite=True)
        workflow.initialize()
        people = len(set(workflow.parser.get_parsed_content("dataset").subjects()))
        if people < FEWEST_SUBJECTS:
            logger.warning("no familiarity: there are %d training subjects, expected %d", people, FEWEST_SUBJECTS)
            return False
        workflow.run()
        return True

    def calibrate(self, seconds: float, count: int | None, kept: dict[str, Any]) -> bool:
        """Learn intervals of both presets from as many held-out patches as there is time for; false where it is too little."""
        key, started = "calibration_patches", time.monotonic()
        if count is None and key not in kept:
            of_patch = self._seconds_of_search()
            left = seconds - (1 + OTHER_WORKFLOWS) * (time.monotonic() - started)
            kept[key] = min(FULL_CALIBRATION, int((1 - KEPT_FREE) * left / of_patch))
        count = count or kept[key]
        held_out = self._inference(LBFGS).parser.get_parsed_content("dataset")
        people = len(set(held_out.subjects()))
        level = next((level for level in LEVELS if subjects_needed(level) <= min(people, count)), None)
        if level is None:
            logger.warning("no calibration: there is time for %d patches of %d subjects", count, people)
            return False
        tuning = max(1, round(TUNING_SHARE * count))
        for preset in (AMORTISED, LBFGS):
            workflow = self._inference(
                preset, ["calibrate"], patch_count=count, tuning_count=tuning, calibration_path=CALIBRATION, level=level
            )
            workflow.parser.get_parsed_content("calibrate").run()
        return True

    def _seconds_of_search(self) -> float:
        """Of one held-out patch by both presets, and its part of those for tuning."""
        names, seconds = ("inferer", "searched", "dataset", "masks#square"), 0.0
        for preset in (AMORTISED, LBFGS):
            workflow = self._inference(preset, patch_count=PROBE_PATCHES)
            inferer, generator, data, mask = (workflow.parser.get_parsed_content(name) for name in names)
            patches = data.all_patches().float().to(self.device)
            started = time.monotonic()
            inferer.search(patches, mask.to(self.device), generator)
            seconds += (1 + TUNING_SHARE) * (time.monotonic() - started) / len(patches)
        return seconds

    def evaluate(self, seconds: float) -> None:
        """Metrics of the generator beside held-out patches."""
        count, most = next((count, most) for least, count, most in EVALUATED if seconds >= least)
        settings: dict[str, Any] = {
            "metrics_count": count,
            "train_set#limit": most,
            "patch_dir": str(self.state / "patch_set"),
            "report_dir": str(self.state / "report"),
        }
        workflow = self.workflow(["train", "evaluate"], **settings)
        workflow.initialize()
        workflow.run()

    def _inference(self, preset: str, behind: Sequence[str] = (), **settings: Any) -> ConfigWorkflow:
        settings |= {"search_preset": preset, "patch_dir": str(self.state / "patch_set"), "snapshots": 2}
        workflow = self.workflow(["inference", *behind], **settings)
        workflow.initialize()
        if not behind:
            for load in workflow.parser.get_parsed_content("load_weights"):
                load()
        return workflow

    def _seconds_of_step(self, name: str, part: str) -> float:
        """Mean of some batches, without the report."""
        probe = self._supervised(name, PROBE_BATCHES, probe=True)
        probe.initialize()
        _, trainer = probe.parser.get_parsed_content(part).begin()
        times: list[float] = []
        trainer.add_event_handler("ITERATION_COMPLETED", lambda engine: times.append(self._now(engine)))
        trainer.run()
        return max(times[-1] - times[0], 1e-4) / max(1, len(times) - 1)

    def _now(self, engine: Any) -> float:
        if self.device.type == "cuda":
            torch.cuda.synchronize(self.device)
        return time.monotonic()

    def _supervised(self, name: str, steps: int, probe: bool = False) -> ConfigWorkflow:
        """A workflow of so many steps: a part of an epoch, or whole epochs. Not initialised."""
        settings: dict[str, Any] = {"patch_dir": str(self.state / "patch_set"), "overwrite": True}
        if probe:
            settings["models_dir"] = str(self.state / "probe")
            settings["generator_checkpoint"] = str(self.models / "model.pt")
        config = self.workflow(["train", name], patch_dir=settings["patch_dir"]).parser
        batch = int(config.get_parsed_content("batch_size"))
        batch = batch // 2 if name == "encoder" else batch  # half of an encoder's batch is generated
        wanted, there = steps * batch, len(config.get_parsed_content("dataset"))
        settings["dataset#limit"], settings["epochs"] = min(wanted, there), max(1, wanted // there)
        settings["test_dataset#limit"] = batch if probe else REPORT_PATCHES
        if name == "encoder":
            settings["report_candidates"] = FEW_CANDIDATES if self.short else FULL_CANDIDATES
        else:
            settings.pop("generator_checkpoint", None)
        return self.workflow(["train", name], **settings)

    def execution(self, choice: TrainingChoice) -> dict[str, Any]:
        """Settings of an adversarial training that say how it is computed."""
        return {
            "execution#autocast": choice.autocast,
            "execution#cuda_graphs": choice.cuda_graphs,
            "execution#check_every": 1 if self.device.type == "cpu" else CHECK_EVERY,
            "batch_size": choice.batch_size,
        }
