"""Figure: radial power spectra of several sets of patches."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from matplotlib.figure import Figure
from torch import Tensor

from monai_cardiac_gan.metrics import radial_power_spectrum

__all__ = ["figure_of_spectra"]

PERCENTILES = (25, 75)
"""Between which the band around the first set lies."""


def figure_of_spectra(sets: Mapping[str, Tensor]) -> Figure:
    """Mean log power against spatial frequency, one line a set; around the first set a band from quartile to quartile.

    A structured noise pattern shows as a peak, blur as a fall at high frequencies.

    Args:
        sets: label -> patches (N, 1, H, W), all of one size; the first set is the reference.

    Raises:
        ValueError: when there is no set.
    """
    if not sets:
        raise ValueError("there is no set of patches: give at least one, by its label.")
    figure = Figure(figsize=(7, 4.5), layout="constrained")
    axes = figure.subplots()
    for place, (label, patches) in enumerate(sets.items()):
        spectra = radial_power_spectrum(patches).numpy()
        frequencies = np.arange(1, spectra.shape[1] + 1) / min(patches.shape[2:])
        axes.plot(frequencies, spectra.mean(0), label=f"{label} (n = {len(patches)})", linewidth=1.5)
        if place == 0:
            axes.fill_between(frequencies, *np.percentile(spectra, PERCENTILES, axis=0), alpha=0.2)
    axes.set_xlabel("spatial frequency, cycles per pixel")
    axes.set_ylabel("power, log10")
    axes.legend()
    return figure
