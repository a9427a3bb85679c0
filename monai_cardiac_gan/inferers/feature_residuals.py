"""How far acquired images lie from expected ones in the features of a network, measured by how far drawn answers do."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import torch
from torch import Tensor, nn

from monai_cardiac_gan.networks.frozen import frozen

__all__ = ["FeatureMaps", "feature_residuals"]

STAGE = 2
"""Of the network's outputs: (N, 96, 16, 16), a place for 8 x 8 pixels, so that a rim that is a pixel off is no difference."""
FLOOR = 0.25
"""Share of a channel's mean variance below which no place is expected to be surer."""
LEAST = 1e-6
LEAST_HIDDEN = 0.5
"""Share of a place's pixels that must be hidden for it to count."""


class FeatureMaps(Protocol):
    """A network that describes images place by place, such as `PatchFeatures`."""

    def feature_maps(self, images: Tensor) -> list[Tensor]:
        """(N, 1, H, W) in [-1, 1] to the output of each stage, (N, C, h, w)."""
        ...


@torch.no_grad()
def feature_residuals(
    acquired: Tensor, expected: Tensor, answers: Tensor, mask: Tensor, network: FeatureMaps
) -> tuple[Tensor, Tensor]:
    r"""The residual of features :math:`\phi`, place by place,

    .. math:: r = \sqrt{\frac{1}{C} \sum_c \frac{(\phi_c(y) - \phi_c(\hat y))^2}{v_c + \bar v_c / 4}}, \quad
        v_c = \frac{1}{S} \sum_s (\phi_c(a_s) - \phi_c(\hat y))^2

    with the acquired image y, the expected one :math:`\hat y`, the answers :math:`a_s` and their mean :math:`\bar v_c` over the
    hole.

    Args:
        acquired: (K, 1, H, W), -1 to 1.
        expected: the same.
        answers: (S, K, 1, H, W), with the known pixels of the acquired images outside the hole.
        mask: (H, W) bool, true where pixels are hidden.
        network: gives the features; on the CPU, and in evaluation mode meanwhile.

    Returns:
        Mean over the hole, (K,), and the map (K, H, W), 0 outside it.

    Raises:
        ValueError: when shapes differ.

    Example:
        Where acquired images differ from the expected ones as answers do, and from place to place alike:

        >>> class Pixels:
        ...     def feature_maps(self, images):
        ...         return [images] * 3
        >>> answers = torch.tensor([-0.2, 0.2])[:, None, None, None, None].expand(2, 1, 1, 8, 8)
        >>> acquired, expected = torch.full((1, 1, 8, 8), 0.2), torch.zeros(1, 1, 8, 8)
        >>> feature_residuals(acquired, expected, answers, torch.ones(8, 8, dtype=torch.bool), Pixels())[0].round(decimals=2)
        tensor([0.8900])

    Source: distances of features, channel by channel, are those of Zhang et al. 2018, "The unreasonable effectiveness of deep
    features as a perceptual metric"; their division by the spread of answers is ours.
    """
    if not acquired.shape == expected.shape == answers.shape[1:] or mask.shape != acquired.shape[2:]:
        raise ValueError(
            f"acquired {tuple(acquired.shape)}, expected {tuple(expected.shape)}, answers {tuple(answers.shape)}, mask "
            f"{tuple(mask.shape)}: expected (K, 1, H, W) twice, (S, K, 1, H, W) and (H, W)."
        )
    describe = _describer(network)
    wanted = describe(expected)
    spread = torch.stack([(describe(each) - wanted).square() for each in answers]).mean(0)
    share = nn.functional.adaptive_avg_pool2d(mask[None, None].float(), (wanted.shape[2], wanted.shape[3]))
    hidden = (share >= LEAST_HIDDEN).float()
    usual = (spread * hidden).sum((2, 3), keepdim=True) / hidden.sum()
    residual = ((describe(acquired) - wanted).square() / (spread + FLOOR * usual + LEAST)).mean(1, keepdim=True).sqrt()
    means = (residual * hidden).sum((1, 2, 3)) / hidden.sum()
    full = nn.functional.interpolate(residual * hidden, mask.shape, mode="bilinear", align_corners=False)
    return means, full[:, 0] * mask


def _describer(network: FeatureMaps) -> Callable[[Tensor], Tensor]:
    def describe(images: Tensor) -> Tensor:
        if not isinstance(network, nn.Module):
            return network.feature_maps(images)[STAGE]
        with frozen(network, evaluate=True):
            found: Tensor = network.feature_maps(images)[STAGE]
            return found

    return describe
