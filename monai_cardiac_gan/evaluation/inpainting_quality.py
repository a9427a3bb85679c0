"""How near one answer to each hole comes to what had been hidden."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from skimage.metrics import structural_similarity
from torch import Tensor

from monai_cardiac_gan.aorta import AortaDisc, measure_disc
from monai_cardiac_gan.evaluation.subject_interval import subject_interval
from monai_cardiac_gan.inferers import seam_error
from monai_cardiac_gan.losses import masked_l1

__all__ = ["InpaintingQuality", "PatchErrors", "find_discs", "inpainting_quality", "patch_errors"]

WINDOW_SIGMA = 1.5
"""Standard deviation of the window of SSIM, pixels (Wang et al. 2004)."""
VALUE_RANGE = 2.0
"""From -1 to 1."""
LEAST_ERROR = 1e-12
"""Mean squared errors below count as this, 126 dB, so that equal images have a number."""
Discs = Sequence[AortaDisc | None]
Interval = tuple[float, float] | None


@dataclass(frozen=True)
class InpaintingQuality:
    """One way to inpaint against the originals; means over the patches.

    Attributes:
        l1: mean absolute difference inside the mask, 0 to 2.
        l1_interval: its 95 % interval, bootstrapped over the subjects; None for fewer than 5 of them, as below.
        psnr: peak signal-to-noise ratio inside the mask, dB; mean of the patches' own.
        ssim: structural similarity, mean over the hidden pixels.
        seam: see `seam_error`.
        found: share of the patches with an aorta in which one is found after inpainting; None without any.
        centre_error_mm: mean distance of the centres, where both have one; None if none has, as below.
        centre_interval_mm: its interval.
        diameter_error_mm: mean absolute difference of the diameters.
        diameter_interval_mm: its interval.
        diameter_bias_mm: mean difference, inpainted less original.
        patches: how many.
        with_aorta: in how many originals an aorta was found.
    """

    l1: float
    l1_interval: Interval
    psnr: float
    ssim: float
    seam: float
    found: float | None
    centre_error_mm: float | None
    centre_interval_mm: Interval
    diameter_error_mm: float | None
    diameter_interval_mm: Interval
    diameter_bias_mm: float | None
    patches: int
    with_aorta: int


@dataclass(frozen=True)
class PatchErrors:
    """What each of N patches has of an `InpaintingQuality`; (N,) each, NaN where an aorta is missing.

    Attributes:
        l1: see there, as all others.
        psnr: dB.
        ssim: of the hidden pixels.
        seam: at the rim.
        centre_mm: distance.
        growth_mm: difference of the diameters, inpainted less original.
        with_aorta: bool, where the original has an aorta.
        found: bool, where both have.
    """

    l1: np.ndarray
    psnr: np.ndarray
    ssim: np.ndarray
    seam: np.ndarray
    centre_mm: np.ndarray
    growth_mm: np.ndarray
    with_aorta: np.ndarray
    found: np.ndarray

    def measures(self) -> dict[str, np.ndarray]:
        """Errors of which lower is better, by their names in an `InpaintingQuality`."""
        return {
            "l1": self.l1,
            "centre_error_mm": self.centre_mm,
            "diameter_error_mm": np.abs(self.growth_mm),
        }

    def quality(self, subjects: Sequence[str], rows: Sequence[int] | None = None, seed: int = 0) -> InpaintingQuality:
        """Means over some of the patches.

        Args:
            subjects: (N,) whose each patch is.
            rows: which patches; None takes all.
            seed: of the bootstrap over the subjects.
        """
        chosen = np.arange(len(self.l1)) if rows is None else np.asarray(rows)
        names = np.asarray(subjects)[chosen]
        centres, growths, there = self.centre_mm[chosen], self.growth_mm[chosen], int(self.with_aorta[chosen].sum())
        return InpaintingQuality(
            l1=float(self.l1[chosen].mean()),
            l1_interval=subject_interval(self.l1[chosen], names, seed),
            psnr=float(self.psnr[chosen].mean()),
            ssim=float(self.ssim[chosen].mean()),
            seam=float(self.seam[chosen].mean()),
            found=int(self.found[chosen].sum()) / there if there else None,
            centre_error_mm=_mean(centres),
            centre_interval_mm=subject_interval(centres, names, seed),
            diameter_error_mm=_mean(np.abs(growths)),
            diameter_interval_mm=subject_interval(np.abs(growths), names, seed),
            diameter_bias_mm=_mean(growths),
            patches=len(chosen),
            with_aorta=there,
        )


def inpainting_quality(painted: Tensor, originals: Tensor, masks: Tensor, pixel_mm: float = 1.0) -> InpaintingQuality:
    """Compare inpainted patches with what they were; without intervals, for which `PatchErrors.quality` asks whose they are.

    Args:
        painted: (N, 1, H, W), -1 to 1.
        originals: the same shape.
        masks: the same shape, bool.
        pixel_mm: side of a pixel, mm.

    Example:
        >>> from monai_cardiac_gan.inferers import square_masks
        >>> original = torch.linspace(-1, 1, 128 * 128).view(1, 1, 128, 128)
        >>> mask = square_masks()["25 px"].expand(1, 1, 128, 128)
        >>> quality = inpainting_quality(torch.where(mask, original + 0.02, original).clamp(-1, 1), original, mask)
        >>> round(quality.l1, 3), round(quality.psnr, 1)
        (0.02, 40.0)
    """
    painted_discs, original_discs = (find_discs(images, pixel_mm) for images in (painted, originals))
    errors = patch_errors(painted, originals, masks, painted_discs, original_discs, pixel_mm)
    return errors.quality([""] * len(painted))


def find_discs(images: Tensor, pixel_mm: float = 1.0) -> list[AortaDisc | None]:
    """The aorta in each image (N, 1, H, W), see `measure_disc`."""
    return [measure_disc(image[0].numpy(), pixel_mm) for image in images.cpu()]


def patch_errors(
    painted: Tensor, originals: Tensor, masks: Tensor, painted_discs: Discs, original_discs: Discs, pixel_mm: float
) -> PatchErrors:
    """Compare each inpainted patch with what it was.

    Args:
        painted: (N, 1, H, W), -1 to 1.
        originals: the same shape.
        masks: the same shape, bool.
        painted_discs: (N,) of `find_discs`.
        original_discs: (N,).
        pixel_mm: side of a pixel, mm.
    """
    squares, weights = (painted - originals).square().flatten(1), masks.flatten(1).to(painted.dtype)
    errors = (squares * weights).sum(1) / weights.sum(1)
    pairs = list(zip(original_discs, painted_discs, strict=True))
    both = [(a, b) if a is not None and b is not None else None for a, b in pairs]
    centres = [np.nan if pair is None else np.linalg.norm(pair[1].centre - pair[0].centre) for pair in both]
    growths = [np.nan if pair is None else pair[1].diameter_mm - pair[0].diameter_mm for pair in both]
    return PatchErrors(
        l1=masked_l1(painted, originals, masks).cpu().numpy(),
        psnr=(10 * torch.log10(VALUE_RANGE**2 / errors.clamp(min=LEAST_ERROR))).cpu().numpy(),
        ssim=np.array([_ssim(*three) for three in zip(painted, originals, masks, strict=True)]),
        seam=seam_error(painted, originals, masks).cpu().numpy(),
        centre_mm=pixel_mm * np.array(centres),
        growth_mm=np.array(growths),
        with_aorta=np.array([original is not None for original in original_discs]),
        found=np.array([pair is not None for pair in both]),
    )


def _ssim(painted: Tensor, original: Tensor, mask: Tensor) -> float:
    _, similarities = structural_similarity(
        painted[0].cpu().numpy(),
        original[0].cpu().numpy(),
        data_range=VALUE_RANGE,
        gaussian_weights=True,
        sigma=WINDOW_SIGMA,
        use_sample_covariance=False,
        full=True,
    )
    return float(similarities[mask[0].cpu().numpy()].mean())


def _mean(values: np.ndarray) -> float | None:
    return None if np.isnan(values).all() else float(np.nanmean(values))
