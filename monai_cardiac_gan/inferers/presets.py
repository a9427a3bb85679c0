"""The two searches: as published, and the fast one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch import Tensor, nn

from monai_cardiac_gan.inferers.coarse_to_fine import CoarseToFine
from monai_cardiac_gan.inferers.descent import Descent
from monai_cardiac_gan.inferers.gradient_descent import GradientDescent
from monai_cardiac_gan.inferers.guess import EncodedGuess, Guess, PaintedGuess
from monai_cardiac_gan.inferers.latent_bank import LatentBank
from monai_cardiac_gan.inferers.latent_inpainting import LatentInpaintingInferer
from monai_cardiac_gan.inferers.latent_metric import metric_inverse
from monai_cardiac_gan.inferers.lbfgs import LBFGSDescent
from monai_cardiac_gan.inferers.starts import GuessedStarts, RandomStarts
from monai_cardiac_gan.losses.contextual_terms import GuessedL1, MaskedL1
from monai_cardiac_gan.losses.critic_terms import CriticScore
from monai_cardiac_gan.losses.inpainting import PERCEPTUAL_WEIGHT, InpaintingLoss, Term, published_loss
from monai_cardiac_gan.losses.latent_shell import LatentShell

__all__ = ["PRESETS", "fast_search", "inpainting_search", "paper_search"]

PRIOR_WEIGHT = 0.03
"""Weight of the latents' distance from their shell. On 16 training patches it brought their mean norm from 17.4 to 10.8, for a
published loss of 0.107 instead of 0.106 (`benchmarks/descents.py`)."""
GUESS_WEIGHT = 0.05
"""Weight of the distance from the guess inside the hole, see `benchmarks/descents.py`."""
COARSE_EVALUATIONS, EVALUATIONS = 80, 60
"""Gradients that the fast search may take at the smaller size and at the full one; it usually stops before."""
COARSE_SIZE = 64
"""Side of the smaller images: the shipped generator paints them almost as the full ones are, at a part of the cost."""


def paper_search(
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
        iterations: steps of the descent.
        step_size: see `GradientDescent`.
        optimiser: see `GradientDescent`.
        perceptual_weight: :math:`\lambda`, see `published_loss`.
        seed: of the starts.
        options: other arguments of `LatentInpaintingInferer`, such as ``starts``.
    """
    return LatentInpaintingInferer(
        loss=published_loss(critic, perceptual_weight),
        start_finder=RandomStarts(latent_size, start_batches, start_batch_size, seed),
        descent=GradientDescent(iterations, step_size, optimiser),
        seed=seed,
        **options,
    )


def fast_search(
    critic: nn.Module,
    bank: LatentBank,
    encoder: nn.Module | None = None,
    filling: nn.Module | None = None,
    nearest: int = 4,
    coarse_evaluations: int = COARSE_EVALUATIONS,
    evaluations: int = EVALUATIONS,
    coarse_size: int | None = COARSE_SIZE,
    perceptual_weight: float = PERCEPTUAL_WEIGHT,
    prior_weight: float = PRIOR_WEIGHT,
    guess_weight: float = GUESS_WEIGHT,
    seed: int = 0,
    **options: Any,
) -> LatentInpaintingInferer:
    """The published loss with priors, from better starts by better steps: an encoder and a bank, then preconditioned L-BFGS.

    Args:
        critic: see `paper_search`.
        bank: of the generator, filled.
        encoder: of the generator, trained; None goes without.
        filling: paints the guess of the hole, see `FillingUNet`; None takes the image of the encoder's guess.
        nearest: starts taken from the bank.
        coarse_evaluations: gradients that each descent may take at the smaller size.
        evaluations: the same at the full size, with the critic.
        coarse_size: the smaller size; None begins at the full one, for generators that paint no other.
        perceptual_weight: see `paper_search`.
        prior_weight: of `LatentShell`, which keeps latents where the generator was trained.
        guess_weight: of `GuessedL1`, which keeps the hole near the guess; without filling and encoder there is none.
        seed: noted in the result; nothing is drawn.
        options: other arguments of `LatentInpaintingInferer`, such as ``starts``.
    """
    terms: dict[str, Term] = {"contextual": MaskedL1(), "perceptual": CriticScore(critic), "prior": LatentShell()}
    weights = {"perceptual": perceptual_weight, "prior": prior_weight}
    guess = _guess(encoder, filling)
    if guess is not None:
        terms["guess"] = GuessedL1()
        weights["guess"] = guess_weight

    def preconditioner() -> Tensor:  # when a search begins: weights are often loaded after the search was built
        return metric_inverse(bank.metric)

    descent: Descent = LBFGSDescent(evaluations, preconditioner)
    if coarse_size is not None:
        descent = CoarseToFine(LBFGSDescent(coarse_evaluations, preconditioner), descent, coarse_size)
    return LatentInpaintingInferer(
        loss=InpaintingLoss(terms, weights),
        start_finder=GuessedStarts(bank, encoder, nearest),
        guess=guess,
        descent=descent,
        seed=seed,
        **({"channels_last": True} | options),
    )


def _guess(encoder: nn.Module | None, filling: nn.Module | None) -> Guess | None:
    if filling is not None:
        return PaintedGuess(filling)
    return None if encoder is None else EncodedGuess(encoder)


PRESETS: dict[str, Callable[..., LatentInpaintingInferer]] = {"paper": paper_search, "fast": fast_search}


def inpainting_search(preset: str, **options: Any) -> LatentInpaintingInferer:
    """A search by the name of its preset.

    Args:
        preset: ``"paper"`` or ``"fast"``.
        options: arguments of `paper_search` or `fast_search`.

    Raises:
        ValueError: when there is no such preset.
    """
    if preset not in PRESETS:
        raise ValueError(f"the preset is '{preset}': expected one of {', '.join(PRESETS)}.")
    return PRESETS[preset](**options)
