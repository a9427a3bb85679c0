"""Turn minutes into weights: one program that trains everything that ships, on one accelerator or on a patient CPU.

``python -m monai_cardiac_gan.training.run --minutes 10 --data packed.zip --output DIR``

Stages: check the device; time the textbook loop beside ours; unpack the acquired patches and draw phantoms; choose width, batch
and execution by measurement; train the GAN at 64, then at 128 pixels; train the features and learn by them what the scans look
like; train encoder, U-Net and the amortised generator; calibrate; evaluate; write at most eight files. All that a later call
needs lies in ``DIR/state``; the same command goes on where it stopped.
"""

from __future__ import annotations

import argparse
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch

import monai_cardiac_gan
from monai_cardiac_gan.data import AortaPatchDataset, input_state
from monai_cardiac_gan.executors import available_cores
from monai_cardiac_gan.training.budget import Budget
from monai_cardiac_gan.training.bundle_stages import SIDE, BundleStages
from monai_cardiac_gan.training.collect import collect
from monai_cardiac_gan.training.device_check import describe_device
from monai_cardiac_gan.training.gan_stages import SCORE_FRACTION, SMALL_SIDE, GanStages
from monai_cardiac_gan.training.measured_choices import TrainingChoice, candidates, choose
from monai_cardiac_gan.training.time_textbook import time_textbook
from monai_cardiac_gan.training.training_data import (
    FEWEST_PHANTOMS,
    make_patch_set,
    phantoms_in_time,
    refuse_drawn,
    weights_of_share,
)

__all__ = ["TrainingProgram", "main"]

logger = logging.getLogger(__name__)

STAGES = [
    "device", "benchmark", "data", "choices", "gan_64", "gan_128", "features", "familiarity", "encoder", "inpainting_unet",
    "amortised", "calibration", "evaluation",
]  # fmt: skip
SHORT_MINUTES, SHORT_SAVE_SECONDS, LONG_SAVE_SECONDS = 60.0, 60.0, 300.0
"""A checkpoint comes each minute of a short budget, each five minutes of a long one."""


