"""The levels of a subject that are named first."""

from __future__ import annotations

from collections.abc import Sequence

from monai_cardiac_gan.reporting.subject_results import LevelResult

__all__ = ["farthest_level", "largest_level", "most_unusual_level"]


def farthest_level(levels: Sequence[LevelResult]) -> LevelResult | None:
    """The compared level with the largest abs(z); None where nothing was compared."""
    compared = [level for level in levels if level.is_compared and level.z is not None]
    return max(compared, key=lambda level: abs(level.z or 0.0), default=None)


def most_unusual_level(levels: Sequence[LevelResult]) -> LevelResult | None:
    """Of the levels that stand out the one with the highest score; None where none does."""
    standing = [level for level in levels if level.stands_out and level.anomaly is not None]
    return max(standing, key=lambda level: level.anomaly or 0.0, default=None)


def largest_level(levels: Sequence[LevelResult]) -> LevelResult | None:
    """The level with the largest acquired diameter, of those that were compared if there are any: ends of a track may be
    no descending aorta. None where nothing was measured.
    """
    measured = [level for level in levels if level.area_equivalent_mm is not None]
    candidates = [level for level in measured if level.is_compared] or measured
    return max(candidates, key=lambda level: level.area_equivalent_mm or 0.0, default=None)
