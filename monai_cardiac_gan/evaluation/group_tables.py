"""The tables of one group of people: all held-out people together, and each of them singly."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from torch import Tensor

from monai_cardiac_gan.engines import masked
from monai_cardiac_gan.evaluation.comparison import MetricRow, numbers_of, rows_of
from monai_cardiac_gan.evaluation.patch_measures import PatchMeasure, measure_patches
from monai_cardiac_gan.evaluation.people import People
from monai_cardiac_gan.evaluation.protocol import Protocol

__all__ = ["TRAINING", "GroupTables"]

TRAINING = "training patches"
"""Label of real patches of other people: what a generator that knew its training data perfectly would reach."""

Measured = dict[str, Tensor]


class GroupTables:
    """Compares generated with real patches under several protocols; each real patch is measured once.

    Args:
        people: of the group.
        protocols: all that will be asked for.
        measures: what is measured of a patch, by name.
    """

    def __init__(self, people: People, protocols: Sequence[Protocol], measures: Mapping[str, PatchMeasure]) -> None:
        self.people, self.measures = people, measures
        sides = [
            (side, each.patches)
            for each in protocols
            for side in (each.held_out, each.training, *each.splits, *map(people.others, each.splits))
        ]
        self._rows = np.unique(np.concatenate([people.evenly_spaced(side, count) for side, count in sides]))
        self._measured = measure_patches(measures, people.read(self._rows)[0])
        self._floors: dict[tuple[tuple[str, ...], int], dict[str, float]] = {}

    def rows(self, protocol: Protocol, generated: Mapping[str, Measured]) -> list[MetricRow]:
        """The table of a protocol.

        Args:
            protocol: one of those given.
            generated: label -> what is measured of generated patches, see `measured_as_seen`.
        """
        real = self.real(protocol.held_out, protocol.patches)
        sets = {**generated, TRAINING: self.real(protocol.training, protocol.patches)}
        floors = [self._floor(split, protocol.patches) for split in protocol.splits]
        return rows_of({label: self._numbers(each, real) for label, each in sets.items()}, floors)

    def as_seen(self, protocol: Protocol, generated: Tensor) -> Tensor:
        """The first generated patches, each through the field of view of one of the held-out patches that they stand against."""
        _, valid = self.people.read(self.people.evenly_spaced(protocol.held_out, protocol.patches))
        return masked(generated[: protocol.patches], valid)

    def measured_as_seen(self, protocol: Protocol, generated: Tensor) -> Measured:
        """What is measured of generated patches (N, 1, H, W) `as_seen`."""
        return measure_patches(self.measures, self.as_seen(protocol, generated))

    def real(self, people: Sequence[str], count: int) -> Measured:
        """What was measured of so many patches of some people."""
        places = np.searchsorted(self._rows, self.people.evenly_spaced(people, count))
        return {name: kept[places] for name, kept in self._measured.items()}

    def _floor(self, few: Sequence[str], count: int) -> dict[str, float]:
        """All others against a few people; the others take the place of the generated patches."""
        key = tuple(few), count
        if key not in self._floors:
            self._floors[key] = self._numbers(self.real(self.people.others(few), count), self.real(few, count))
        return self._floors[key]

    def _numbers(self, generated: Measured, real: Measured) -> dict[str, float]:
        found: dict[str, float] = {}
        for name, measure in self.measures.items():
            found |= numbers_of(measure.metrics, generated[name], real[name])
        return found
