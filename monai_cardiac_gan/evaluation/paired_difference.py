"""Is one way to inpaint better than another? Differences patch by patch, with intervals over the people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from monai_cardiac_gan.evaluation.subject_interval import Estimate, estimate_by_subject

__all__ = ["DifferenceRow", "paired_differences"]

Measures = Mapping[str, np.ndarray]


@dataclass(frozen=True)
class DifferenceRow:
    """One way to inpaint less a reference, on the same patches; below 0 it is better.

    Attributes:
        hole: name of the mask.
        way: name of the way to inpaint, or of one of its answers.
        group: name of the subjects.
        reference: name of the other way.
        differences: name of an error or a score -> mean difference; None where no patch has both.
    """

    hole: str
    way: str
    group: str
    reference: str
    differences: Mapping[str, Estimate | None]


def paired_differences(
    measures: Mapping[str, Measures],
    reference: str,
    subjects: Sequence[str],
    rows: Sequence[int] | None = None,
    seed: int = 0,
) -> dict[str, dict[str, Estimate | None]]:
    """Mean differences from a reference; every subject weighs the same.

    An interval of a difference says more than two intervals beside each other, as hard patches are hard for both.

    Args:
        measures: way -> name -> (N,) of each patch, lower is better, NaN where there is none.
        reference: the way that the others are compared with.
        subjects: (N,) whose each patch is.
        rows: which patches; None takes all.
        seed: of the bootstrap.

    Returns:
        Way -> name -> estimate, of all ways but the reference.

    Example:
        >>> measures = {"ours": {"l1": np.array([0.25, 0.5])}, "theirs": {"l1": np.array([0.5, 1.0])}}
        >>> paired_differences(measures, "theirs", ["anna", "ben"])["ours"]["l1"]
        Estimate(mean=-0.375, low=None, high=None)
    """
    chosen = np.arange(len(subjects)) if rows is None else np.asarray(rows)
    names, other = np.asarray(subjects)[chosen], measures[reference]
    return {
        way: {name: estimate_by_subject((values - other[name])[chosen], names, seed) for name, values in own.items()}
        for way, own in measures.items()
        if way != reference
    }
