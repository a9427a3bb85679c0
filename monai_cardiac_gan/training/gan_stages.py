"""The trainings that take all the time there is, stop and go on: the GAN at two sizes, and the amortised generator."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from ignite.engine import Events
from monai.bundle import ConfigWorkflow

from monai_cardiac_gan.data import AortaPatchDataset
from monai_cardiac_gan.handlers import StopWhenSpent, TrainingCurves
from monai_cardiac_gan.training.bundle_stages import SIDE, BundleStages

__all__ = ["GanStages", "ScoreFirst"]

SMALL_SIDE = 64
TRANSLATION = 0.016
"""Largest shift of the GAN's augmentation, share of the side: 2 pixels of 128, 1 of 64. Real patches have the aorta within half a
pixel of their middle, and the critic has to see where a generated one lies: larger shifts leak into what is generated."""
PENALTY_WEIGHTS = {SMALL_SIDE: 0.2, SIDE: 0.5}
"""Weight of the critic's penalty at each size. Under trial: the weight of 1 that `train.json` has is the cautious one."""
SCORE_FRACTION = 2 / 3
"""Part of the amortised generator's training in which the score alone teaches: it settles form and spread, and an update
without the critic costs less."""
ENDLESS = 10**6
"""Epochs of a training that time or updates end."""
SHOW_SECONDS, SHOW_EPOCHS = 60.0, 5
"""Between curves, samples and looks for a collapse, and the fewest epochs: on a GPU an epoch may take less time than they do."""


class ScoreFirst:
    """Ignite handler of an `InpaintingGanTrainer`: the score alone teaches first, and the critic joins later for good.

    Args:
        weight: of the adversarial loss, once the critic has joined.
        updates: after which the critic joins; None asks `is_over`.
        is_over: whether it is time for the critic; not asked again.
        note: called with the number of updates when it was time.

    Example:
        >>> from types import SimpleNamespace
        >>> trainer, handler = SimpleNamespace(critic_updates=4, adversarial_weight=0.0), ScoreFirst(0.05, 5)
        >>> handler(trainer)
        >>> trainer.adversarial_weight
        0.0
        >>> trainer.critic_updates = 5
        >>> handler(trainer)
        >>> trainer.adversarial_weight
        0.05
    """

    def __init__(
        self,
        weight: float,
        updates: int | None,
        is_over: Callable[[], bool] = lambda: False,
        note: Callable[[int], None] = lambda updates: None,
    ) -> None:
        self.weight, self.updates, self.is_over, self.note = weight, updates, is_over, note

    def attach(self, engine: Any) -> None:
        """Choose before each iteration."""
        engine.add_event_handler(Events.ITERATION_STARTED, self)

    def __call__(self, engine: Any) -> None:
        """Set the weight of the next update."""
        if self.updates is None and self.is_over():
            self.updates = int(engine.critic_updates)
            self.note(self.updates)
        joined = self.updates is not None and engine.critic_updates >= self.updates
        engine.adversarial_weight = self.weight if joined else 0.0


