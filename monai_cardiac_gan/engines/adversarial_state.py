"""What an adversarial training tells its handlers: events, and numbers by name."""

from __future__ import annotations

from ignite.engine import EventEnum

__all__ = ["AdversarialEvents", "TrainingOutput"]


class AdversarialEvents(EventEnum):
    """Fired right after the weights of generator or critic have changed."""

    CRITIC_UPDATED = "critic_updated"
    """Each iteration."""
    GENERATOR_UPDATED = "generator_updated"
    """Each ``n_critic``-th iteration: averages of the generator's weights follow it."""


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
