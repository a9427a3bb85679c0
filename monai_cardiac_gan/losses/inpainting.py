"""The loss of an inpainting search: named terms, each with its weight."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch import Tensor, nn

from monai_cardiac_gan.losses.contextual_terms import MaskedL1
from monai_cardiac_gan.losses.critic_terms import CriticScore

__all__ = ["PERCEPTUAL_WEIGHT", "InpaintingLoss", "published_loss"]

Term = Callable[[Tensor, Tensor, Tensor, Tensor], Tensor]
PERCEPTUAL_WEIGHT = 1e-3
"""Default weight of the critic. The contextual term has slope 1 / sqrt(15759) = 0.008 in the space of images, a critic
trained with gradient penalty has slope 1: at this weight the perceptual term is an eighth of the contextual one."""


class InpaintingLoss:
    r"""Sum of weighted terms, :math:`L(z) = \sum_i w_i \, \ell_i(G(z), z, y, M)`, for each sample on its own.

    Args:
        terms: name -> term, called as ``(images, latents, targets, known)``, which gives one value per sample (N,):
            `MaskedL1`, `MaskedL2`, `NearHoleL1`, `MaskedGradients`, `GuessedL1`, `CriticScore`, `CriticFeatures`, `LatentShell`.
        weights: name -> weight; terms that are not named have the weight 1.

    Raises:
        ValueError: when there is no term, a weight belongs to none, or is negative.

    Example:
        >>> import torch
        >>> from monai_cardiac_gan.losses import LatentShell, MaskedL1
        >>> loss = InpaintingLoss({"contextual": MaskedL1(), "prior": LatentShell()}, {"prior": 0.1})
        >>> image, known = torch.ones(1, 1, 2, 2), torch.ones(1, 1, 2, 2, dtype=torch.bool)
        >>> parts = loss(image, torch.full((1, 4), 2.0), torch.zeros(1, 1, 2, 2), known)
        >>> {name: part.item() for name, part in parts.items()}, round(loss.total(parts).item(), 3)
        ({'contextual': 1.0, 'prior': 1.0}, 1.1)
    """

    def __init__(self, terms: Mapping[str, Term], weights: Mapping[str, float] | None = None) -> None:
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

    def __call__(self, images: Tensor, latents: Tensor, targets: Tensor, known: Tensor) -> dict[str, Tensor]:
        """Each term without its weight, (N,)."""
        return {name: term(images, latents, targets, known) for name, term in self.terms.items()}

    def networks(self) -> list[nn.Module]:
        """The critics of the terms, each once."""
        found = [getattr(term, "critic", None) for term in self.terms.values()]
        return list(dict.fromkeys(critic for critic in found if isinstance(critic, nn.Module)))

    def has(self, kind: type) -> bool:
        """Whether a term is of this class."""
        return any(isinstance(term, kind) for term in self.terms.values())

    def without_critics(self) -> InpaintingLoss:
        """The terms that need no critic, with their weights.

        Raises:
            ValueError: when there are none.
        """
        terms = {name: term for name, term in self.terms.items() if not hasattr(term, "critic")}
        return InpaintingLoss(terms, {name: self.weights[name] for name in terms})

    def total(self, parts: Mapping[str, Tensor]) -> Tensor:
        """(N,) their weighted sum."""
        return torch.stack([self.weights[name] * parts[name] for name in self.terms]).sum(0)


def published_loss(critic: nn.Module, perceptual_weight: float = PERCEPTUAL_WEIGHT) -> InpaintingLoss:
    r"""The publication's loss, :math:`\frac{1}{K} \lVert M \circ (G(z) - y) \rVert_1 - \lambda D(G(z))`.

    Args:
        critic: maps images to scores (N,).
        perceptual_weight: :math:`\lambda`; the publication's is K times larger, see `masked_l1`.
    """
    terms: dict[str, Term] = {"contextual": MaskedL1(), "perceptual": CriticScore(critic)}
    return InpaintingLoss(terms, {"perceptual": perceptual_weight})
