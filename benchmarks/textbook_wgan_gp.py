"""The training loop of the paper as it is usually written, to compare with."""

from __future__ import annotations

from contextlib import AbstractContextManager

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

PENALTY_WEIGHT = 10.0
"""Gulrajani et al. 2017, algorithm 1."""


class TextbookWganGp:
    """Gulrajani et al. 2017, algorithm 1, line by line: no layout, no compilation, nothing is frozen.

    Reals, fakes and the points between go through the critic one after the other. The penalty is differentiated twice by
    autograd, and in the generator's step the gradients of the critic's weights are computed although nobody uses them.

    Args:
        generator: maps latents (N, latent_size) to images (N, 1, 128, 128).
        critic: maps images to scores (N,).
        generator_optimizer: Adam in the paper.
        critic_optimizer: see above.
        random: where all numbers are drawn; on the device of the networks.
        latent_size: numbers in a latent vector.
        autocast: type of all forward passes but that of the penalty, None for that of the weights.
    """

    def __init__(
        self,
        generator: nn.Module,
        critic: nn.Module,
        generator_optimizer: Optimizer,
        critic_optimizer: Optimizer,
        random: torch.Generator,
        latent_size: int = 100,
        autocast: torch.dtype | None = None,
    ) -> None:
        self.generator, self.critic = generator.train(), critic.train()
        self.generator_optimizer, self.critic_optimizer = generator_optimizer, critic_optimizer
        self.random, self.latent_size, self.autocast = random, latent_size, autocast

    def critic_step(self, reals: Tensor) -> float:
        """Update the critic once (lines 4 to 9); the loss."""
        latents = self._latents(len(reals))
        with torch.no_grad(), self._precision():
            fakes = self.generator(latents)
        fakes = fakes.to(reals.dtype)
        epsilon = torch.rand(len(reals), 1, 1, 1, generator=self.random, device=self.random.device)
        between = (epsilon * reals + (1 - epsilon) * fakes).requires_grad_()
        self.critic_optimizer.zero_grad()
        with self._precision():
            real_scores = self.critic(reals)
            fake_scores = self.critic(fakes)
        scores = self.critic(between)
        (slopes,) = torch.autograd.grad(scores, between, torch.ones_like(scores), create_graph=True, retain_graph=True)
        penalty = PENALTY_WEIGHT * ((slopes.flatten(1).norm(2, dim=1) - 1) ** 2).mean()
        loss = fake_scores.to(reals.dtype).mean() - real_scores.to(reals.dtype).mean() + penalty
        loss.backward()
        self.critic_optimizer.step()
        return loss.item()

    def generator_step(self, count: int) -> float:
        """Update the generator once (lines 11 and 12); the loss."""
        latents = self._latents(count)
        self.generator_optimizer.zero_grad()
        with self._precision():
            scores = self.critic(self.generator(latents))
        loss = -scores.to(latents.dtype).mean()
        loss.backward()
        self.generator_optimizer.step()
        return loss.item()

    def _latents(self, count: int) -> Tensor:
        return torch.randn(count, self.latent_size, generator=self.random, device=self.random.device)

    def _precision(self) -> AbstractContextManager[None]:
        return torch.autocast(self.random.device.type, self.autocast, enabled=self.autocast is not None)
