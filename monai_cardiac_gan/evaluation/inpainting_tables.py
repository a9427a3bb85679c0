"""Tables of ways to inpaint, each under the protocol that its numbers come from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from monai_cardiac_gan.evaluation.inpainting_quality import InpaintingQuality
from monai_cardiac_gan.evaluation.paired_difference import DifferenceRow
from monai_cardiac_gan.evaluation.sample_quality import SampleQuality
from monai_cardiac_gan.evaluation.subject_interval import Estimate

__all__ = ["InpaintingComparison", "InpaintingRow", "Protocol", "SampleRow", "as_content", "as_page"]

INTERVALS = {
    "l1": "l1_interval",
    "centre_error_mm": "centre_interval_mm",
    "diameter_error_mm": "diameter_interval_mm",
}
"""Fields of `InpaintingQuality` with an interval, which is shown in the same cell."""


@dataclass(frozen=True)
class InpaintingRow:
    """One row of the table of single answers.

    Attributes:
        hole: name of the mask, ``"25 px"`` for a square.
        inpainter: name of the way to inpaint; of a sampler with the answer that is meant, ``"search, median"``.
        group: name of the subjects, ``"all"`` for all of them.
        quality: over their patches.
    """

    hole: str
    inpainter: str
    group: str
    quality: InpaintingQuality


@dataclass(frozen=True)
class SampleRow:
    """One row of the table of samples.

    Attributes:
        hole: see `InpaintingRow`, as the others.
        sampler: name of the way to inpaint.
        group: name of the subjects.
        quality: over their patches.
    """

    hole: str
    sampler: str
    group: str
    quality: SampleQuality


@dataclass(frozen=True)
class Protocol:
    """What the numbers of all tables come from.

    Attributes:
        patches: how many.
        subjects: names of the people, in order.
        seed: of the first batch; each batch has that and the number of its first patch.
        groups: name -> subjects.
        hidden: name of a hole -> pixels hidden in a patch, mean.
    """

    patches: int
    subjects: Sequence[str]
    seed: int
    groups: Mapping[str, Sequence[str]]
    hidden: Mapping[str, float]


@dataclass(frozen=True)
class InpaintingComparison:
    """The rows of all tables.

    Attributes:
        points: single answers.
        samples: samples.
        differences: of both from references.
    """

    points: list[InpaintingRow]
    samples: list[SampleRow]
    differences: list[DifferenceRow]


Row = InpaintingRow | SampleRow | DifferenceRow
NUMBERS: dict[type[Row], str] = {InpaintingRow: "quality", SampleRow: "quality", DifferenceRow: "differences"}
"""The field that holds a row's numbers; all others name it."""


def as_content(rows: Sequence[Row]) -> list[dict[str, Any]]:
    """For JSON: labels and numbers of each row side by side."""
    content = []
    for row in rows:
        whole = asdict(row)
        content.append(whole | whole.pop(NUMBERS[type(row)]))
    return [{name: value for name, value in row.items() if name not in NUMBERS.values()} for row in content]


def as_page(found: InpaintingComparison, protocol: Protocol) -> str:
    """Markdown: for each hole the tables of single answers, of samples and of differences."""
    parts = ["# Inpainted patches against what was hidden\n"]
    for hole in dict.fromkeys(row.hole for row in found.points):
        points = [row for row in found.points if row.hole == hole]
        samples = [row for row in found.samples if row.hole == hole]
        differences = [row for row in found.differences if row.hole == hole]
        counts = {row.sampler: row.quality.samples for row in samples}
        told = (
            _told(hole, protocol) + f" Samples of each patch: {', '.join(f'{name} {n}' for name, n in counts.items())}."
        )
        parts += [
            f"## {hole}\n",
            f"### Single answers\n\n{told} Means over the patches, [95 % interval over the subjects].\n",
            _table(points),
            f"### Samples\n\n{told} Every subject weighs the same, [95 % interval over the subjects]. Coverage of central 90 % "
            "intervals with the ends of Weibull's rule; real: originals against each other.\n",
            _table(samples),
        ]
        for names in dict.fromkeys(tuple(row.differences) for row in differences):
            rows = [row for row in differences if tuple(row.differences) == names]
            parts += [
                f"### Differences in {', '.join(names)}\n\n{told} Of the same patches; below 0 is better than the reference. "
                "Every subject weighs the same, [95 % interval over the subjects].\n",
                _table(rows),
            ]
    return "\n".join(parts)


def _told(hole: str, protocol: Protocol) -> str:
    groups = "".join(f" Group {name}: {', '.join(people)}." for name, people in protocol.groups.items())
    return (
        f"Hole {hole}, {protocol.hidden[hole]:.0f} pixels hidden; {protocol.patches} patches of {len(protocol.subjects)} "
        f"subjects ({', '.join(protocol.subjects)}); seed {protocol.seed}.{groups}"
    )


def _table(rows: Sequence[Row]) -> str:
    numbers = NUMBERS[type(rows[0])]
    labels = [name for name in vars(rows[0]) if name != numbers]
    cells = [_cells(getattr(row, numbers)) for row in rows]
    names = list(cells[0])
    lines = [f"| {' | '.join(labels + names)} |", "|---" * len(labels) + "|---:" * len(names) + "|"]
    for row, own in zip(rows, cells, strict=True):
        lines.append(f"| {' | '.join([*(getattr(row, label) for label in labels), *own.values()])} |")
    return "\n".join(lines) + "\n"


def _cells(numbers: InpaintingQuality | SampleQuality | Mapping[str, Estimate | None]) -> dict[str, str]:
    values: dict[str, Any] = dict(numbers) if isinstance(numbers, Mapping) else dict(vars(numbers))
    intervals = {name: values.pop(interval, None) for name, interval in INTERVALS.items()}
    return {name: _cell(value, intervals.get(name)) for name, value in values.items()}


def _cell(value: Estimate | float | None, interval: tuple[float, float] | None) -> str:
    if isinstance(value, Estimate):
        if value.low is not None and value.high is not None:
            interval = value.low, value.high
        value = value.mean
    if value is None:
        return "-"
    return f"{value:.3g}" if interval is None else f"{value:.3g} [{interval[0]:.3g}, {interval[1]:.3g}]"
