"""Inpainting by a generator that is conditioned on the masked patch: an answer costs one pass, and nothing is searched."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from monai.inferers import Inferer
from torch import Tensor, nn

from monai_cardiac_gan.inferers.blending import Blending, Paste
from monai_cardiac_gan.inferers.inpainted_patch import PatchOrigin
from monai_cardiac_gan.inferers.inpainting_result import InpaintingResult
from monai_cardiac_gan.inferers.latent_inpainting import LatentInpaintingInferer
from monai_cardiac_gan.inferers.masks import checked_masks, checked_patches, square_mask
from monai_cardiac_gan.inferers.traces import InitialImages, LossTraces, StopReason
from monai_cardiac_gan.losses.contextual import masked_l1
from monai_cardiac_gan.networks.frozen import frozen

__all__ = ["AmortisedInferer"]

CHUNK = 16
"""Images decoded at once: more are no faster for each on a CPU, and take more memory."""
NOISE_SEED_STEP = 1_000_003
"""Between the seeds of the latents and of each image's noise; a prime, so that neighbouring seeds of an inferer share none."""
FROM_MEAN = "distance from the mean"
"""Name of the only term of the answers' loss."""


class AmortisedInferer(Inferer):
    r"""Draw expected anatomies for the masks of patches, each from a latent of its own.

    All patches get the same latents and the same pixel noise, so that an answer neither depends on the other patches of its
    batch nor jumps from one slice of a vessel to the next; each answer has a latent and noise of its own. What is *expected* is
    none of the answers, but the generator's typical image (``decode_typical``), which they lie around. There is no loss that an
    answer was searched for; instead of it stands

    .. math:: \ell_s = \frac{1}{K} \sum_{p \in M} \lvert x_s(p) - \bar x(p) \rvert,

    its distance from the mean of all answers behind the mask.

    Args:
        latent_size: numbers in a latent.
        starts: answers to each patch, S.
        blending: how the generated pixels are put behind the mask, `Paste` by default.
        seed: of the latents and of the pixel noise.

    Raises:
        ValueError: when there are no answers.

    Example:
        A generator that paints its only latent everywhere:

        >>> class Flat(nn.Module):
        ...     def encode(self, patches, masks):
        ...         return [patches]
        ...
        ...     def draw_noise(self, seeds):
        ...         return []
        ...
        ...     def decode(self, seen, latents, noise):
        ...         return latents[:, :, None, None].expand_as(seen[0])
        ...
        ...     def decode_typical(self, seen, noise):
        ...         return torch.zeros_like(seen[0])
        >>> result = AmortisedInferer(latent_size=1, starts=3).search(torch.zeros(1, 1, 2, 2), torch.eye(2) > 0, Flat())
        >>> result.inpainted.shape, bool((result.inpainted[0, :, 0, 0, 0] == result.latents[0, :, 0]).all())
        (torch.Size([1, 3, 1, 2, 2]), True)
    """

    def __init__(
        self, latent_size: int = 100, starts: int = 1, blending: Blending | None = None, seed: int = 0
    ) -> None:
        super().__init__()
        if starts < 1:
            raise ValueError(f"starts is {starts}: expected at least 1, the number of answers to each patch.")
        self.latent_size, self.starts, self.seed = latent_size, starts, seed
        self.blending: Blending = Paste() if blending is None else blending

    def __call__(  # type: ignore[override, unused-ignore]
        self,
        inputs: Tensor,
        network: nn.Module,
        masks: Tensor | None = None,
        valid: Tensor | None = None,
        *args: Any,
        **kwargs: Any,
    ) -> Tensor:
        """The patches (N, 1, H, W) with what is expected behind their masks; see `search`."""
        return self.search(inputs, masks, network, valid).best_inpainted().to(inputs.device)

    def search(
        self, patches: Tensor, masks: Tensor | None, generator: nn.Module, valid: Tensor | None = None
    ) -> InpaintingResult:
        """Draw S answers to each patch.

        Args:
            patches: (N, 1, H, W), -1 to 1.
            masks: (N, 1, H, W), (1, 1, H, W) or (H, W) bool, true where pixels are to be painted; without it the
                publication's square of 25 x 25 pixels in the middle.
            generator: a `ComodulatedGenerator` or its like, on the patches' device.
            valid: (N, 1, H, W) bool, true inside the field of view.

        Raises:
            ValueError: when the masks do not fit the patches, the patches are not (N, 1, H, W), not finite or beyond -1 to 1, a
                mask hides nothing or everything, or the generator is not conditioned on patches.
        """
        began = time.perf_counter()
        _check_conditional(generator)
        origins = tuple(PatchOrigin.of(patch) for patch in patches)
        patches = checked_patches(patches)
        masks = square_mask(shape=patches.shape[2:]) if masks is None else masks
        masks = checked_masks(masks.as_subclass(Tensor).to(patches.device), patches.shape).expand_as(patches)
        valid = LatentInpaintingInferer.checked_valid(valid, patches)
        random = torch.Generator().manual_seed(self.seed)  # row by row, so that more answers are added to fewer
        latents = torch.cat([torch.randn(1, self.latent_size, generator=random) for _ in range(self.starts)])
        generated = self.answers(generator, patches, masks, latents)
        typical = self.blending(self.typical(generator, patches, masks), patches, masks)
        painted = torch.stack([self.blending(images, patches, masks) for images in generated.unbind(1)], 1)
        losses = torch.stack([masked_l1(each, painted.mean(1), masks) for each in painted.unbind(1)], 1).cpu()
        return InpaintingResult(
            patches=patches.cpu(),
            masks=masks.cpu(),
            valid=torch.ones_like(masks).cpu() if valid is None else valid.cpu(),
            latents=latents.expand(len(patches), -1, -1),
            generated=generated.cpu(),
            inpainted=painted.cpu(),
            typical=typical.cpu(),
            losses=losses,
            traces=LossTraces({FROM_MEAN: losses[None]}, losses[None]),
            initial_images=_drawn(generated.cpu(), patches.cpu(), masks.cpu()),
            snapshots=_frames(generated.cpu()),
            snapshot_iterations=torch.arange(1, self.starts + 1),
            evaluations=torch.zeros(losses.shape, dtype=torch.long),
            stops=((StopReason.NOT_SEARCHED,) * self.starts,) * len(patches),
            origins=origins,
            seed=self.seed,
            seconds=time.perf_counter() - began,
        )

    def answers(self, generator: Any, patches: Tensor, masks: Tensor, latents: Tensor) -> Tensor:
        """The generator's images (N, S, 1, H, W) of patches (N, 1, H, W) and latents (S, L); no known pixel is put back.

        Modes and flags of the network are as before afterwards.
        """
        count = len(latents)
        rows = torch.arange(len(patches), device=patches.device).repeat_interleave(count)
        answers = torch.arange(count, device=patches.device).repeat(len(patches))
        latents, images = latents.to(patches.device), []
        with _ready(generator, patches):
            seen = _encoded(generator, patches, masks)
            noise = self._noise(generator, range(1, count + 1))
            for part, own in zip(rows.split(CHUNK), answers.split(CHUNK), strict=True):
                features = [each[part] for each in seen]
                images.append(generator.decode(features, latents[own], [each[own] for each in noise]))
        return torch.cat(images).unflatten(0, (len(patches), count))

    def typical(
        self,
        generator: Any,
        patches: Tensor,
        masks: Tensor,
        change: Callable[[list[Tensor]], list[Tensor]] | None = None,
    ) -> Tensor:
        """The generator's typical images (N, 1, H, W), as `answers` else.

        Args:
            generator: see `search`.
            patches: see `search`.
            masks: (N, 1, H, W) bool.
            change: makes other features of what the encoder saw of all patches.
        """
        with _ready(generator, patches):
            seen = _encoded(generator, patches, masks)
            parts = zip(*(each.split(CHUNK) for each in (seen if change is None else change(seen))), strict=True)
            noise = self._noise(generator, [0])
            return torch.cat([generator.decode_typical(list(part), noise) for part in parts])

    def _noise(self, generator: Any, numbers: Iterable[int]) -> list[Tensor]:
        """Noise of images by their numbers, 0 for the typical one; none of them is drawn from the seed of the latents."""
        noise: list[Tensor] = generator.draw_noise([self.seed + (number + 1) * NOISE_SEED_STEP for number in numbers])
        return noise


