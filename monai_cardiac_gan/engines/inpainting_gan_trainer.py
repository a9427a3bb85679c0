"""Training of a generator that is conditioned on masked patches (Zhao et al. 2021), with a score of its samples' spread."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from monai_cardiac_gan.engines.generative_adversarial_trainer import GenerativeAdversarialTrainer
from monai_cardiac_gan.engines.prepare_images import masked, prepare_images
from monai_cardiac_gan.losses import pyramid_crps

__all__ = ["InpaintingGanTrainer"]

SAMPLES = 2
"""Answers to each patch in one update of the generator: the fewest that have a spread."""
SCORE = "score"
"""Name in ``state.output`` of the score that the latest patches had."""


class InpaintingGanTrainer(GenerativeAdversarialTrainer):
    r"""Train a generator to fill holes with what may have been there, against a critic that knows where the holes are.

    Each real image gets a hole. The generator paints it from what is known and a latent, known pixels stay, and the critic
    scores pairs of patch and hole: reals as they are, fakes as painted. The generator's loss is

    .. math:: L_G = w_a L_a(x_1) + w_s \, \mathrm{CRPS}(x_1, x_2; y)

    of two answers :math:`x_1, x_2` to one patch :math:`y` from two latents: the adversarial loss of the first, and
    `pyramid_crps` over the hidden pixels. The score takes the place of the L1 distance of other inpainting networks, which is
    least for the median and lets all latents give one answer; it rewards a spread as large as the error.

    Args:
        holes: called with the number of patches, their H and W, and a generator; gives masks (N, 1, H, W) bool, such as
            `RandomHoles`.
        generator: maps latents (N, latent_size), patches (N, 1, H, W) and masks to patches, such as `ComodulatedGenerator`;
            has ``encode`` and ``decode``.
        critic: maps pairs (N, 2, H, W) to one score each; channel 1 is 1 where a pixel is hidden, else 0.
        adversarial_weight: :math:`w_a`; at 0 the critic rests, and the score alone teaches.
        score_weight: :math:`w_s`.
        arguments: of `GenerativeAdversarialTrainer`. Augmentation has to treat both channels alike, so give one that moves or
            cuts and changes no brightness, or none.

    Raises:
        ValueError: when a weight is negative, both are 0, or the images have more than one channel.
    """

    def __init__(
        self,
        *,
        holes: Callable[[int, tuple[int, ...], torch.Generator], Tensor],
        adversarial_weight: float = 1.0,
        score_weight: float = 1.0,
        **arguments: Any,
    ) -> None:
        if not (min(adversarial_weight, score_weight) >= 0 and adversarial_weight + score_weight > 0):
            raise ValueError(
                f"adversarial_weight is {adversarial_weight} and score_weight {score_weight}: expected 0 or more each, and not "
                "both 0."
            )
        arguments["prepare_batch"] = self._pairs
        super().__init__(**arguments)
        self.holes = holes
        self.adversarial_weight, self.score_weight = adversarial_weight, score_weight

    def _pairs(self, batch: Any, device: torch.device, non_blocking: bool = False, **to_kwargs: Any) -> Tensor:
        """Images with a hole each, (N, 2, H, W)."""
        images = prepare_images(batch, device, non_blocking, **to_kwargs)
        if images.shape[1] != 1:
            raise ValueError(f"images are {list(images.shape)}, expected (N, 1, H, W): give patches of one channel.")
        count = len(images) * self.processes.count
        holes = self.processes.part(self.holes(count, tuple(images.shape[2:]), self.random))
        return torch.cat([images, holes.to(images)], 1)

    def _update_critic(self, reals: Tensor, valid: Tensor | None = None) -> None:
        if self.adversarial_weight > 0:
            super()._update_critic(reals, valid)
        else:
            self.state.output = {}

    def _host_settings(self) -> tuple[Any, ...]:
        return (*super()._host_settings(), self.adversarial_weight, self.score_weight)

    def _paint(self, latents: Tensor, reals: Tensor, valid: Tensor | None) -> Tensor:
        return self._answers([latents], reals, valid)[0]

    def _generator_latents(self, count: int) -> Tensor:
        return torch.cat([self.draw_latents(count) for _ in range(SAMPLES)], 1)

    def _answers(self, latents: list[Tensor], reals: Tensor, valid: Tensor | None) -> list[Tensor]:
        """Pairs with the hole painted, one for each set of latents."""
        patches, holes = reals[:, :1], reals[:, 1:]
        hidden = holes > 0
        generator: Any = self.generator
        seen = generator.encode(patches, hidden)
        painted = [torch.where(hidden, generator.decode(seen, each), patches) for each in latents]
        return [torch.cat([masked(image, valid), holes], 1) for image in painted]

    def _generator_backward(
        self,
        latents: Tensor,
        uniforms: Tensor,
        reals: Tensor,
        seen_reals: Tensor | None,
        valid: Tensor | None,
        count: int,
    ) -> Tensor:
        with self.execution.precision(latents.device):
            answers = self._answers(list(latents.chunk(SAMPLES, 1)), reals, valid)
            hidden = reals[:, 1:] > 0
            counted = (
                hidden | ~hidden.flatten(1).any(1)[:, None, None, None]
            )  # known pixels have no error, nothing has no mean
            score = pyramid_crps([answer[:, :1].float() for answer in answers], reals[:, :1], counted).mean()
            loss = self.score_weight * score
            if self.adversarial_weight > 0:
                loss = loss + self.adversarial_weight * self._adversarial_loss(answers[0], uniforms, seen_reals)
        share = len(latents) / count
        (loss * share).backward()
        self._latest[SCORE] = score.detach()
        return (loss * share).detach()