class TrainingProgram:
    """All stages, each at most once.

    Args:
        output: gets the files; ``state`` in it holds what a later call needs.
        minutes: of all calls together, from the start of the process to the last file.
        data: a packed patch set (`data.pack_patches`); None trains on phantoms alone.
        bundle: folder of the bundle.
        device: where to train.
        updates: a fixed number of updates of the critic at each size, and of steps of each other network, in place of what time
            allows; on a CPU the result is then the same bit for bit, stopped and resumed or not.
        phantoms: how many; None chooses by time.
        seed: of everything.
        real_share: of acquired patches among those that the GAN is trained with, 0 to 1; None takes all patches alike. At 1
            phantoms are left to the other networks.

    Raises:
        FileNotFoundError: when there is no bundle or no packed file.
        ValueError: when it is no packed patch set or holds subjects that are drawn here, too; when there is a share but no such
            set, there are too few phantoms, or the folder was begun with other patches, another seed or another length.
    """

    def __init__(
        self,
        output: Path,
        minutes: float,
        data: Path | None,
        bundle: Path,
        device: torch.device,
        updates: int | None = None,
        phantoms: int | None = None,
        seed: int = 0,
        real_share: float | None = None,
    ) -> None:
        if not (bundle / "configs" / "train.json").exists():
            raise FileNotFoundError(
                f"{bundle}: no bundle lies here; run this in a checkout, or name its folder with --bundle."
            )
        if phantoms is not None and phantoms < FEWEST_PHANTOMS:
            raise ValueError(f"phantoms is {phantoms}: expected at least {FEWEST_PHANTOMS}, two of them to hold out.")
        if data is not None:
            refuse_drawn(data)
        if real_share is not None and (data is None or not 0 <= real_share <= 1):
            raise ValueError(
                f"real_share is {real_share} with {data or 'no packed patches'}: expected 0 to 1, and a file with --data."
            )
        self.output, self.state = output.resolve(), output.resolve() / "state"
        self.state.mkdir(parents=True, exist_ok=True)
        self.data, self.bundle, self.device = data, bundle.resolve(), device
        self.updates, self.phantoms, self.seed, self.real_share = updates, phantoms, seed, real_share
        self.budget = Budget(self.state / "budget.json", minutes, device.type != "cpu")
        self._refuse_other_inputs()

    def _refuse_other_inputs(self) -> None:
        """What is done already was done with the patches and the seed of the first call."""
        content = None if self.data is None else input_state(self.data).sha256
        given = {
            "data": content, "seed": self.seed, "phantoms": self.phantoms, "updates": self.updates, "real_share": self.real_share,
        }  # fmt: skip
        begun = self.budget.choices.setdefault("inputs", given)
        if different := [name for name, value in given.items() if begun.get(name) != value]:
            raise ValueError(
                f"{self.output}: was begun with other {' and '.join(different)}: expected the same, to go on with; name another "
                "folder (--output) to begin anew."
            )

    def run(self) -> list[Path]:
        """Do all stages that are not done yet and there is time for; write the files.

        Returns:
            The files.

        Raises:
            SystemExit: with status 130 when a signal stopped the training; the same command goes on.
        """
        actions: dict[str, Callable[[], Any]] = {
            "device": self._check_device,
            "benchmark": self._benchmark,
            "data": self._make_data,
            "choices": self._choose,
            "gan_64": lambda: self._train_gan(SMALL_SIDE, "gan_64"),
            "gan_128": lambda: self._train_gan(SIDE, "gan_128"),
            "features": lambda: self._train_supervised("features", "train_features"),
            "familiarity": lambda: self.stages.learn_familiarity(),
            "encoder": lambda: self._train_supervised("encoder", "train_encoder"),
            "inpainting_unet": lambda: self._train_supervised("inpainting_unet", "train_inpainting_unet"),
            "amortised": self._train_amortised,
            "calibration": self._calibrate,
            "evaluation": self._evaluate,
        }
        try:
            self._do(actions)
        finally:  # whatever stopped a stage, what there was time for is a result
            files = collect(self.state, self.output, self._record())
            self.budget.note()
        logger.info("%d files in %s after %.0f s", len(files), self.output, self.budget.spent())
        return files

    def _do(self, actions: Mapping[str, Callable[[], Any]]) -> None:
        for stage in STAGES:
            if stage in self.budget.done:
                logger.info("%s: done by an earlier call", stage)
                continue
            if self.updates is None and self.budget.left() <= self.budget.share("files"):
                logger.warning("%s: no time is left for it", stage)
                continue
            self.budget.begin(stage)
            if actions[stage]() is not False:
                self.budget.finish(stage)
                logger.info("%s: %.1f s, %.0f s left", stage, self.budget.done[stage], self.budget.left())

    @property
    def stages(self) -> BundleStages:
        """The bundle's configs with what was chosen."""
        return BundleStages(
            self.bundle, self.state, self.device, TrainingChoice(**self.budget.choices["training"]), self.seed,
            self.budget.seconds <= 60 * SHORT_MINUTES and self.device.type == "cpu",
        )  # fmt: skip

    def _check_device(self) -> None:
        torch.manual_seed(self.seed)
        self.budget.choices["device"] = describe_device(self.device)
        logger.info("device: %s", self.budget.choices["device"])

    def _benchmark(self) -> None:
        """Both presets beside the textbook loop and the machine's limits, if the benchmark lies beside the bundle."""
        if self.updates is not None:
            logger.warning("no benchmark: updates are fixed")
            return
        script = self.bundle.parents[1] / "benchmarks" / "training.py"
        time_textbook(script, self.state, self.device.type, self.budget.share("benchmark"))

    def _make_data(self) -> None:
        """Patches of phantoms, drawn here, and of the packed file."""
        cores = available_cores()
        count = self.phantoms or phantoms_in_time(self.budget.share("data"), cores)
        count = self.budget.choices.setdefault("phantoms", count)
        self.budget.note()
        make_patch_set(self._unchosen(), self.data, count, cores)

    def _unchosen(self) -> BundleStages:
        """The configs before anything was chosen."""
        return BundleStages(self.bundle, self.state, self.device, candidates(self.device)[0], self.seed)

    def _choose(self) -> None:
        """Width, batch and execution; kept for all later calls."""
        if self.updates is not None:
            self.budget.choices["training"] = asdict(candidates(self.device)[0])
            return
        seconds = sum(self.budget.share(name) for name in ("gan_64", "gan_128"))
        until = time.monotonic() + self.budget.share("choices")
        exact = self.budget.choices["device"]["errors"]
        ways = [each for each in candidates(self.device) if each.autocast is None or each.autocast in exact]
        choice, measured = choose(ways, self._unchosen().probe, seconds, lambda: time.monotonic() > until)
        self.budget.choices |= {"training": asdict(choice), "measured": measured}
        logger.info("chosen: %s", choice)

    @property
    def gan_stages(self) -> GanStages:
        """The trainings that time ends."""
        save_seconds = SHORT_SAVE_SECONDS if self.budget.seconds <= 60 * SHORT_MINUTES else LONG_SAVE_SECONDS
        weights = {}
        if self.real_share is not None:
            subjects = AortaPatchDataset(self.state / "patch_set", "train").subjects()
            weights = weights_of_share(self.real_share, subjects)
        return GanStages(self.stages, save_seconds, self.budget.note, self.updates, weights)

    def _train_gan(self, size: int, stage: str) -> None:
        self._record_updates(stage, *self.gan_stages.train_gan(size, self._ends(stage)))

    def _train_amortised(self) -> None:
        stage = "amortised"
        ends = self._ends(stage)

        def score_is_over() -> bool:
            used = self.budget.used(stage)
            return used >= SCORE_FRACTION * (used + ends())

        self._record_updates(stage, *self.gan_stages.train_amortised(ends, score_is_over, self.budget.choices))

    def _record_updates(self, stage: str, updates: int, spent: bool) -> None:
        self.budget.choices[f"{stage}_updates"] = updates
        self.budget.note()
        if not spent:
            raise SystemExit(130)

    def _ends(self, stage: str) -> Callable[[], float]:
        return lambda: self.budget.left_for(stage, STAGES)

    def _train_supervised(self, name: str, part: str) -> None:
        seconds = max(1.0, min(self.budget.left_for(name, STAGES), 2 * self.budget.share(name)))
        self.stages.train_supervised(name, part, seconds, self.updates, self.budget.choices)

    def _calibrate(self) -> bool:
        seconds = self.budget.left_for("calibration", STAGES)
        return self.stages.calibrate(seconds, 8 if self.updates else None, self.budget.choices)

    def _evaluate(self) -> None:
        self.stages.evaluate(0.0 if self.updates else max(0.0, self.budget.left()))

    def _record(self) -> dict[str, Any]:
        """What the files say of how they came about."""
        return {
            "package_version": monai_cardiac_gan.__version__,
            "torch": torch.__version__,
            "minutes": self.budget.seconds / 60,
            "seconds": round(self.budget.spent(), 1),
            "seconds_of_stages": self.budget.done,
            "choices": self.budget.choices,
            "seed": self.seed,
        }


