"""Turn minutes into weights: one program that trains everything that ships, on one accelerator or on a patient CPU.

``python -m monai_cardiac_gan.training.run --minutes 10 --data packed.zip --output DIR``

Stages: check the device; time the textbook loop beside ours; unpack the acquired patches and draw phantoms; choose width, batch
and execution by measurement; train the GAN at 64, then at 128 pixels; train the features and learn by them what the scans look
like; train encoder and U-Net; calibrate; evaluate; write at most eight files. All that a later call needs lies in ``DIR/state``;
the same command goes on where it stopped.
"""

from __future__ import annotations

import argparse
import logging
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from fnmatch import fnmatchcase
from functools import partial
from pathlib import Path
from typing import Any

import torch

import monai_cardiac_gan
from monai_cardiac_gan.data import input_state, merge_patch_sets, read_packed_manifest, unpack_patches
from monai_cardiac_gan.executors import available_cores, local_executor
from monai_cardiac_gan.networks.nets import ResidualCritic, ResidualGenerator
from monai_cardiac_gan.phantom import WholeHeartPhantom
from monai_cardiac_gan.training.budget import Budget
from monai_cardiac_gan.training.bundle_stages import SIDE, SMALL_SIDE, BundleStages
from monai_cardiac_gan.training.collect import collect
from monai_cardiac_gan.training.device_check import check_device
from monai_cardiac_gan.training.measured_choices import TrainingChoice, candidates, choose

__all__ = ["TrainingProgram", "main"]

logger = logging.getLogger(__name__)

