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

__all__ = ["SHARES", "Budget"]


@dataclass(frozen=True)
class Share:
    """Part of the whole time that a stage may take.

    Attributes:
        fraction: of all minutes.
        most_seconds: more than this does not make it better.
    """

    fraction: float
    most_seconds: float


SHARES: Mapping[str, Share] = {
    "benchmark": Share(0.05, 60),
    "data": Share(0.12, 600),
    "choices": Share(0.05, 120),
    "features": Share(0.06, 900),
    "encoder": Share(0.10, 900),
    "inpainting_unet": Share(0.08, 900),
    "calibration": Share(0.08, 900),
    "evaluation": Share(0.10, 300),
    "files": Share(0.03, 60),
}
"""What is not named here belongs to the GAN. Ten minutes of a busy core are too short for a calibration."""
SMALL_SIZE_FRACTION = 0.4
"""Part of the GAN's time at 64 pixels; an update there costs a third (docs/concepts/training.md)."""


class Budget:
    """The clock of one output folder, across all calls of the program.

    Time counts from the start of the process to the last file. Seconds of an earlier call that was killed count up to its last
    note, which is written with every checkpoint.

    Args:
        path: JSON file that holds seconds, finished stages and choices; read if it is there.
        minutes: of all calls together.

    Raises:
        ValueError: when `minutes` is not positive, or the file is damaged.
    """

    def __init__(self, path: Path, minutes: float) -> None:
        if minutes <= 0:
            raise ValueError(f"minutes is {minutes}: expected more than 0.")
        self.path, self.seconds = path, 60.0 * minutes
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
        if minutes > kept["minutes"]:  # more time than before: the GAN goes on, and what rests on it is made anew
            for stage in ("gan_128", "encoder", "calibration", "evaluation"):
                self.done.pop(stage, None)
            for choice in ("encoder_steps", "calibration_patches"):
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
            return min(SHARES[stage].fraction * self.seconds, SHARES[stage].most_seconds)
        rest = self.seconds - sum(self.share(name) for name in SHARES)
        return rest * (SMALL_SIZE_FRACTION if stage == "gan_64" else 1 - SMALL_SIZE_FRACTION)

    def left_for(self, stage: str, order: list[str]) -> float:
        """Seconds until the stages behind this one need theirs; what earlier stages took too much or too little is shared.

        The GAN at 64 pixels gets its fraction of what both of its stages have when it first begins, over all calls together.
        """
        behind = [name for name in (*order[order.index(stage) + 1 :], "files") if name not in self.done]
        rest = self.left() - sum(self.share(name) for name in behind if name in SHARES)
        if stage != "gan_64" or "gan_128" not in behind:
            return rest
        planned = self.choices.setdefault("gan_64_seconds", round(rest * SMALL_SIZE_FRACTION, 1))
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