@dataclass(frozen=True)
class GanStages:
    """Train until time or updates are spent, and go on where an earlier call was.

    Attributes:
        stages: the bundle's configs with what was chosen.
        save_seconds: between checkpoints.
        note: called with each checkpoint.
        updates: of the critic in each training; None lets time end them.
        subject_weights: of the GAN's patches, see `AortaPatchDataset.weights`.
    """

    stages: BundleStages
    save_seconds: float
    note: Callable[[], None]
    updates: int | None = None
    subject_weights: Mapping[str, float] = field(default_factory=dict)

    def train_gan(self, size: int, seconds_left: Callable[[], float]) -> tuple[int, bool]:
        """Train at 64 or at 128 pixels; 128 grows out of 64 where that was trained.

        Args:
            size: 64 or 128.
            seconds_left: until this stage has to end.

        Returns:
            Updates of the critic so far, and whether time or updates are spent (a signal may have ended the run).
        """
        folder = self._folder(f"gan_{size}")
        smaller = self._last(self._folder(f"gan_{SMALL_SIDE}"))
        settings = {
            "image_size": size,
            "models_dir": str(self.stages.models if size == SIDE else folder / "models"),
            "grow_from": str(smaller) if size == SIDE and smaller.exists() and not self._last(folder).exists() else "",
            "subject_weights": dict(self.subject_weights),
            "augment#translation": TRANSLATION,
            "penalty_weight": PENALTY_WEIGHTS[size],
            **self.stages.execution(self.stages.choice),
        }
        trained = self._train(folder, ["train"], settings, seconds_left)
        if size == SIDE:
            self.stages.fit_output_filter(["train"])
        return trained

    def train_amortised(
        self, seconds_left: Callable[[], float], score_is_over: Callable[[], bool], kept: dict[str, Any]
    ) -> tuple[int, bool]:
        """Train the co-modulated generator by the score alone, then with the critic too.

        Args:
            seconds_left: until this stage has to end.
            score_is_over: whether it is time for the critic.
            kept: gets the number of updates before the critic, and is read for it.

        Returns:
            As `train_gan`.
        """
        choice, key = self.stages.choice, "amortised_score_updates"

        def note(updates: int) -> None:
            kept[key] = updates
            self.note()

        def prepare(trainer: Any) -> None:
            planned = kept.get(key) if self.updates is None else round(SCORE_FRACTION * self.updates)
            ScoreFirst(trainer.adversarial_weight, planned, score_is_over, note).attach(trainer)

        names, size = (
            ["train", "amortised"],
            {"width": choice.amortised_width, "max_channels": choice.amortised_max_channels},
        )
        settings = {**size, **self.stages.execution(choice)}
        trained = self._train(self._folder("amortised"), names, settings, seconds_left, prepare)
        self.stages.fit_output_filter(names, **size)
        return trained

    def _train(
        self,
        folder: Path,
        names: list[str],
        settings: Mapping[str, Any],
        seconds_left: Callable[[], float],
        prepare: Callable[[Any], None] = lambda trainer: None,
    ) -> tuple[int, bool]:
        last = self._last(folder)
        if self.updates is not None and last.exists():
            before = torch.load(last, map_location="cpu", weights_only=True)["trainer"]
            # killed between its last checkpoint and the note that it is done
            if int(before["critic_updates"]) >= self.updates:
                return int(before["critic_updates"]), True
        common = {"output_dir": str(folder), "patch_dir": str(self.stages.state / "patch_set")}
        # what lies here is this program's, killed before its first checkpoint or not
        begin = {"epochs": ENDLESS, "resume": last.exists(), "overwrite": True}
        workflow = self.stages.workflow(names, **{**common, **begin, **self._intervals(), **settings})
        workflow.initialize()
        trainer = workflow.parser.get_parsed_content("train#trainer")
        prepare(trainer)
        limit = StopWhenSpent(
            seconds_left if self.updates is None else None, self.updates, self._saver(workflow), self.save_seconds
        )
        limit.attach(trainer)
        workflow.run()
        self._saver(workflow)(trainer)
        TrainingCurves(folder)(trainer)
        return int(trainer.critic_updates), limit.is_spent

    def _saver(self, workflow: ConfigWorkflow) -> Callable[[Any], None]:
        """Writes the checkpoint, then both networks, then the note."""
        savers = workflow.parser.get_parsed_content("savers")[:3]

        def save(engine: Any) -> None:
            for saver in savers:
                saver(engine)
            self.note()

        return save

    def _intervals(self) -> dict[str, int]:
        """Epochs between curves and the like; checkpoints come by the clock."""
        patches = len(AortaPatchDataset(self.stages.state / "patch_set", "train"))
        epoch = self.stages.choice.seconds * math.ceil(patches / self.stages.choice.batch_size)
        shown = max(SHOW_EPOCHS, math.ceil(SHOW_SECONDS / epoch)) if epoch else SHOW_EPOCHS
        return {"save_every_epochs": ENDLESS, "show_every_epochs": shown, "metrics_every_epochs": 2 * shown}

    def _folder(self, name: str) -> Path:
        return self.stages.state / name

    def _last(self, folder: Path) -> Path:
        return folder / "checkpoints" / "last.pt"