def main(arguments: Sequence[str] | None = None) -> list[Path]:
    """Read the command line and run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--minutes", type=float, required=True, help="of all calls together, from first import to last file"
    )
    parser.add_argument("--output", type=Path, required=True, help="gets at most eight files, and the folder state")
    parser.add_argument("--data", type=Path, help="packed patch set; phantoms alone without it")
    parser.add_argument(
        "--bundle", type=Path, default=Path("bundles/cardiac_aorta_wgan_gp"), help="folder of the bundle"
    )
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--updates", type=int, help="a fixed length in place of what time allows")
    parser.add_argument("--phantoms", type=int, help="how many to draw")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--real_share", type=float, help="of acquired patches in the GAN's training; all alike without it"
    )
    options = parser.parse_args(arguments)
    options.output.mkdir(parents=True, exist_ok=True)
    log = logging.FileHandler(options.output / "log.txt", encoding="utf-8")
    logging.basicConfig(
        level=logging.INFO, format="%(asctime)s %(message)s", handlers=[log, logging.StreamHandler()], force=True
    )
    program = TrainingProgram(
        options.output, options.minutes, options.data, options.bundle, torch.device(options.device), options.updates,
        options.phantoms, options.seed, options.real_share,
    )  # fmt: skip
    return program.run()


if __name__ == "__main__":
    main()
