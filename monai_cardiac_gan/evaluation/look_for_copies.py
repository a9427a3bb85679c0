"""Copies of training patches among generated ones: single copies, and whether all lie too near to the training set."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from monai_cardiac_gan.evaluation.group_tables import GroupTables, Measured
from monai_cardiac_gan.evaluation.patch_measures import BATCH, FEATURES
from monai_cardiac_gan.evaluation.people import People
from monai_cardiac_gan.evaluation.protocol import Protocol
from monai_cardiac_gan.metrics import Copies, CopyDetector, Memorisation, memorisation_test

__all__ = ["CopyFinding", "format_copies", "look_for_copies"]

MOST_TRAIN = 20_000
"""Training patches among which copies are looked for, evenly spaced, so that a large set fits the memory: 1.3 GB."""


@dataclass(frozen=True)
class CopyFinding:
    """Both tests of one generator.

    Attributes:
        copies: single copies, by correlation of pixels with one training person and the others.
        memorisation: of the whole sample, by distances of features.
        detector: that found the copies, with its threshold and what share of planted copies it finds.
        generated: in how many patches copies were looked for.
        train_rows: among which training patches, as `People` numbers them.
    """

    copies: Copies
    memorisation: Memorisation
    detector: CopyDetector
    generated: int
    train_rows: np.ndarray

    @property
    def most_alike(self) -> list[int]:
        """Generated patches, the one that is most like a training patch first."""
        return np.argsort(-self.copies.closeness, kind="stable").tolist()

    @property
    def nearest_train(self) -> np.ndarray:
        """Number (N,), as `People` numbers patches, of the training patch that each generated one is most like."""
        return self.train_rows[self.copies.nearest_train]

    def numbers(self) -> dict[str, Any]:
        """What goes into ``metrics.json``."""
        test = self.memorisation
        return {
            "generated": self.generated,
            "training": len(self.train_rows),
            "flagged": list(self.copies.flagged),
            "flagged_share": self.copies.share,
            "highest_closeness": float(self.copies.closeness.max()),
            "highest_correlation": float(self.copies.correlations.max()),
            "threshold": self.detector.threshold,
            "planted": self.detector.planted,
            "planted_recall": self.detector.recall,
            "planted_usual_closeness": self.detector.usual_closeness,
            "false_alarms_other_subjects": self.detector.false_alarms,
            "z": test.z,
            "p_value": test.p_value,
            "close_share": test.close_share,
            "close_p_value": test.close_p_value,
            "most_z": test.most_z,
            "verdict": test.verdict.value,
        }

    def __str__(self) -> str:
        alarms, detector = self.detector.false_alarms, self.detector
        others = "" if alarms is None else f" ({100 * alarms:.2g} % for people that the threshold does not know)"
        return (
            f"{len(self.copies.flagged)} of {self.generated} generated patches are more than {detector.threshold:.3g} times "
            f"nearer to one of {len(self.train_rows)} training patches than to any of another person, as at most 1 % of the "
            f"held-out patches are{others}; the highest is {self.copies.closeness.max():.3g} times nearer (highest correlation "
            f"{self.copies.correlations.max():.3f}). Of {detector.planted} planted copies {100 * detector.recall:.3g} % are "
            f"found, and 95 % are more than {detector.usual_closeness:.3g} times nearer. "
            f"Memorisation test: z {self.memorisation.z:.1f}, {self.memorisation.verdict.value}"
        )


def look_for_copies(
    people: People,
    tables: GroupTables,
    protocol: Protocol,
    fakes: Mapping[str, Tensor],
    measured: Mapping[str, Measured],
) -> dict[str, CopyFinding]:
    """Both tests of each generator.

    Args:
        people: of the group.
        tables: that measured the patches.
        protocol: of the group's table.
        fakes: label -> generated patches; copies are looked for among all.
        measured: label -> what was measured of those in the table.
    """
    rows = people.training_rows()
    rows = rows[np.linspace(0, len(rows) - 1, min(MOST_TRAIN, len(rows))).astype(np.int64)]
    train, train_valid = people.read(rows)
    held_rows = people.rows(protocol.held_out)
    held_out, held_out_valid = people.read(held_rows)
    detector = CopyDetector(
        train,
        people.persons(rows),
        held_out,
        people.subjects(held_rows),
        train_valid,
        held_out_valid,
        seed=protocol.seed,
    )
    features = tables.measures[FEATURES].of
    seen_train = torch.cat([features(part) for part in train.split(BATCH)])
    seen_reals = tables.real(protocol.held_out, protocol.patches)[FEATURES]
    return {
        label: CopyFinding(
            detector.find(patches),
            memorisation_test(measured[label][FEATURES], seen_train, seen_reals),
            detector,
            len(patches),
            rows,
        )
        for label, patches in fakes.items()
    }


def format_copies(findings: Mapping[str, CopyFinding]) -> str:
    """One line for each generator, in Markdown."""
    return "\n".join(f"- {label}: {finding}." for label, finding in findings.items())
