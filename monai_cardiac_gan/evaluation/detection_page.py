"""The numbers of an evaluation of detection, and their page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

__all__ = [
    "ALARMS",
    "ALARM_RATE",
    "ALL",
    "DICE_HEALTHY",
    "DICE_ORACLE",
    "DICE_OTHERS",
    "DILATIONS",
    "FAILED",
    "FOUND",
    "LEVELS",
    "LEVELS_AP",
    "PIXELS_AP",
    "PLACED",
    "SUBJECTS",
    "SUBJECTS_AP",
    "DetectionRow",
    "as_page",
]

ALL = "all"
LEVELS, LEVELS_AP, SUBJECTS, SUBJECTS_AP = (
    "AUROC of levels",
    "AUPRC of levels",
    "AUROC of subjects",
    "AUPRC of subjects",
)
PIXELS_AP, DICE_ORACLE, DICE_OTHERS, DICE_HEALTHY = (
    "AUPRC of pixels",
    "Dice of pixels, threshold of an oracle",
    "Dice of pixels, threshold of the other half of the subjects",
    "Dice of pixels, threshold of healthy scans",
)
ALARMS, ALARM_RATE, FOUND = "false alarms", "false alarms of all normal subjects, share", "lesions alarmed, share"
PLACED, DILATIONS, FAILED = (
    "alarming levels within the lesion, share",
    "dilations found at 90 % specificity, share",
    "failed",
)


@dataclass(frozen=True)
class DetectionRow:
    """One number of a table.

    Attributes:
        table: what it is.
        group: all subjects, or one.
        kind: of the lesions.
        severity: its name.
        way: that detects.
        subjects: how many.
        value: the number.
        low: lower end of its interval; None for fewer than five subjects, or where none is given.
        high: upper end.
    """

    table: str
    group: str
    kind: str
    severity: str
    way: str
    subjects: int
    value: float
    low: float | None = None
    high: float | None = None


def as_page(rows: Sequence[DetectionRow]) -> str:
    """Markdown: a table for each statistic, group and severity; a way in a row, a kind of lesion in a column."""
    parts = ["# Detection\n"]
    heads = dict.fromkeys((row.table, row.group) for row in rows)
    for table, group in heads:
        chosen = [row for row in rows if (row.table, row.group) == (table, group)]
        kinds = list(dict.fromkeys(row.kind for row in chosen))
        parts.append(f"## {table}{'' if group == ALL else f', {group}'}\n")
        parts.append(f"| severity | way | {' | '.join(kinds)} |\n|---|---|{'---:|' * len(kinds)}")
        for severity, way in dict.fromkeys((row.severity, row.way) for row in chosen):
            cells = {row.kind: _cell(row) for row in chosen if (row.severity, row.way) == (severity, way)}
            parts.append(f"| {severity} | {way} | {' | '.join(cells.get(kind, '') for kind in kinds)} |")
        parts.append("")
    return "\n".join(parts)


def _cell(row: DetectionRow) -> str:
    if row.table in (ALARMS, FAILED):
        band = "" if row.low is None else f" (99 % band {row.low:.0f} to {row.high:.0f})"
        return f"{row.value:.0f} of {row.subjects}{band}"
    interval = "" if row.low is None else f" ({row.low:.2f} to {row.high:.2f})"
    return f"{row.value:.2f}{interval}"
