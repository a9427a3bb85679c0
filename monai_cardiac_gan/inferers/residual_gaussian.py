"""A deterministic way to inpaint, made a distribution by correlated Gaussian residuals: what samplers have to beat."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from scipy import ndimage
from torch import Tensor

from monai_cardiac_gan.inferers.inpainters import Inpainter
from monai_cardiac_gan.inferers.samplers import check_count

__all__ = ["HoleResiduals", "ResidualGaussianSampler", "fit_residuals"]

SMALLEST_STD = 1e-6
"""Residuals are divided by this at least, so that a perfect way to inpaint has a correlation, of nothing."""
PATCHES_AT_ONCE = 64


@dataclass(frozen=True)
class HoleResiduals:
    """What a way to inpaint leaves in holes of one size.

    Attributes:
        side: square root of the hidden pixels, mean over the holes.
        stds: (D,) root mean square of the residuals 1, 2, ... pixels from the rim (chessboard distance).
        correlation: (2 H, 2 W) of residuals, each divided by its `stds`, by lag on a torus; 1 at lag 0.
    """

    side: float
    stds: Tensor
    correlation: Tensor

    def std(self, mask: Tensor) -> Tensor:
        """(H, W) standard deviation of each pixel of a hole (H, W) bool, 0 outside; at unknown depths that of the deepest."""
        distances = _rim_distances(mask)
        return torch.where(mask, self.stds[(distances - 1).clamp(0, len(self.stds) - 1)], 0.0)

    def fields(self, count: int, random: torch.Generator) -> Tensor:
        """(count, H, W) stationary Gaussian fields of unit variance and this correlation, by circulant embedding."""
        height, width = (side // 2 for side in self.correlation.shape)
        power = torch.fft.fft2(self.correlation).real.clamp(min=0)  # rounding
        power = power / power.mean()
        white = torch.randn(count, *self.correlation.shape, generator=random)
        return torch.fft.ifft2(torch.fft.fft2(white) * power.sqrt()).real[:, :height, :width]


def fit_residuals(inpainter: Inpainter, patches: Tensor, masks: Tensor, valid: Tensor | None = None) -> HoleResiduals:
    r"""Learn the residuals of a way to inpaint from patches whose truth is known.

    With :math:`r = y - \hat y` in the hole and d the distance from its rim,

    .. math:: \sigma(d)^2 = \operatorname{mean} r^2, \qquad
        \rho(l) = \frac{\sum_n \sum_x e_n(x)\, e_n(x + l)}{\sum_n \sum_x e_n(x)^2}, \quad e = h \, r / \sigma(d)

    over the hidden pixels inside the field of view. A Hann window h over the hole leads the residuals to zero at its rim: where
    they end at once, the edge would fill the high frequencies, and samples would be rougher than residuals are. The transform of
    :math:`\rho`, a sum of squares, is nowhere negative, as that of a correlation has to be.

    Args:
        inpainter: any, `NetworkInpainter` for a U-Net.
        patches: (N, 1, H, W), of people that the inpainter was not trained on: of those that it was, residuals are too small.
        masks: the same shape, bool, holes of one size.
        valid: the same shape, bool, true inside the field of view; None takes all.

    Raises:
        ValueError: when no hidden pixel lies inside the field of view.

    Example:
        An inpainter that is off by 0.5 everywhere: all of the hole errs alike.

        >>> from monai_cardiac_gan.inferers.masks import square_mask
        >>> masks = square_mask(5, shape=(16, 16)).expand(2, 1, 16, 16)
        >>> found = fit_residuals(lambda patches, masks, valid: patches + 0.5, torch.zeros(2, 1, 16, 16), masks)
        >>> found.side, found.stds.tolist(), round(float(found.correlation[0, 1]), 3)
        (5.0, [0.5, 0.5, 0.5], 0.833)

    Source: Welch 1967, "The use of fast Fourier transform for the estimation of power spectra" (mean of tapered periodograms);
    fields by circulant embedding, Wood and Chan 1994, "Simulation of stationary Gaussian processes in [0, 1]^d".
    """
    valid = torch.ones_like(masks) if valid is None else valid
    counted = (masks & valid)[:, 0].cpu()
    if not bool(counted.any()):
        raise ValueError(
            "no hidden pixel lies inside the field of view: expected some to learn residuals from; give others."
        )
    parts = zip(*(each.split(PATCHES_AT_ONCE) for each in (patches, masks, valid)), strict=True)
    residuals = (patches - torch.cat([inpainter(*part) for part in parts]))[:, 0].cpu().double()
    distances = torch.stack([_rim_distances(mask) for mask in masks[:, 0]])
    stds = _stds_by_distance(residuals, distances, counted)
    return HoleResiduals(
        side=float(masks.flatten(1).sum(1).double().sqrt().mean()),
        stds=stds.float(),
        correlation=_correlation(residuals / stds[(distances - 1).clamp(min=0)].clamp(min=SMALLEST_STD), counted),
    )


class ResidualGaussianSampler:
    """A way to inpaint plus Gaussian residuals: spread by the distance from the rim, correlated as residuals are.

    White residuals would be a weaker opponent: they make samples that no image looks like, and a worse energy score.

    Args:
        inpainter: paints the middle of the distribution.
        residuals: of holes of several sizes, see `fit_residuals`; each hole takes those of the nearest size. None: call
            `fitted` first.

    Example:
        >>> alike = torch.ones(2, 4)
        >>> known = HoleResiduals(side=1.0, stds=torch.tensor([0.1]), correlation=alike)
        >>> sampler = ResidualGaussianSampler(lambda patches, masks, valid: patches, [known])
        >>> sampler(torch.zeros(1, 1, 1, 2), torch.tensor([[[[True, False]]]]), count=2000, seed=0).std(1).round(decimals=2)
        tensor([[[[0.1000, 0.0000]]]])
    """

    def __init__(self, inpainter: Inpainter, residuals: Sequence[HoleResiduals] | None = None) -> None:
        self.inpainter, self.residuals = inpainter, residuals

    def fitted(self, patches: Tensor, masks: Tensor, valid: Tensor | None = None) -> ResidualGaussianSampler:
        """One that learnt the residuals of these holes; for holes of several sizes give `fit_residuals` of each to a new one.

        Args:
            patches: (N, 1, H, W), see `fit_residuals`, as the others.
            masks: the same shape, bool.
            valid: the same shape, bool.
        """
        return ResidualGaussianSampler(self.inpainter, [fit_residuals(self.inpainter, patches, masks, valid)])

    def __call__(self, patches: Tensor, masks: Tensor, valid: Tensor | None = None, *, count: int, seed: int) -> Tensor:
        """See `Sampler`.

        Raises:
            ValueError: when count is below 1, or no residuals were learnt.
        """
        check_count(count)
        if not self.residuals:
            raise ValueError(
                "no residuals were learnt: expected those of one size of hole at least; call fitted before."
            )
        random = torch.Generator().manual_seed(seed)
        painted = self.inpainter(patches, masks, valid)
        fields = torch.stack([self._residuals(mask[0].cpu(), count, random) for mask in masks]).to(painted)
        samples = (painted[:, None] + fields[:, :, None]).clamp(-1, 1)
        return torch.where(masks[:, None], samples, patches[:, None])

    def _residuals(self, mask: Tensor, count: int, random: torch.Generator) -> Tensor:
        side = float(mask.sum()) ** 0.5
        known = min(self.residuals or (), key=lambda each: abs(each.side - side))
        return known.std(mask) * known.fields(count, random)


def _rim_distances(mask: Tensor) -> Tensor:
    """(H, W) pixels to the nearest one outside the hole, by the chessboard distance; 0 outside."""
    return torch.from_numpy(ndimage.distance_transform_cdt(mask.cpu().numpy(), "chessboard").astype(np.int64))


def _stds_by_distance(residuals: Tensor, distances: Tensor, counted: Tensor) -> Tensor:
    """(D,) root mean squares; at a distance that holds no pixel inside the field of view that of all together."""
    depths = int(distances.max())
    squares = torch.bincount(distances[counted], residuals[counted].square(), depths + 1)[1:]
    pixels = torch.bincount(distances[counted], minlength=depths + 1)[1:]
    overall = residuals[counted].square().mean()
    return torch.where(pixels > 0, squares / pixels.clamp(min=1), overall).sqrt()


def _correlation(standardised: Tensor, counted: Tensor) -> Tensor:
    shape = [2 * side for side in standardised.shape[1:]]  # no lag inside a patch reaches around the torus
    products = standardised.new_zeros(shape)
    for field, where in zip(standardised, counted, strict=True):
        if bool(where.any()):
            products += torch.fft.fft2(field * where * _taper(where), shape).abs().square()
    correlation = torch.fft.ifft2(products).real
    scale = correlation[0, 0]
    return (correlation / scale if scale > 0 else torch.ones_like(correlation)).float()


def _taper(where: Tensor) -> Tensor:
    """(H, W) a Hann window over the bounding box of what counts, 0 outside."""
    window = torch.ones(where.shape, dtype=torch.float64)
    for axis, side in enumerate(where.shape):
        inside = where.any(1 - axis).nonzero()
        first, length = int(inside.min()), int(inside.max() - inside.min()) + 1
        along = torch.zeros(side, dtype=torch.float64)
        along[first : first + length] = torch.hann_window(length + 2, periodic=False, dtype=torch.float64)[1:-1]
        window = window * (along[:, None] if axis == 0 else along)
    return window
