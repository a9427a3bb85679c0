"""How good several answers to each hole are: near, sharp, and as far apart as they are wrong."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from monai_cardiac_gan.aorta import AortaDisc
from monai_cardiac_gan.evaluation.inpainting_quality import Discs
from monai_cardiac_gan.evaluation.subject_interval import Estimate, estimate_by_subject
from monai_cardiac_gan.metrics import (
    DiscriminativeScore,
    calibrated_coverage,
    central_interval,
    discriminative_floor,
    discriminative_score,
    energy_score,
    fair_crps,
    hole_spectrum,
    spread_skill_ratio,
)

__all__ = ["SampleQuality", "SampleScores", "sample_scores"]


SCORES = ("crps", "energy", "diameter_crps_mm", "centre_crps_mm")
"""Proper scores of a `SampleQuality`: lower is better."""


@dataclass(frozen=True)
class SampleQuality:
    """Samples of each hole against the originals; every subject weighs the same in an `Estimate`.

    Attributes:
        samples: K of each patch; a deterministic way to inpaint has one.
        crps: `fair_crps` of the hidden pixels, 0 to 2; of one sample the L1.
        energy: `energy_score` of the hidden pixels together; of one sample the root mean square error.
        pixel_coverage: share of the hidden pixels in the `central_interval` (90 %) of the samples; None for one sample, as below.
        diameter_coverage: the same of the aorta's diameter, by the samples that have one.
        centre_coverage: the same of row and column of its centre, mean of the two.
        calibrated_coverage: what calibrated samples would reach: 0.9 from 19 samples on.
        spread_skill: `spread_skill_ratio` of the hidden pixels: diversity over that of calibrated samples.
        spectrum_db: of single samples, see `HoleSpectrum`; None where the holes are too small.
        spectrum_real_db: of originals of other people; None for fewer than two subjects, as the four below.
        spectrum_ratio: the first over the second.
        u_ids: see `DiscriminativeScore`, mean over the samples; None without features.
        u_ids_real: `discriminative_floor` of originals.
        p_ids: paired.
        p_ids_real: of originals.
        diameter_crps_mm: of the diameter, by the samples that have one; None where no original has.
        diameter_error_mm: mean absolute error of the median diameter of the samples.
        centre_crps_mm: energy score of the centre in the plane; of one sample the distance.
        centre_error_mm: mean distance of the median centre (row and column each) of the samples.
        found: share of the samples in which an aorta is found, of patches that have one.
        seconds: that one patch took, all samples together.
        patches: how many.
        subjects: of how many people.
    """

    samples: int
    crps: Estimate | None
    energy: Estimate | None
    pixel_coverage: Estimate | None
    diameter_coverage: Estimate | None
    centre_coverage: Estimate | None
    calibrated_coverage: float | None
    spread_skill: float | None
    spectrum_db: float | None
    spectrum_real_db: float | None
    spectrum_ratio: float | None
    u_ids: float | None
    u_ids_real: float | None
    p_ids: float | None
    p_ids_real: float | None
    diameter_crps_mm: Estimate | None
    diameter_error_mm: Estimate | None
    centre_crps_mm: Estimate | None
    centre_error_mm: Estimate | None
    found: float | None
    seconds: float
    patches: int
    subjects: int


@dataclass(frozen=True)
class SampleScores:
    """N patches with K samples each, and what each patch has of a `SampleQuality`.

    Attributes:
        samples: (N, K, 1, H, W).
        originals: (N, 1, H, W).
        hidden: the same shape, bool, what counts.
        by_patch: name of an `Estimate` -> (N,), NaN where there is none.
        found: (N,) share of the samples with an aorta; NaN where the original has none.
        features: (N, K, F) of the samples; None without a feature network, as below.
        real_features: (N, F) of the originals.
        seconds: see `SampleQuality`.
    """

    samples: Tensor
    originals: Tensor
    hidden: Tensor
    by_patch: dict[str, np.ndarray]
    found: np.ndarray
    features: Tensor | None
    real_features: Tensor | None
    seconds: float

    def measures(self) -> dict[str, np.ndarray]:
        """Scores of which lower is better, by their names in a `SampleQuality`."""
        return {name: self.by_patch[name] for name in SCORES}

    def quality(self, subjects: Sequence[str], rows: Sequence[int] | None = None, seed: int = 0) -> SampleQuality:
        """Of some of the patches.

        Args:
            subjects: (N,) whose each patch is.
            rows: which patches; None takes all.
            seed: of the bootstrap over the subjects, and of the halves of originals.
        """
        chosen = list(range(len(self.originals))) if rows is None else list(rows)
        names = [subjects[row] for row in chosen]
        count = self.samples.shape[1]
        samples, originals, hidden = self.samples[chosen], self.originals[chosen], self.hidden[chosen]
        spectrum = hole_spectrum(samples, originals, hidden, names)
        scores, floor = self._discriminative(chosen, names, seed)
        found = self.found[chosen]
        return SampleQuality(
            samples=count,
            **{name: estimate_by_subject(values[chosen], names, seed) for name, values in self.by_patch.items()},
            calibrated_coverage=calibrated_coverage(count) if count > 1 else None,
            spread_skill=(
                spread_skill_ratio(samples.transpose(0, 1)[:, hidden], originals[hidden]) if count > 1 else None
            ),
            spectrum_db=None if spectrum is None else spectrum.distance_db,
            spectrum_real_db=None if spectrum is None else spectrum.real_vs_real_db,
            spectrum_ratio=None if spectrum is None else spectrum.ratio,
            u_ids=_mean([score.unpaired for score in scores]),
            u_ids_real=None if floor is None else floor.unpaired,
            p_ids=_mean([score.paired for score in scores]),
            p_ids_real=None if floor is None else floor.paired,
            found=_mean(found[~np.isnan(found)].tolist()),
            seconds=self.seconds,
            patches=len(chosen),
            subjects=len(set(names)),
        )

    def _discriminative(
        self, chosen: list[int], names: list[str], seed: int
    ) -> tuple[list[DiscriminativeScore], DiscriminativeScore | None]:
        """Of each sample by itself, and of the originals; nothing without features or others who teach."""
        if self.features is None or self.real_features is None or len(set(names)) < 2:
            return [], None
        real = self.real_features[chosen]
        scores = [discriminative_score(each, real, names) for each in self.features[chosen].unbind(1)]
        pairs = [name for name in set(names) if names.count(name) > 1]
        return scores, discriminative_floor(real, names, seed) if len(pairs) > 1 else None


def sample_scores(
    samples: Tensor,
    originals: Tensor,
    hidden: Tensor,
    sample_discs: Sequence[Discs],
    original_discs: Discs,
    pixel_mm: float,
    seconds: float,
    features: Tensor | None = None,
    real_features: Tensor | None = None,
) -> SampleScores:
    """Score the samples of each patch.

    Args:
        samples: (N, K, 1, H, W), -1 to 1.
        originals: (N, 1, H, W).
        hidden: the same shape, bool, which pixels count.
        sample_discs: (N, K) of `find_discs`.
        original_discs: (N,).
        pixel_mm: side of a pixel, mm.
        seconds: see `SampleQuality`.
        features: (N, K, F) of the samples.
        real_features: (N, F) of the originals.
    """
    pixels = [_pixel_scores(*three) for three in zip(samples, originals, hidden, strict=True)]
    discs = [_disc_scores(own, truth, pixel_mm) for own, truth in zip(sample_discs, original_discs, strict=True)]
    rows = [one | other for one, other in zip(pixels, discs, strict=True)]
    by_patch = {name: np.array([row[name] for row in rows]) for name in rows[0]}
    found = [
        np.nan if truth is None else float(np.mean([disc is not None for disc in own]))
        for own, truth in zip(sample_discs, original_discs, strict=True)
    ]
    return SampleScores(samples, originals, hidden, by_patch, np.array(found), features, real_features, seconds)


def _pixel_scores(samples: Tensor, original: Tensor, hidden: Tensor) -> dict[str, float]:
    values, truths = samples[:, hidden], original[hidden]
    return {
        "crps": fair_crps(values, truths).mean().item(),
        "energy": energy_score(values, truths),
        "pixel_coverage": _held(values, truths),
    }


def _disc_scores(discs: Discs, truth: AortaDisc | None, pixel_mm: float) -> dict[str, float]:
    names = (
        "diameter_crps_mm", "diameter_error_mm", "diameter_coverage",
        "centre_crps_mm", "centre_error_mm", "centre_coverage",
    )  # fmt: skip
    there = [disc for disc in discs if disc is not None]
    if truth is None or not there:
        return dict.fromkeys(names, np.nan)
    diameters, true_diameter = torch.tensor([disc.diameter_mm for disc in there]), torch.tensor(truth.diameter_mm)
    centres = pixel_mm * torch.from_numpy(np.stack([disc.centre for disc in there]))
    true_centre = pixel_mm * torch.from_numpy(truth.centre)
    values = (
        fair_crps(diameters, true_diameter).item(),
        (diameters.quantile(0.5) - true_diameter).abs().item(),
        _held(diameters, true_diameter),
        energy_score(centres, true_centre) * len(true_centre) ** 0.5,
        (centres.quantile(0.5, dim=0) - true_centre).norm().item(),
        _held(centres, true_centre),
    )
    return dict(zip(names, values, strict=True))


def _held(samples: Tensor, truths: Tensor) -> float:
    """Share of the truths inside; NaN for a single sample, which has no interval."""
    if len(samples) < 2:
        return np.nan
    lower, upper = central_interval(samples)
    return ((lower <= truths) & (truths <= upper)).double().mean().item()


def _mean(values: list[float]) -> float | None:
    return float(np.mean(values)) if values else None
