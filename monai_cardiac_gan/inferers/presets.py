"""The two searches: as published, and the fast one."""

from __future__ import annotations

from typing import Any

from torch import nn

from monai_cardiac_gan.inferers.gradient_descent import GradientDescent
from monai_cardiac_gan.inferers.latent_bank import LatentBank
from monai_cardiac_gan.inferers.latent_inpainting import LatentInpaintingInferer
from monai_cardiac_gan.inferers.latent_metric import metric_inverse
from monai_cardiac_gan.inferers.lbfgs import LBFGSDescent
from monai_cardiac_gan.inferers.starts import GuessedStarts, RandomStarts
from monai_cardiac_gan.losses.inpainting import PERCEPTUAL_WEIGHT, published_loss

__all__ = ["PRESETS", "fast_search", "inpainting_search", "paper_search"]

EVALUATIONS = 100
"""Gradients that the fast search may take; it usually stops before."""


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
    nearest: int = 4,
    evaluations: int = EVALUATIONS,
    perceptual_weight: float = PERCEPTUAL_WEIGHT,
    seed: int = 0,
    **options: Any,
) -> LatentInpaintingInferer:
    """The same loss from better starts by better steps: an encoder and a bank, then preconditioned L-BFGS.

    Args:
        critic: see `paper_search`.
        bank: of the generator, filled.
        encoder: of the generator, trained; None goes without.
        nearest: starts taken from the bank.
        evaluations: gradients that each descent may take at most.
        perceptual_weight: see `paper_search`.
        seed: noted in the result; nothing is drawn.
        options: other arguments of `LatentInpaintingInferer`, such as ``starts``.
    """
    return LatentInpaintingInferer(
        loss=published_loss(critic, perceptual_weight),
        start_finder=GuessedStarts(bank, encoder, nearest),
        descent=LBFGSDescent(evaluations, metric_inverse(bank.metric)),
        seed=seed,
        **({"channels_last": True} | options),
    )


PRESETS = {"paper": paper_search, "fast": fast_search}


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
