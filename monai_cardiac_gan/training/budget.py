"""How much time a training program has, what it has done with it, and what it has decided."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from monai_cardiac_gan.atomic import write_json

__all__ = ["REST", "SHARES", "Budget"]


@dataclass(frozen=True)
class Share:
    """Part of the whole time that a stage may take.

    Attributes:
        fraction: of all minutes.
        most_seconds: more than this does not make it better.
        on_gpu: factor of the fraction on a GPU, where the same training takes less of the time.
    """

    fraction: float
    most_seconds: float
    on_gpu: float = 1.0


SHARES: Mapping[str, Share] = {
    "benchmark": Share(0.05, 60),
    "data": Share(0.12, 600),
    "choices": Share(0.05, 120),
    "features": Share(0.06, 900, 0.5),
    "encoder": Share(0.10, 900, 0.5),
    "inpainting_unet": Share(0.08, 900, 0.5),
    "calibration": Share(0.08, 900, 0.5),
    "evaluation": Share(0.10, 300, 0.5),
    "files": Share(0.03, 60),
}
"""What is not named here belongs to `REST`. Ten minutes of a busy core are too short for a calibration."""
REST = {"gan_64": 0.24, "gan_128": 0.36, "amortised": 0.4}
"""Parts of the rest. An update of the GAN is cheapest at 64 pixels, where it learns the form; the amortised generator has a task
that a U-Net learns in minutes, and then a critic of its own."""


class Budget:
    """The clock of one output folder, across all calls of the program.

    Time counts from the start of the process to the last file. Seconds of an earlier call that was killed count up to its last
    note, which is written with every checkpoint.

    Args:
        path: JSON file that holds seconds, finished stages and choices; read if it is there.
        minutes: of all calls together.
        on_gpu: whether a GPU trains.

    Raises:
        ValueError: when `minutes` is not positive, or the file is damaged.
    """

    def __init__(self, path: Path, minutes: float, on_gpu: bool = False) -> None:
        if minutes <= 0:
            raise ValueError(f"minutes is {minutes}: expected more than 0.")
        self.path, self.seconds, self.on_gpu = path, 60.0 * minutes, on_gpu
        self.started = psutil.Process().create_time()
        kept: dict[str, Any] = {"spent": 0.0, "minutes": minutes, "done": {}, "choices": {}, "used": {}}
        if path.exists():
            try:
                kept |= json.loads(path.read_text(encoding="utf-8"))
            except ValueError as error:
                raise ValueError(f"{path}: is damaged ({error}); remove it and begin anew.") from error
        self.earlier = float(kept["spent"])
        self.done: dict[str, float] = dict(kept["done"])
        self.choices: dict[str, Any] = dict(kept["choices"])
        self._used: dict[str, float] = dict(kept["used"])
        self._running, self._begun = "", 0.0
        if (
            minutes > kept["minutes"]
        ):  # more time than before: both generators go on, and what rests on them is made anew
            for stage in ("gan_128", "encoder", "amortised", "calibration", "evaluation"):
                self.done.pop(stage, None)
            for choice in ("gan_128_seconds", "encoder_steps", "calibration_patches"):
                self.choices.pop(choice, None)

    def spent(self) -> float:
        """Seconds of all calls."""
        return self.earlier + time.time() - self.started

    def left(self) -> float:
        """Seconds to the end."""
        return self.seconds - self.spent()

    def share(self, stage: str) -> float:
        """Seconds that a stage may take."""
        if stage in SHARES:
            share = SHARES[stage]
            return min(share.fraction * (share.on_gpu if self.on_gpu else 1) * self.seconds, share.most_seconds)
        return REST[stage] * (self.seconds - sum(self.share(name) for name in SHARES))

    def left_for(self, stage: str, order: list[str]) -> float:
        """Seconds until the stages behind this one need theirs; what earlier stages took too much or too little is shared.

        A stage of `REST` with another one behind it gets its part of what they have when it first begins, over all calls
        together; the last one has what is left. A stage between them takes no more than its share from those that follow.
        """
        behind = [name for name in (*order[order.index(stage) + 1 :], "files") if name not in self.done]
        rest = self.left() - sum(self.share(name) for name in behind if name in SHARES)
        later = sum(REST.get(name, 0.0) for name in behind)
        if not later:
            return rest
        if stage not in REST:
            return min(rest, self.share(stage))
        part = self.used(stage) + rest * REST[stage] / (REST[stage] + later)
        planned = self.choices.setdefault(f"{stage}_seconds", round(part, 1))
        return min(planned - self.used(stage), rest)

    def begin(self, stage: str) -> None:
        """Note when a stage begins in this call."""
        if self._running:
            self._used[self._running] = self.used(self._running)
        self._running, self._begun = stage, time.time()

    def used(self, stage: str) -> float:
        """Seconds that a stage has taken in all calls, finished or not."""
        now = time.time() - self._begun if stage == self._running else 0.0
        return self._used.get(stage, 0.0) + now

    def finish(self, stage: str) -> None:
        """Note that a stage is done."""
        self.done[stage] = round(self.used(stage), 1)
        self.note()

    def note(self) -> None:
        """Write what a later call has to know."""
        content = {
            "spent": self.spent(), "minutes": self.seconds / 60, "done": self.done, "choices": self.choices,
            "used": self._used | ({self._running: self.used(self._running)} if self._running else {}),
        }  # fmt: skip
        write_json(self.path, content)
