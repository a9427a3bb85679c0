"""The loss of an inpainting search: named terms, each with its weight."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol, runtime_checkable

import torch
from torch import Tensor, nn

from monai_cardiac_gan.losses.contextual_terms import MaskedL1
from monai_cardiac_gan.losses.critic_terms import CriticScore

__all__ = ["PERCEPTUAL_WEIGHT", "InpaintingLoss", "InpaintingTerm", "NetworkTerm", "contextual_plus_perceptual_loss"]

PERCEPTUAL_WEIGHT = 1e-3
"""Default weight of the critic. The contextual term has slope 1 / sqrt(15759) = 0.008 in the space of images, a critic
trained with gradient penalty has slope 1: at this weight the perceptual term is an eighth of the contextual one."""


@runtime_checkable
class InpaintingTerm(Protocol):
    """One term of an inpainting loss."""

    def __call__(self, images: Tensor, latents: Tensor, targets: Tensor, mask: Tensor) -> Tensor:
        """The term of each sample.

        Args:
            images: (N, C, H, W) generated.
            latents: (N, L) that they were generated from.
            targets: (N, C, H, W) the patches; behind the mask a proposal, or zeros.
            mask: (N, 1, H, W) bool, true where the patch is hidden.

        Returns:
            (N,), at least 0 for a distance; each sample on its own.
        """
        ...


@runtime_checkable
class NetworkTerm(InpaintingTerm, Protocol):
    """A term that asks networks, which score whole images and are frozen during a search."""

    def networks(self) -> list[nn.Module]:
        """Those networks."""
        ...


class InpaintingLoss:
    r"""Sum of weighted terms, :math:`L(z) = \sum_i w_i \, \ell_i(G(z), z, y, M)`, for each sample on its own.

    Args:
        terms: name -> term: `MaskedL1`, `MaskedL2`, `DistanceWeightedL1`, `MaskedGradients`, `ProposalL1`, `CriticScore`,
            `CriticFeatures`, `LatentNormPrior`.
        weights: name -> weight; terms that are not named have the weight 1.

    Raises:
        ValueError: when there is no term, a weight belongs to none, or is negative.

    Example:
        >>> import torch
        >>> from monai_cardiac_gan.losses import LatentNormPrior, MaskedL1
        >>> loss = InpaintingLoss({"contextual": MaskedL1(), "prior": LatentNormPrior()}, {"prior": 0.1})
        >>> image, mask = torch.ones(1, 1, 2, 2), torch.zeros(1, 1, 2, 2, dtype=torch.bool)
        >>> parts = loss(image, torch.full((1, 4), 2.0), torch.zeros(1, 1, 2, 2), mask)
        >>> {name: part.item() for name, part in parts.items()}, round(loss.total(parts).item(), 3)
        ({'contextual': 1.0, 'prior': 1.0}, 1.1)
    """

    def __init__(self, terms: Mapping[str, InpaintingTerm], weights: Mapping[str, float] | None = None) -> None:
        weights = {} if weights is None else dict(weights)
        unknown = [name for name in weights if name not in terms]
        negative = [name for name, weight in weights.items() if not weight >= 0]
        if not terms or unknown or negative:
            raise ValueError(
                f"terms {list(terms)}, weights {weights}: expected at least one term and, for some of them, weights of at "
                "least 0; give the weights the names of the terms."
            )
        self.terms = dict(terms)
        self.weights = {name: float(weights.get(name, 1.0)) for name in terms}

    def __call__(self, images: Tensor, latents: Tensor, targets: Tensor, mask: Tensor) -> dict[str, Tensor]:
        """Each term without its weight, (N,)."""
        return {name: term(images, latents, targets, mask) for name, term in self.terms.items()}

    def networks(self) -> list[nn.Module]:
        """The networks of the terms, each once."""
        terms = [term for term in self.terms.values() if isinstance(term, NetworkTerm)]
        return list(dict.fromkeys(network for term in terms for network in term.networks()))

    def has(self, kind: type) -> bool:
        """Whether a term is of this class."""
        return any(isinstance(term, kind) for term in self.terms.values())

    def without_networks(self) -> InpaintingLoss:
        """The terms that ask no network, with their weights.

        Raises:
            ValueError: when there are none.
        """
        terms = {name: term for name, term in self.terms.items() if not isinstance(term, NetworkTerm)}
        return InpaintingLoss(terms, {name: self.weights[name] for name in terms})

    def total(self, parts: Mapping[str, Tensor]) -> Tensor:
        """(N,) their weighted sum."""
        return torch.stack([self.weights[name] * parts[name] for name in self.terms]).sum(0)


def contextual_plus_perceptual_loss(critic: nn.Module, perceptual_weight: float = PERCEPTUAL_WEIGHT) -> InpaintingLoss:
    r"""The paper's loss: :math:`\frac{1}{K} \lVert M \circ (G(z) - y) \rVert_1 - \lambda D(G(z))`.

    Args:
        critic: maps images to scores (N,).
        perceptual_weight: :math:`\lambda`; the publication's is K times larger, see `masked_l1`.
    """
    terms: dict[str, InpaintingTerm] = {"contextual": MaskedL1(), "perceptual": CriticScore(critic)}
    return InpaintingLoss(terms, {"perceptual": perceptual_weight})
