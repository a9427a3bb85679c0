"""The people of a group and their patches: those held out and those of the training."""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase

import numpy as np
import torch
from torch import Tensor

from monai_cardiac_gan.data import AortaPatchDataset, valid_region

__all__ = ["People"]


class People:
    """Real patches by person, of held-out and of training people of one group.

    A patch has one number here: held-out patches first, then those of the training, each in the order of its data set. Of
    identical subjects the first stands for all: a person who counted twice would be its own nearest neighbour.

    Args:
        held_out: patches that no generator has seen.
        train: patches that they were trained on.
        pattern: of the subjects that belong to the group, as `fnmatch` reads it.

    Attributes:
        held_out: names of the held-out people, sorted.
        train: names of the training people, sorted.
        stands_for: name -> the identical subjects that it stands for, where there are any.

    Raises:
        ValueError: when no held-out or no training subject fits the pattern, or a person is on both sides.
    """

    def __init__(self, held_out: AortaPatchDataset, train: AortaPatchDataset, pattern: str = "*") -> None:
        self._sets = held_out, train
        self._subjects = np.array(held_out.subjects() + train.subjects())
        self._held_out_count = len(held_out.subjects())
        sides = [
            _fitting(data.subjects(), pattern, side) for data, side in ((held_out, "held-out"), (train, "training"))
        ]
        same = {name: list(names) for data in self._sets for names in data.identical_subjects for name in names}
        _refuse_people_on_both_sides(sides[0], sides[1], same)
        firsts = [[name for name in side if name == _first(name, side, same)] for side in sides]
        self.held_out, self.train = firsts
        self._everybody = sides
        self.stands_for: dict[str, list[str]] = {}
        for side in sides:
            for name in side:
                if (first := _first(name, side, same)) != name:
                    self.stands_for.setdefault(first, []).append(name)

    @property
    def names(self) -> list[str]:
        """All people, held out or not, sorted."""
        return sorted(self.held_out + self.train)

    def rows(self, people: Sequence[str]) -> np.ndarray:
        """Numbers of all patches of some people, in their order."""
        return np.flatnonzero(np.isin(self._subjects, list(people)))

    def evenly_spaced(self, people: Sequence[str], count: int) -> np.ndarray:
        """Numbers (count,) of patches of some people, evenly spaced over all that they have."""
        rows = self.rows(people)
        return rows[np.linspace(0, len(rows) - 1, count).astype(np.int64)]

    def others(self, people: Sequence[str]) -> list[str]:
        """All people but these, sorted."""
        return [name for name in self.names if name not in people]

    def training_rows(self) -> np.ndarray:
        """Numbers of all training patches, those of identical subjects too: a copy may be one of any."""
        return self.rows(self._everybody[1])

    def subjects(self, rows: np.ndarray) -> list[str]:
        """Whose some patches are."""
        return [str(name) for name in self._subjects[rows]]

    def persons(self, rows: np.ndarray) -> list[str]:
        """Whose some patches are, identical subjects under the name of the first."""
        first = {other: name for name, others in self.stands_for.items() for other in others}
        return [first.get(name, name) for name in self.subjects(rows)]

    def read(self, rows: np.ndarray) -> tuple[Tensor, Tensor]:
        """Some patches (N, 1, H, W) float32, and which of their pixels lie inside the field of view, in the order asked for."""
        parts, order = [], []
        for number, data in enumerate(self._sets):
            here = np.flatnonzero((rows >= self._held_out_count) == bool(number))
            if len(here):
                parts.append(data.read((rows[here] - number * self._held_out_count).tolist()))
                order.append(here)
        back = np.argsort(np.concatenate(order))
        pixels, bounds = (np.concatenate([part[kind] for part in parts])[back] for kind in (0, 1))
        patches = torch.from_numpy(pixels).float()[:, None]
        return patches, valid_region(torch.from_numpy(bounds), patches.shape[-1])


def _fitting(subjects: Sequence[str], pattern: str, side: str) -> list[str]:
    found = sorted({name for name in subjects if fnmatchcase(name, pattern)})
    if not found:
        raise ValueError(f"no {side} subject is called like '{pattern}': expected names such as '{subjects[0]}'.")
    return found


def _first(name: str, side: Sequence[str], same: dict[str, list[str]]) -> str:
    return min(other for other in side if other == name or other in same.get(name, ()))


def _refuse_people_on_both_sides(held_out: list[str], train: list[str], same: dict[str, list[str]]) -> None:
    both = sorted(name for name in held_out if any(other in train for other in (name, *same.get(name, ()))))
    if both:
        raise ValueError(
            f"{both} are held out and in the training, by themselves or as an identical subject: expected each person in one "
            "split; prepare the patch set again."
        )
