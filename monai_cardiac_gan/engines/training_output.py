"""Names of the numbers that a training step puts out."""

from __future__ import annotations

__all__ = ["TrainingOutput"]


class TrainingOutput:
    """Names of the numbers in ``state.output`` after each iteration."""

    LOSS = "loss"
    """Loss of the critic, penalty included."""
    WASSERSTEIN = "wasserstein"
    """Mean score of the reals less that of the fakes: the estimate of the distance."""
    PENALTY = "penalty"
    """Weighted penalty, as it was when last computed."""
    GRADIENT_NORM = "gradient_norm"
    """Mean norm of the critic's input gradient where it was penalised last; one-centred training brings it near 1."""
    GENERATOR_LOSS = "generator_loss"
    """Loss of the generator's latest update; before the first, the loss it would have on the critic's fakes."""

    ALL = (LOSS, WASSERSTEIN, PENALTY, GRADIENT_NORM, GENERATOR_LOSS)
