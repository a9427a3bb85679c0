"""Training of a Wasserstein GAN with gradient penalty (Gulrajani et al. 2017, algorithm 1)."""

from __future__ import annotations

from typing import Any

from monai_cardiac_gan.engines.generative_adversarial_trainer import GenerativeAdversarialTrainer
from monai_cardiac_gan.losses import GradientPenalty, WassersteinLoss

__all__ = ["WganGpTrainer"]


class WganGpTrainer(GenerativeAdversarialTrainer):
    r"""Train a generator against a critic as the paper does.

    The critic's loss is (algorithm 1, line 7)

    .. math:: L = \frac{1}{N} \sum_n D(\tilde x_n) - D(x_n) +
        \lambda \left(\lVert \nabla_{\hat x_n} D(\hat x_n) \rVert_2 - 1\right)^2

    and the generator's :math:`-\frac{1}{N} \sum_n D(\tilde x_n)`.

    Args:
        penalty_weight: :math:`\lambda`; 10 in the paper.
        n_critic: updates of the critic for each of the generator; 5 in the paper.
        arguments: those of `GenerativeAdversarialTrainer`, but ``loss`` and ``gradient_penalty``.

    Raises:
        ValueError: when the weight is negative, and see `GenerativeAdversarialTrainer`.

    Example:
        Five iterations update the critic five times and the generator once:

        >>> import torch
        >>> from torch import nn
        >>> generator = nn.Sequential(nn.Linear(100, 64), nn.Unflatten(1, (1, 8, 8)))
        >>> critic = nn.Sequential(nn.Flatten(), nn.Linear(64, 1), nn.Flatten(0))
        >>> trainer = WganGpTrainer(
        ...     device="cpu",
        ...     max_epochs=1,
        ...     train_data_loader=[torch.rand(4, 1, 8, 8)] * 5,
        ...     generator=generator,
        ...     critic=critic,
        ...     generator_optimizer=torch.optim.Adam(generator.parameters(), 1e-4, (0.0, 0.9)),
        ...     critic_optimizer=torch.optim.Adam(critic.parameters(), 1e-4, (0.0, 0.9)),
        ... )
        >>> trainer.run()
        >>> trainer.critic_updates, trainer.generator_updates
        (5, 1)
    """

    def __init__(self, *, penalty_weight: float = 10.0, n_critic: int = 5, **arguments: Any) -> None:
        penalty = GradientPenalty(penalty_weight)
        super().__init__(loss=WassersteinLoss(), gradient_penalty=penalty, n_critic=n_critic, **arguments)