@contextmanager
def _ready(generator: Any, patches: Tensor) -> Iterator[None]:
    """The generator as it paints; the caller's random numbers stay."""
    devices = [patches.device] if patches.is_cuda else []
    with frozen(generator, evaluate=True), torch.no_grad(), torch.random.fork_rng(devices):
        generator.to(memory_format=torch.channels_last)
        yield


def _encoded(generator: Any, patches: Tensor, masks: Tensor) -> list[Tensor]:
    """What the encoder sees of all patches, a few at a time."""
    parts = zip(patches.split(CHUNK), masks.split(CHUNK), strict=True)
    seen = [generator.encode(part, own) for part, own in parts]
    return [torch.cat(features) for features in zip(*seen, strict=True)]


def _check_conditional(generator: nn.Module) -> None:
    if not all(hasattr(generator, name) for name in ("encode", "draw_noise", "decode", "decode_typical")):
        raise ValueError(
            f"the generator is a {type(generator).__name__}: expected one that is conditioned on masked patches, such as "
            "ComodulatedGenerator; for others search their latents (search_preset 'lbfgs')."
        )


def _drawn(generated: Tensor, patches: Tensor, masks: Tensor) -> InitialImages:
    """The answers as what was tried, those that agree best with the patch outside the mask first."""
    losses = torch.stack([masked_l1(each, patches, ~masks) for each in generated.unbind(1)], 1)
    order = losses.argsort(1)
    chosen = torch.take_along_dim(generated, order[:, :, None, None, None], 1)
    return InitialImages(generated, losses, chosen, losses.take_along_dim(order, 1), order, generated.shape[1])


def _frames(generated: Tensor) -> Tensor:
    """(S, N, H, W) uint8, the answers one after another."""
    return ((generated[:, :, 0].transpose(0, 1).clamp(-1, 1) + 1) * 127.5).round().to(torch.uint8)
