"""Zero-centred gradient penalties, R1 and R2 (Mescheder et al. 2018, section 4.1)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from monai_cardiac_gan.losses.gradient_penalty import differentiable_input_gradient

__all__ = ["ZeroCentredPenalty"]

REALS, FAKES, BOTH = "reals", "fakes", "both"


class ZeroCentredPenalty(nn.Module):
    r"""Penalise the critic's slope at the reals (R1), at the fakes (R2), or at both.

    .. math:: \frac{\gamma}{2} \left(\frac{1}{N} \sum_n \lVert \nabla D(x_n) \rVert_2^2
        + \frac{1}{N} \sum_n \lVert \nabla D(\tilde x_n) \rVert_2^2\right)

    It serves losses that saturate (hinge, relativistic); R3GAN takes both terms (Huang et al. 2024, section 2.2). It costs
    nothing to apply it only every few updates with a larger weight: the trainer's ``penalty_every``.

    Args:
        weight: :math:`\gamma`, at least 0. It belongs to the number of pixels: StyleGAN2 uses
            :math:`0.0002 \cdot \text{pixels} / \text{batch}` (Karras et al. 2020, configurations "auto" of ADA).
        at: ``"reals"``, ``"fakes"`` or ``"both"``.

    Raises:
        ValueError: when the weight is negative or the place is unknown.

    Example:
        A critic that sums four pixels has slope 2 everywhere: 1 / 2 * (2 ** 2 + 2 ** 2) = 4.

        >>> reals, fakes = torch.zeros(3, 1, 2, 2), torch.ones(3, 1, 2, 2)
        >>> ZeroCentredPenalty(1.0, "both")(lambda images: images.flatten(1).sum(1), reals, fakes)[0]
        tensor(4.)
    """

    def __init__(self, weight: float = 1.0, at: str = BOTH) -> None:
        super().__init__()
        if not weight >= 0:
            raise ValueError(f"weight is {weight}, expected 0 or more: a negative one would reward steep critics.")
        if at not in (REALS, FAKES, BOTH):
            raise ValueError(
                f"at is {at!r}, expected '{REALS}', '{FAKES}' or '{BOTH}': choose where slopes are penalised."
            )
        self.weight, self.at = weight, at

    def forward(
        self,
        critic: nn.Module,
        reals: Tensor,
        fakes: Tensor,
        generator: torch.Generator | None = None,
        epsilon: Tensor | None = None,
    ) -> tuple[Tensor, Tensor]:
        """
        Args:
            critic: maps images (N, C, H, W) to one score per image (N,); must not mix samples.
            reals: training images (N, C, H, W).
            fakes: generated images; no gradient flows into them.
            generator: not used, for nothing is random here.
            epsilon: not used.

        Returns:
            The weighted penalty, a scalar that can be differentiated with respect to the critic's parameters, and the
            norm of each gradient, detached: (N,) or, for both, (2N,) with the reals first.
        """
        places = {REALS: [reals], FAKES: [fakes], BOTH: [reals, fakes]}[self.at]
        slopes = differentiable_input_gradient(critic, torch.cat(places).detach()).flatten(1).square().sum(1)
        means = [part.mean() for part in slopes.split([len(images) for images in places])]
        return 0.5 * self.weight * torch.stack(means).sum(), slopes.detach().sqrt()
