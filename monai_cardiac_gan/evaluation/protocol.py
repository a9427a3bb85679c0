"""What stands against what in a table: sample sizes, people, splits and seeds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import comb

import numpy as np

from monai_cardiac_gan.evaluation.people import People
from monai_cardiac_gan.metrics import subject_splits

__all__ = ["Protocol", "protocol_of", "protocols_of_subjects"]

LEAST_SHARE = 0.5
"""People with fewer patches than this share of the median person's do not stand alone: all samples would be as small."""


@dataclass(frozen=True)
class Protocol:
    """How the numbers of one table came about.

    Attributes:
        patches: on either side of every comparison of the table, evenly spaced over the patches of its people.
        held_out: people whose patches the generated ones are compared with; their fields of view are those of the generated ones.
        training: people of the column of training patches.
        splits: the few people of each split of all people; the real-vs-real value compares them with all others.
        possible_splits: how many there are, without that into held-out and training people.
        seed: of latents, splits, projections and pairs.
        stands_for: person -> identical subjects, whose patches do not count beside those of this one.
        left_out: people with too few patches to stand alone.
    """

    patches: int
    held_out: list[str]
    training: list[str]
    splits: list[list[str]]
    possible_splits: int
    seed: int
    stands_for: Mapping[str, list[str]] = field(default_factory=dict)
    left_out: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        same = "".join(f" {name} stands for {_listed(others)}, too." for name, others in self.stands_for.items())
        few = f" Too few patches to stand alone: {_listed(self.left_out)}." if self.left_out else ""
        side = "1 person" if len(self.held_out) == 1 else f"{len(self.held_out)} people"
        floor = (
            f"Real vs real: mean (lowest to highest) of the same number between {side} and all others, over "
            f"{len(self.splits)} of {self.possible_splits} such splits of all people, without the split of this table."
            if self.splits
            else "Real vs real: none, because there is no other split of these people."
        )
        return (
            f"{self.patches} patches on either side of each comparison, evenly spaced; seed {self.seed}. Held out: "
            f"{_listed(self.held_out)}; generated patches have their fields of view. Training patches: "
            f"{_listed(self.training)}.{same} {floor}{few}"
        )


def protocol_of(people: People, count: int, seed: int = 0) -> Protocol:
    """All held-out people of a group against generated patches.

    Args:
        people: of the group.
        count: patches at most.
        seed: of the splits.
    """
    splits = subject_splits(people.names, len(people.held_out), people.held_out, seed=seed)
    sides = [people.held_out, people.train, *(part for split in splits for part in (split, people.others(split)))]
    return Protocol(
        patches=min(count, *(len(people.rows(side)) for side in sides)),
        held_out=people.held_out,
        training=people.train,
        splits=[list(split) for split in splits],
        possible_splits=_possible_splits(people, len(people.held_out)),
        seed=seed,
        stands_for=people.stands_for,
    )


def protocols_of_subjects(people: People, count: int, seed: int = 0) -> dict[str, Protocol]:
    """Each held-out person alone against generated patches, all with samples of one size.

    The splits of several held-out people are the same ones, each without its own.

    Args:
        people: of the group.
        count: patches at most.
        seed: of the splits.
    """
    sizes = {name: len(people.rows([name])) for name in people.names}
    left_out = [name for name, size in sizes.items() if size < LEAST_SHARE * np.median([*sizes.values()])]
    usable = [name for name in people.names if name not in left_out]
    alone = [name for name in people.held_out if name in usable]
    smallest = min(count, *(min(sizes[name], len(people.rows(people.others([name])))) for name in usable))
    patches = min(smallest, len(people.rows(people.train)))
    return {
        name: Protocol(
            patches=patches,
            held_out=[name],
            training=people.train,
            splits=[list(split) for split in subject_splits(usable, 1, [name], seed=seed)] if len(usable) > 1 else [],
            possible_splits=len(usable) - 1 - (len(usable) == 2),
            seed=seed,
            stands_for=people.stands_for,
            left_out=left_out,
        )
        for name in alone
    }


def _possible_splits(people: People, size: int) -> int:
    """Without the actual one, and its complement where that is of equal size."""
    return comb(len(people.names), size) - 1 - (2 * size == len(people.names))


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names)
