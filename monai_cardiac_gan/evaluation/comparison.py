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

__all__ = ["FEATURE_METRICS", "IMAGE_METRICS", "MetricRow", "compare", "format_rows", "is_better"]

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
        real_vs_real: the same number between two halves of the real patches, of different subjects.
        values: name of a set of patches -> the number of that set against the real patches.
    """

    metric: str
    real_vs_real: float
    values: dict[str, float]

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
    """
    labels = list(rows[0].values) if rows else []
    lines = [f"| metric | better | real vs real | {' | '.join(labels)} |", "|---|---|---:|" + "---:|" * len(labels)]
    for row in rows:
        numbers = " | ".join(f"{value:.{DIGITS}g}" for value in (row.real_vs_real, *row.values.values()))
        lines.append(f"| {row.metric} | {_direction(row.part)} | {numbers} |")
    return "\n".join(lines)


def _direction(part: str) -> str:
    if part in DESCRIPTIONS:
        return "-"
    if part in HIGHER_IS_BETTER:
        return "higher"
    return f"near {AIMS[part]}" if part in AIMS else "lower"


def _by_part(name: str, numbers: float | dict[str, float]) -> dict[str, float]:
    return {f"{name}/{part}": n for part, n in numbers.items()} if isinstance(numbers, dict) else {name: numbers}
