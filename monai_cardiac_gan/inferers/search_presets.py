"""The presets: gradient descent as published, L-BFGS from better starts, and no search at all."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from monai_cardiac_gan.inferers.amortised import AmortisedInferer
from monai_cardiac_gan.inferers.batched_lbfgs import BatchedLBFGS
from monai_cardiac_gan.inferers.coarse_to_fine import CoarseToFine
from monai_cardiac_gan.inferers.gradient_descent import GradientDescent
from monai_cardiac_gan.inferers.latent_bank import LatentBank
from monai_cardiac_gan.inferers.latent_initializers import EncoderBankInitializer, RandomInitializer
from monai_cardiac_gan.inferers.latent_inpainting import LatentInpaintingInferer
from monai_cardiac_gan.inferers.latent_metric import metric_inverse
from monai_cardiac_gan.inferers.latent_optimizer import LatentOptimizer
from monai_cardiac_gan.inferers.proposals import EncoderProposal, Proposal, UNetProposal
from monai_cardiac_gan.losses.contextual_terms import MaskedL1, ProposalL1
from monai_cardiac_gan.losses.critic_terms import CriticScore
from monai_cardiac_gan.losses.inpainting_loss import (
    PERCEPTUAL_WEIGHT,
    InpaintingLoss,
    InpaintingTerm,
    contextual_plus_perceptual_loss,
)
from monai_cardiac_gan.losses.latent_norm_prior import LatentNormPrior

__all__ = ["PRESETS", "gradient_descent_search", "inpainting_search", "lbfgs_search", "preset_for_weights"]

logger = logging.getLogger(__name__)

AMORTISED, GRADIENT_DESCENT, LBFGS = "amortised", "gradient_descent", "lbfgs"
"""Names of the presets."""
SHIPPED_GAN, SHIPPED_AMORTISED = ("model.pt", "critic.pt", "bank.pt", "encoder.pt"), "amortised.pt"
"""Files of weights that ship."""

PRIOR_WEIGHT = 0.03
"""Weight of the latents' norm prior. On 16 training patches it brought their mean norm from 17.4 to 10.8, for a
published loss of 0.107 instead of 0.106 (`benchmarks/latent_optimizers.py`)."""
PROPOSAL_WEIGHT = 0.05
"""Weight of the distance from the proposal behind the mask, see `benchmarks/latent_optimizers.py`."""
COARSE_EVALUATIONS, EVALUATIONS = 80, 60
"""Gradients that the L-BFGS search may take at the smaller size and at the full one; it usually stops before."""
COARSE_SIZE = 64
"""Side of the smaller images: the shipped generator paints them almost as the full ones are, at a part of the cost."""


class BankPreconditioner:
    """The inverse of a bank's metric, asked for when a search begins: weights are often loaded after the search was built.

    Args:
        bank: of the generator.
    """

    def __init__(self, bank: LatentBank) -> None:
        self.bank = bank

    def __call__(self) -> Tensor:
        """(L, L), see `metric_inverse`."""
        return metric_inverse(self.bank.metric)


def gradient_descent_search(
    critic: nn.Module,
    latent_size: int = 100,
    start_batches: int = 20,
    start_batch_size: int = 49,
    iterations: int = 8000,
    step_size: float | None = None,
    optimiser: str = "sgd",
    perceptual_weight: float = PERCEPTUAL_WEIGHT,
    seed: int = 0,
    **options: Any,
) -> LatentInpaintingInferer:
    r"""The publication's search: the best of 20 x 49 random starts, 8000 steps of plain gradient descent.

    Args:
        critic: maps images (N, 1, H, W) to one score per image (N,), higher for more real; must not mix samples.
        latent_size: length of a latent.
        start_batches: batches of latents that are tried as starts.
        start_batch_size: latents in each.
        iterations: steps.
        step_size: see `GradientDescent`.
        optimiser: see `GradientDescent`.
        perceptual_weight: :math:`\lambda`, see `contextual_plus_perceptual_loss`.
        seed: of the starts.
        options: other arguments of `LatentInpaintingInferer`, such as ``starts``.
    """
    return LatentInpaintingInferer(
        loss=contextual_plus_perceptual_loss(critic, perceptual_weight),
        initializer=RandomInitializer(latent_size, start_batches, start_batch_size, seed),
        optimizer=GradientDescent(iterations, step_size, optimiser),
        seed=seed,
        **options,
    )


def lbfgs_search(
    critic: nn.Module,
    bank: LatentBank,
    encoder: nn.Module | None = None,
    inpainting_unet: nn.Module | None = None,
    nearest: int = 4,
    coarse_evaluations: int = COARSE_EVALUATIONS,
    evaluations: int = EVALUATIONS,
    coarse_size: int | None = COARSE_SIZE,
    perceptual_weight: float = PERCEPTUAL_WEIGHT,
    prior_weight: float = PRIOR_WEIGHT,
    proposal_weight: float = PROPOSAL_WEIGHT,
    seed: int = 0,
    **options: Any,
) -> LatentInpaintingInferer:
    """The published loss with priors, from better starts by better steps: an encoder and a bank, then preconditioned L-BFGS.

    Args:
        critic: see `gradient_descent_search`.
        bank: of the generator, filled.
        encoder: of the generator, trained; None goes without.
        inpainting_unet: proposes what lies behind the mask, see `InpaintingUNet`; None takes the image of the encoder's latent.
        nearest: starts taken from the bank.
        coarse_evaluations: gradients that each search may take at the smaller size.
        evaluations: the same at the full size, with the critic.
        coarse_size: the smaller size; None begins at the full one, for generators that paint no other.
        perceptual_weight: see `gradient_descent_search`.
        prior_weight: of `LatentNormPrior`, which keeps latents where the generator was trained.
        proposal_weight: of `ProposalL1`, which keeps what is painted near the proposal; without U-Net and encoder there is none.
        seed: noted in the result; nothing is drawn.
        options: other arguments of `LatentInpaintingInferer`, such as ``starts``.
    """
    terms: dict[str, InpaintingTerm] = {
        "contextual": MaskedL1(),
        "perceptual": CriticScore(critic),
        "prior": LatentNormPrior(),
    }
    weights = {"perceptual": perceptual_weight, "prior": prior_weight}
    proposal = _proposal(encoder, inpainting_unet)
    if proposal is not None:
        terms["proposal"] = ProposalL1()
        weights["proposal"] = proposal_weight

    preconditioner = BankPreconditioner(bank)
    optimizer: LatentOptimizer = BatchedLBFGS(evaluations, preconditioner)
    if coarse_size is not None:
        optimizer = CoarseToFine(BatchedLBFGS(coarse_evaluations, preconditioner), optimizer, coarse_size)
    return LatentInpaintingInferer(
        loss=InpaintingLoss(terms, weights),
        initializer=EncoderBankInitializer(bank, encoder, nearest),
        proposal=proposal,
        optimizer=optimizer,
        seed=seed,
        **({"channels_last": True} | options),
    )


def _proposal(encoder: nn.Module | None, inpainting_unet: nn.Module | None) -> Proposal | None:
    if inpainting_unet is not None:
        return UNetProposal(inpainting_unet)
    return None if encoder is None else EncoderProposal(encoder)


PRESETS: dict[str, Callable[..., LatentInpaintingInferer | AmortisedInferer]] = {
    AMORTISED: AmortisedInferer,
    GRADIENT_DESCENT: gradient_descent_search,
    LBFGS: lbfgs_search,
}


def inpainting_search(search_preset: str, **options: Any) -> LatentInpaintingInferer | AmortisedInferer:
    """A search by the name of its preset.

    Args:
        search_preset: ``"gradient_descent"`` (as published), ``"lbfgs"``, or ``"amortised"``, which searches nothing.
        options: arguments of `gradient_descent_search`, `lbfgs_search` or `AmortisedInferer`.

    Raises:
        ValueError: when there is no such preset.
    """
    if search_preset not in PRESETS:
        raise ValueError(f"search_preset is '{search_preset}': expected one of {', '.join(PRESETS)}.")
    return PRESETS[search_preset](**options)


def preset_for_weights(gan_paths: Sequence[str | None], amortised_path: str, shipped: str) -> str:
    """The preset that asks the weights that a user named: an own GAN is searched, not left aside for the shipped generator.

    Args:
        gan_paths: files of a GAN's generator and of what its search needs; None where there is none.
        amortised_path: file of a generator that is conditioned on masked patches.
        shipped: folder of the weights that ship.

    Returns:
        ``"lbfgs"`` where a file of the GAN is not the shipped one and the conditioned generator is, else ``"amortised"``, with a
        warning where both are a user's own and lie in two folders.

    Example:
        >>> preset_for_weights(["models/model.pt", "models/critic.pt"], "models/amortised.pt", "models")
        'amortised'
        >>> preset_for_weights(["own/model.pt", "own/critic.pt"], "models/amortised.pt", "models")
        'lbfgs'
    """
    folder = Path(shipped).resolve()
    known = {folder / name for name in SHIPPED_GAN}
    own = [path for path in gan_paths if path is not None and Path(path).resolve() not in known]
    conditioned = Path(amortised_path).resolve()
    if conditioned == folder / SHIPPED_AMORTISED:
        preset = LBFGS if own else AMORTISED
    else:
        preset = AMORTISED
        apart = [path for path in own if Path(path).resolve().parent != conditioned.parent]
        if apart:
            logger.warning(
                "%s answers, and %s are not asked: give --search_preset %s to search a GAN's latents.",
                amortised_path, ", ".join(apart), LBFGS,
            )  # fmt: skip
    logger.info(
        "search_preset: %s, by the weights; GAN %s, conditioned generator %s", preset, own or shipped, amortised_path
    )
    return preset
