"""What a two-sample metric gives when both samples are real."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from monai_cardiac_gan.metrics.two_sample import Numbers, as_numbers

__all__ = ["real_vs_real"]

REPEATS = 5
ALONE = ""
"""Name of a number that has none."""


def real_vs_real(
    metric_function: Callable[[Tensor, Tensor], Any],
    real: Tensor,
    subjects: Sequence[str] | None = None,
    seed: int = 0,
    repeats: int = REPEATS,
) -> Numbers:
    """Mean of a metric between two random halves of the real samples: no generator can be expected to do better.

    Patches of one person are alike. With `subjects` all patches of a person fall into one half, so the halves differ as
    two groups of persons do; without, the value is far too low for patches that come in dozens from each person.

    Most distances fall with the size of the samples: compare the value of 2N real samples with a distance of N to N.

    Args:
        metric_function: compares two samples (N, ...) and (M, ...); gives a float, a dictionary or a dataclass of floats.
        real: images (N, 1, H, W) or their features (N, F).
        subjects: the person of each sample; each sample for itself when not given.
        seed: of the halves.
        repeats: pairs of halves to average over.

    Returns:
        The mean of the metric, or of each of its numbers. Halves by subject are as equal as the first persons of a random
        order allow.

    Raises:
        ValueError: when subjects and samples differ in number, there are fewer than two of either, or no repeats.

    Example:
        Two persons with the values 0 and 8, whose halves can only be one person each:

        >>> real = torch.tensor([[0.0], [0.0], [8.0], [8.0]])
        >>> difference = lambda generated, real: (generated.mean() - real.mean()).abs().item()
        >>> real_vs_real(difference, real, subjects=["anna", "anna", "ben", "ben"])
        8.0
    """
    names = np.arange(len(real)) if subjects is None else np.asarray(subjects)
    _check(names, len(real), repeats)
    rng = np.random.default_rng(seed)
    by_name: dict[str, list[float]] = {}
    for _ in range(repeats):
        first = torch.from_numpy(_first_half(names, rng)).to(real.device)
        numbers = as_numbers(metric_function(real[first], real[~first]))
        for name, number in (numbers if isinstance(numbers, dict) else {ALONE: numbers}).items():
            by_name.setdefault(name, []).append(number)
    means = {name: float(np.mean(values)) for name, values in by_name.items()}
    return means[ALONE] if list(means) == [ALONE] else means


def _check(names: np.ndarray, samples: int, repeats: int) -> None:
    if names.shape != (samples,):
        raise ValueError(
            f"there are {samples} real samples and subjects of shape {list(names.shape)}, expected one subject for each."
        )
    if len(np.unique(names)) < 2:
        raise ValueError(
            f"{samples} real samples of {len(np.unique(names))} subjects have no two halves: give samples of at least two."
        )
    if repeats < 1:
        raise ValueError(f"repeats is {repeats}, expected 1 or more pairs of halves.")


def _first_half(names: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Which samples (N,) belong to the first persons of a random order, cut where the halves are most equal."""
    persons, counts = np.unique(names, return_counts=True)
    order = rng.permutation(len(persons))
    so_far = np.cumsum(counts[order])[:-1]
    cut = np.abs(so_far - len(names) / 2).argmin() + 1
    return np.isin(names, persons[order[:cut]])
