"""Events of an adversarial training, beside Ignite's and MONAI's."""

from __future__ import annotations

from ignite.engine import EventEnum

__all__ = ["AdversarialEvents"]


class AdversarialEvents(EventEnum):
    """Fired right after the weights of one of the two players have changed."""

    CRITIC_UPDATED = "critic_updated"
    """Each iteration."""
    GENERATOR_UPDATED = "generator_updated"
    """Each ``n_critic``-th iteration: averages of the generator's weights follow it."""
