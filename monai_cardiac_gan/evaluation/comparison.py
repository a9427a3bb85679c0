"""All metrics of generated patches against real ones, each beside what real patches reach among themselves."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from monai_cardiac_gan.metrics import (
    aorta_geometry_distance,
    as_numbers,
    classifier_two_sample_test,
    density_coverage,
    diversity_difference,
    frechet_distance,
    kernel_distance,
    power_spectrum_distance,
    precision_recall,
    real_vs_real,
    sliced_wasserstein_distance,
)

__all__ = [
    "FEATURE_METRICS",
    "IMAGE_METRICS",
    "MetricRow",
    "compare",
    "direction_of",
    "format_rows",
    "is_better",
    "numbers_of",
    "rows_of",
]

FUNCTION = Callable[[Tensor, Tensor], Any]

IMAGE_METRICS: Mapping[str, FUNCTION] = {
    "sliced_wasserstein": sliced_wasserstein_distance,
    "power_spectrum": power_spectrum_distance,
    "diversity": diversity_difference,
    "aorta_geometry": aorta_geometry_distance,
}
"""Compare patches (N, 1, H, W)."""

FEATURE_METRICS: Mapping[str, FUNCTION] = {
    "frechet_distance": frechet_distance,
    "kernel_distance": kernel_distance,
    "precision_recall": precision_recall,
    "density_coverage": density_coverage,
    "classifier_two_sample": classifier_two_sample_test,
}
"""Compare features (N, F)."""

HIGHER_IS_BETTER = ("precision", "recall", "density", "coverage", "p_value")
"""Numbers that a good generator makes large; of all others it makes the distance to the aim small."""
AIMS = {"accuracy": 0.5, "real_accuracy": 0.5, "generated_accuracy": 0.5}
"""Where a number should lie, if not at 0: a two-sample test of equal samples is right half of the time."""
DESCRIPTIONS = ("ms_ssim_generated", "ms_ssim_real", "aorta_found_generated", "aorta_found_real")
"""Numbers that describe one sample alone, and are neither good nor bad."""
DIGITS = 3


@dataclass(frozen=True)
class MetricRow:
    """One number of one metric.

    Attributes:
        metric: the metric's name, with its part where it has several: ``diversity/ms_ssim_difference``.
        real_vs_real: mean of the same number between real patches of different subjects; None where there is none.
        values: name of a set of patches -> the number of that set against the real patches.
        lowest: of the numbers that `real_vs_real` is the mean of, where several are known.
        highest: of these.
    """

    metric: str
    real_vs_real: float | None
    values: dict[str, float]
    lowest: float | None = None
    highest: float | None = None

    @property
    def part(self) -> str:
        """Last part of the name."""
        return self.metric.rsplit("/", 1)[-1]


def compare(
    metrics: Mapping[str, FUNCTION],
    generated: Mapping[str, Tensor],
    real: Tensor,
    subjects: Sequence[str] | None = None,
    seed: int = 0,
) -> list[MetricRow]:
    """Each metric of each set of generated samples against the real ones.

    Args:
        metrics: name -> function of (generated, real) that gives a number, several by name, or a dataclass of them.
        generated: name -> samples, patches or features.
        real: samples of the same kind.
        subjects: whose each real sample is, so that the two halves share nobody.
        seed: of the halves.

    Returns:
        One row for each number.

    Example:
        >>> import torch
        >>> real = torch.tensor([0.0, 1.0, 2.0, 3.0])
        >>> rows = compare({"mean": lambda g, r: (g.mean() - r.mean()).abs()}, {"mine": real + 2}, real)
        >>> rows[0].values
        {'mine': 2.0}
    """
    rows = []
    for name, function in metrics.items():
        halves = _by_part(name, real_vs_real(function, real, subjects, seed))
        values = {label: _by_part(name, as_numbers(function(each, real))) for label, each in generated.items()}
        rows += [
            MetricRow(part, halves[part], {label: each[part] for label, each in values.items()}) for part in halves
        ]
    return rows


def numbers_of(metrics: Mapping[str, FUNCTION], generated: Tensor, real: Tensor) -> dict[str, float]:
    """All numbers of several metrics of one sample against another, by the names of their rows.

    Args:
        metrics: name -> function of (generated, real), as `compare` takes them.
        generated: samples.
        real: samples of the same kind.

    Example:
        >>> import torch
        >>> numbers_of({"mean": lambda g, r: {"difference": g.mean() - r.mean()}}, torch.ones(2), torch.zeros(3))
        {'mean/difference': 1.0}
    """
    parts = (_by_part(name, as_numbers(function(generated, real))) for name, function in metrics.items())
    return {part: number for numbers in parts for part, number in numbers.items()}


def rows_of(values: Mapping[str, Mapping[str, float]], floors: Sequence[Mapping[str, float]]) -> list[MetricRow]:
    """Numbers of several sets beside those between real patches.

    Args:
        values: name of a set -> its `numbers_of`, all of the same metrics.
        floors: `numbers_of` real patches against real patches of other subjects, one for each split of the subjects.

    Example:
        >>> rows_of({"mine": {"distance": 3.0}}, [{"distance": 1.0}, {"distance": 2.0}])
        [MetricRow(metric='distance', real_vs_real=1.5, values={'mine': 3.0}, lowest=1.0, highest=2.0)]
    """
    rows = []
    for part in next(iter(values.values()), {}):
        between = [floor[part] for floor in floors]
        found = {label: each[part] for label, each in values.items()}
        extremes = (min(between), max(between)) if between else (None, None)
        rows.append(MetricRow(part, sum(between) / len(between) if between else None, found, *extremes))
    return rows


def is_better(part: str, one: float, other: float) -> bool | None:
    """Whether one number of a metric is better than another; None where neither can be.

    Example:
        >>> is_better("recall", 0.4, 0.3), is_better("accuracy", 0.4, 0.7), is_better("ms_ssim_real", 0.1, 0.2)
        (True, True, None)
    """
    if part in DESCRIPTIONS:
        return None
    if part in HIGHER_IS_BETTER:
        return one > other
    aim = AIMS.get(part, 0.0)
    return abs(one - aim) < abs(other - aim)


def format_rows(rows: Sequence[MetricRow]) -> str:
    """The rows as a Markdown table.

    Example:
        >>> print(format_rows([MetricRow("recall", 0.9, {"mine": 0.51234})]))
        | metric | better | real vs real | mine |
        |---|---|---:|---:|
        | recall | higher | 0.9 | 0.512 |
        >>> print(format_rows([MetricRow("recall", 0.9, {"mine": 0.5}, 0.8, 0.95)]).splitlines()[-1])
        | recall | higher | 0.9 (0.8 to 0.95) | 0.5 |
    """
    labels = list(rows[0].values) if rows else []
    lines = [f"| metric | better | real vs real | {' | '.join(labels)} |", "|---|---|---:|" + "---:|" * len(labels)]
    for row in rows:
        numbers = " | ".join([_between_reals(row), *(f"{value:.{DIGITS}g}" for value in row.values.values())])
        lines.append(f"| {row.metric} | {direction_of(row.part)} | {numbers} |")
    return "\n".join(lines)


def _between_reals(row: MetricRow) -> str:
    if row.real_vs_real is None:
        return "-"
    mean = f"{row.real_vs_real:.{DIGITS}g}"
    return mean if row.lowest is None else f"{mean} ({row.lowest:.{DIGITS}g} to {row.highest:.{DIGITS}g})"


def direction_of(part: str) -> str:
    """What a good generator does with a number, in a word."""
    if part in DESCRIPTIONS:
        return "-"
    if part in HIGHER_IS_BETTER:
        return "higher"
    return f"near {AIMS[part]}" if part in AIMS else "lower"


def _by_part(name: str, numbers: float | dict[str, float]) -> dict[str, float]:
    return {f"{name}/{part}": n for part, n in numbers.items()} if isinstance(numbers, dict) else {name: numbers}
