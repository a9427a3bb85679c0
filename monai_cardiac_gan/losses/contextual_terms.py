"""Terms of the inpainting loss that compare an image with its target outside the mask, or with a proposal behind it."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from monai_cardiac_gan.losses.contextual import masked_l1

__all__ = ["DistanceWeightedL1", "MaskedGradients", "MaskedL1", "MaskedL2", "ProposalL1"]

NEIGHBOURHOOD = 7
"""Side of the window in which hidden pixels are counted (Yeh et al. 2017, section 3.2)."""


class MaskedL1:
    """Mean absolute difference outside the mask, see `masked_l1`; the publication's contextual term."""

    def __call__(self, images: Tensor, latents: Tensor, targets: Tensor, mask: Tensor) -> Tensor:
        """See `InpaintingTerm`."""
        return masked_l1(images, targets, ~mask)


class MaskedL2:
    r"""Mean squared difference outside the mask, :math:`\frac{1}{K} \lVert M \circ (x - y) \rVert_2^2`.

    Example:
        >>> image, mask = torch.tensor([[[[0.5, 1.0], [0.0, 9.0]]]]), torch.tensor([[[[False, False], [False, True]]]])
        >>> MaskedL2()(image, None, torch.zeros(1, 1, 2, 2), mask)
        tensor([0.4167])
    """

    def __call__(self, images: Tensor, latents: Tensor, targets: Tensor, mask: Tensor) -> Tensor:
        """See `InpaintingTerm`."""
        return weighted_mean((images - targets) ** 2, ~mask)


class DistanceWeightedL1:
    r"""Mean absolute difference with a weight that falls with the distance to the mask (Yeh et al. 2017, equations 3 and 4).

    .. math:: W_i = M_i \sum_{j \in N(i)} \frac{1 - M_j}{|N(i)|}, \quad
        \ell = \frac{1}{\sum_i W_i} \lVert W \circ (x - y) \rVert_1

    with :math:`N(i)` the window around pixel i: known pixels beside the mask count, those further away do not. The
    publication sums where this takes the weighted mean.

    Args:
        neighbourhood: side of the window, pixels, odd.

    Raises:
        ValueError: when the side is even or below 3.

    Example:
        Beside a mask of one pixel each of the eight neighbours weighs the same, and what lies further off nothing:

        >>> mask = torch.zeros(1, 1, 5, 5, dtype=torch.bool)
        >>> mask[..., 2, 2] = True
        >>> images = torch.zeros(1, 1, 5, 5)
        >>> images[..., 1, 1], images[..., 0, 0] = 0.8, 9.0
        >>> DistanceWeightedL1(3)(images, None, torch.zeros(1, 1, 5, 5), mask)
        tensor([0.1000])
    """

    def __init__(self, neighbourhood: int = NEIGHBOURHOOD) -> None:
        if neighbourhood < 3 or neighbourhood % 2 == 0:
            raise ValueError(
                f"the neighbourhood is {neighbourhood} pixels wide: expected an odd number of at least 3, which has a middle."
            )
        self.neighbourhood = neighbourhood

    def __call__(self, images: Tensor, latents: Tensor, targets: Tensor, mask: Tensor) -> Tensor:
        """See `InpaintingTerm`."""
        return weighted_mean((images - targets).abs(), self.weights(mask, images.dtype))

    def weights(self, mask: Tensor, dtype: torch.dtype = torch.float32) -> Tensor:
        """(N, 1, H, W) share of hidden pixels around each known pixel; beyond the patch's border nothing is hidden."""
        share = F.avg_pool2d(mask.to(dtype), self.neighbourhood, stride=1, padding=self.neighbourhood // 2)
        return share * ~mask


class ProposalL1:
    r"""Mean absolute difference over the hidden pixels, to a proposal of what they are.

    .. math:: \ell = \frac{1}{P - K} \lVert (1 - M) \circ (x - g) \rVert_1

    What is known says little about what is hidden: many latents fit it as well. This term chooses among them. The proposal g
    lies where the target is hidden; `LatentInpaintingInferer` puts it there, so that the truth never reaches a search.

    Example:
        >>> target, mask = torch.tensor([[[[0.0, 0.0, 0.4]]]]), torch.tensor([[[[False, False, True]]]])
        >>> ProposalL1()(torch.tensor([[[[9.0, 9.0, 0.5]]]]), None, target, mask)
        tensor([0.1000])
    """

    def __call__(self, images: Tensor, latents: Tensor, targets: Tensor, mask: Tensor) -> Tensor:
        """See `InpaintingTerm`."""
        return masked_l1(images, targets, mask)


class MaskedGradients:
    r"""Mean absolute difference of the slopes between neighbouring known pixels: edges count more than brightness.

    .. math:: \ell = \frac{1}{2} \sum_{d \in \{\downarrow, \rightarrow\}} \frac{1}{K_d}
        \lVert M_d \circ (\partial_d x - \partial_d y) \rVert_1

    with :math:`\partial_d` the difference of neighbours and :math:`M_d` one where both are known.

    Example:
        A brighter image with the same edges costs nothing:

        >>> target, mask = torch.rand(1, 1, 4, 4), torch.zeros(1, 1, 4, 4, dtype=torch.bool)
        >>> bool(MaskedGradients()(target + 0.5, None, target, mask) < 1e-6)
        True
    """

    def __call__(self, images: Tensor, latents: Tensor, targets: Tensor, mask: Tensor) -> Tensor:
        """See `InpaintingTerm`."""
        difference, known = images - targets, ~mask
        parts = []
        for axis in (2, 3):
            count = known.shape[axis] - 1
            both = known.narrow(axis, 0, count) & known.narrow(axis, 1, count)
            parts.append(weighted_mean(difference.diff(dim=axis).abs(), both))
        return (parts[0] + parts[1]) / 2


def weighted_mean(values: Tensor, weights: Tensor) -> Tensor:
    """(N,) weighted mean of each sample's values (N, C, H, W); weights (N, 1, H, W) or (1, 1, H, W)."""
    weights = weights.to(values.dtype).expand_as(values)
    return (values * weights).flatten(1).sum(1) / weights.flatten(1).sum(1)