STAGES = [
    "device", "benchmark", "data", "choices", "gan_64", "gan_128", "features", "familiarity", "encoder", "inpainting_unet",
    "calibration", "evaluation",
]  # fmt: skip
FIRST_PHANTOM_SEED = 1000
"""Of the shipped weights' phantoms, too."""
MOST_PHANTOMS, FEWEST_PHANTOMS = 44, 4
SECONDS_OF_A_PHANTOM = 8.0
"""Of one core: to draw it, write it, and prepare its patches; measured on a CPU of 2 cores."""
TEST_PHANTOMS = 0.2
SHOWN = 3
"""Names that a message lists."""
SHORT_MINUTES, SHORT_SAVE_SECONDS, LONG_SAVE_SECONDS = 60.0, 60.0, 300.0
"""A checkpoint comes each minute of a short budget, each five minutes of a long one."""
BENCHMARK_VARIANTS = ["textbook", "trainer, channels last, fused Adam", "relativistic preset"]


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

    Raises:
        FileNotFoundError: when there is no bundle or no packed file.
        ValueError: when it is no packed patch set, it has subjects that are drawn here, too, there are too few phantoms, or the
            folder was begun with other patches, another seed or another length.
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
    ) -> None:
        if not (bundle / "configs" / "train.json").exists():
            raise FileNotFoundError(
                f"{bundle}: no bundle lies here; run this in a checkout, or name its folder with --bundle."
            )
        if phantoms is not None and phantoms < FEWEST_PHANTOMS:
            raise ValueError(f"phantoms is {phantoms}: expected at least {FEWEST_PHANTOMS}, two of them to hold out.")
        if data is not None:
            drawn = [
                each.subject for each in read_packed_manifest(data).volumes if fnmatchcase(each.subject, "phantom_*")
            ]
            if drawn:
                raise ValueError(
                    f"{data}: holds {', '.join(drawn[:SHOWN])}, and phantoms are drawn here: expected acquired volumes "
                    "alone; pack with --leave_out 'phantom_*'."
                )
        self.output, self.state = output.resolve(), output.resolve() / "state"
        self.state.mkdir(parents=True, exist_ok=True)
        self.data, self.bundle, self.device = data, bundle.resolve(), device
        self.updates, self.phantoms, self.seed = updates, phantoms, seed
        self.budget = Budget(self.state / "budget.json", minutes)
        self._refuse_other_inputs()

    def _refuse_other_inputs(self) -> None:
        """What is done already was done with the patches and the seed of the first call."""
        content = None if self.data is None else input_state(self.data).sha256
        given = {"data": content, "seed": self.seed, "phantoms": self.phantoms, "updates": self.updates}
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
        networks = ResidualGenerator(width=4, size=32).double(), ResidualCritic(width=4, size=32).double()
        errors = {"float32": check_device(*networks, self.device)}
        if self.device.type != "cpu":
            try:
                errors["bfloat16"] = check_device(*networks, self.device, precision="bfloat16")
            except RuntimeError as error:
                logger.warning("no bfloat16: %s", error)
        self.budget.choices["device"] = {"name": _name_of(self.device), "errors": errors}
        logger.info("device: %s", self.budget.choices["device"])

    def _benchmark(self) -> None:
        """Both presets beside the textbook loop and the machine's limits, if the benchmark lies beside the bundle."""
        script = self.bundle.parents[1] / "benchmarks" / "training.py"
        seconds = self.budget.share("benchmark")
        if not script.exists() or self.updates is not None:
            logger.warning("no benchmark: %s", "updates are fixed" if script.exists() else f"{script} is not there")
            return
        command = [
            sys.executable,
            str(script),
            "--repeats",
            "1",
            "--skip_memory",
            "--device",
            self.device.type,
        ]
        command += ["--variants", *BENCHMARK_VARIANTS, "--output", str(self.state / "benchmark.json")]
        root = str(Path(monai_cardiac_gan.__file__).parents[1])
        path = os.pathsep.join(filter(None, [root, os.environ.get("PYTHONPATH")]))
        if self.device.type == "cpu":
            command += ["--width", "4", "--batch", "8"]
        with (self.state / "benchmark.txt").open("w", encoding="utf-8") as log:
            # a session of its own, so that the processes that it starts end with it
            process = subprocess.Popen(
                command, stdout=log, stderr=log, env={**os.environ, "PYTHONPATH": path}, start_new_session=True
            )
            try:
                status = process.wait(seconds)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
                logger.warning("no benchmark: it did not end within %.0f s", seconds)
                return
        if status:
            logger.warning("no benchmark: status %d, see %s", status, self.state / "benchmark.txt")

    def _make_data(self) -> None:
        """Patches of phantoms, drawn here, and of the packed file."""
        cores = available_cores()
        by_time = int(0.8 * self.budget.share("data") * cores / SECONDS_OF_A_PHANTOM)
        count = self.phantoms or max(FEWEST_PHANTOMS, min(MOST_PHANTOMS, by_time))
        count = self.budget.choices.setdefault("phantoms", count)
        self.budget.note()
        drawn = self.state / "phantoms"
        with local_executor(cores) as pool:
            seeds = [[FIRST_PHANTOM_SEED + number] for number in range(count)]
            list(pool.map(partial(WholeHeartPhantom().write, drawn), seeds))
        held_out = max(2, round(TEST_PHANTOMS * count))
        stages = BundleStages(self.bundle, self.state, self.device, candidates(torch.device("cpu"))[0], self.seed)
        workflow = stages.workflow(
            ["prepare"],
            dataset_dir=str(drawn),
            patch_dir=str(self.state / "phantom_set"),
            train_fraction=1 - held_out / count,
            sheet=False,
        )
        workflow.initialize()
        workflow.run()
        shutil.rmtree(drawn)
        parts = [self.state / "phantom_set"]
        if self.data is not None:
            unpack_patches(self.data, self.state / "acquired_set", overwrite=True)
            parts.insert(0, self.state / "acquired_set")
        merge_patch_sets(parts, self.state / "patch_set", overwrite=True)

    def _choose(self) -> None:
        """Width, batch and execution; kept for all later calls."""
        probe = BundleStages(self.bundle, self.state, self.device, candidates(self.device)[0], self.seed)
        if self.updates is not None:
            self.budget.choices["training"] = asdict(candidates(self.device)[0])
            return
        until = time.monotonic() + self.budget.share("choices")
        exact = self.budget.choices["device"]["errors"]
        ways = [each for each in candidates(self.device) if each.autocast is None or each.autocast in exact]
        choice, measured = choose(ways, probe.probe, self.budget.share("gan_128"), lambda: time.monotonic() > until)
        self.budget.choices |= {"training": asdict(choice), "measured": measured}
        logger.info("chosen: %s", choice)

    def _train_gan(self, size: int, stage: str) -> None:
        save_seconds = SHORT_SAVE_SECONDS if self.budget.seconds <= 60 * SHORT_MINUTES else LONG_SAVE_SECONDS
        ends = None if self.updates else self._ends(stage)
        updates, spent = self.stages.train_gan(size, ends, self.updates, save_seconds, self.budget.note)
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


def _name_of(device: torch.device) -> str:
    return torch.cuda.get_device_name(device) if device.type == "cuda" else f"CPU, {torch.get_num_threads()} threads"


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
    options = parser.parse_args(arguments)
    options.output.mkdir(parents=True, exist_ok=True)
    log = logging.FileHandler(options.output / "log.txt", encoding="utf-8")
    logging.basicConfig(
        level=logging.INFO, format="%(asctime)s %(message)s", handlers=[log, logging.StreamHandler()], force=True
    )
    program = TrainingProgram(
        options.output, options.minutes, options.data, options.bundle, torch.device(options.device), options.updates,
        options.phantoms, options.seed,
    )  # fmt: skip
    return program.run()


if __name__ == "__main__":
    main()
