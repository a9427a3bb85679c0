"""Where latent searches begin."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

import torch
from torch import Tensor, nn

from monai_cardiac_gan.inferers.latent_bank import LatentBank
from monai_cardiac_gan.inferers.traces import InitialImages
from monai_cardiac_gan.losses.contextual import masked_l1

__all__ = ["EncoderBankInitializer", "LatentInitializer", "RandomInitializer"]


@runtime_checkable
class LatentInitializer(Protocol):
    """Finds initial latents for masked patches."""

    @property
    def count(self) -> int:
        """How many latents are tried for each patch."""
        ...

    def networks(self) -> list[nn.Module]:
        """Its networks, which are frozen during a search."""
        ...

    def __call__(
        self, patches: Tensor, context: Tensor, generator: nn.Module, starts: int
    ) -> tuple[Tensor, InitialImages]:
        """Find initial latents.

        Args:
            patches: (N, 1, H, W).
            context: (N, 1, H, W) bool, true where pixels are inside the field of view and not hidden.
            generator: latents to images.
            starts: S, how many are wanted.

        Returns:
            Latents (N, S, L), best first, and their images.
        """
        ...


class RandomInitializer:
    """The latents of lowest contextual loss among random ones, which all patches share.

    Args:
        latent_size: length of a latent.
        batches: batches of latents that are tried; the publication uses 20.
        batch_size: latents in each; the publication uses 49.
        seed: of the latents.

    Raises:
        ValueError: when a count is below 1.
    """

    def __init__(self, latent_size: int = 100, batches: int = 20, batch_size: int = 49, seed: int = 0) -> None:
        for name, value in (("latent_size", latent_size), ("start_batches", batches), ("start_batch_size", batch_size)):
            if value < 1:
                raise ValueError(f"{name} is {value}: expected at least 1.")
        self.latent_size, self.batches, self.batch_size, self.seed = latent_size, batches, batch_size, seed

    @property
    def count(self) -> int:
        """How many latents are tried for each patch."""
        return self.batches * self.batch_size

    def networks(self) -> list[nn.Module]:
        """None."""
        return []

    @torch.no_grad()
    def __call__(
        self, patches: Tensor, context: Tensor, generator: nn.Module, starts: int
    ) -> tuple[Tensor, InitialImages]:
        """See `LatentInitializer`; batch by batch, so that memory does not grow with their number."""
        source = torch.Generator().manual_seed(self.seed)
        tried: list[Tensor] = []
        losses: list[Tensor] = []
        for _ in range(self.batches):
            latents = torch.randn(self.batch_size, self.latent_size, generator=source).to(patches)
            images = checked_images(generator(latents), len(latents), patches)
            if not tried:
                first = images
            tried.append(latents)
            pairs = zip(patches[:, None], context[:, None], strict=True)
            losses.append(torch.stack([masked_l1(images, patch, where) for patch, where in pairs]))
        best, indices = _lowest(torch.cat(losses, 1), starts)
        chosen = torch.cat(tried)[indices]
        images = generator(chosen.flatten(0, 1)).unflatten(0, indices.shape)
        return chosen, _initial_images(first.expand(1, *first.shape), losses[0], images, best, indices, self.count)


class EncoderBankInitializer:
    """The best of an encoder's latent and of those latents in a bank whose images are nearest.

    All are compared by the contextual loss at full resolution, so that a bad one costs time and nothing else.

    Args:
        bank: images of many latents, to be searched.
        encoder: maps patches and masks to latents, see `LatentEncoder`; None goes without.
        nearest: how many of the bank are tried for each patch.

    Raises:
        ValueError: when fewer than 1 or more than the bank holds are to be tried.
    """

    def __init__(self, bank: LatentBank, encoder: nn.Module | None = None, nearest: int = 4) -> None:
        if not 1 <= nearest <= bank.count:
            raise ValueError(f"nearest is {nearest}: expected 1 to {bank.count}, as many as the bank holds.")
        self.bank, self.encoder, self.nearest = bank, encoder, nearest

    @property
    def count(self) -> int:
        """How many latents are tried for each patch at full resolution."""
        return self.nearest + (self.encoder is not None)

    def networks(self) -> list[nn.Module]:
        """The encoder, if there is one."""
        return [] if self.encoder is None else [self.encoder]

    @torch.no_grad()
    def __call__(
        self, patches: Tensor, context: Tensor, generator: nn.Module, starts: int
    ) -> tuple[Tensor, InitialImages]:
        """See `LatentInitializer`."""
        latents = self.bank.nearest(patches, context, self.nearest)
        if self.encoder is not None:
            latents = torch.cat([self.encoder(patches, ~context)[:, None], latents], 1)
        shape = latents.shape[:2]
        images = checked_images(generator(latents.flatten(0, 1)), shape.numel(), patches).unflatten(0, shape)
        triples = zip(images, patches, context, strict=True)
        losses = torch.stack([masked_l1(own, patch[None], where[None]) for own, patch, where in triples])
        best, indices = _lowest(losses, starts)
        rows = torch.arange(len(patches), device=indices.device)[:, None]
        chosen = images[rows, indices]
        return latents[rows, indices], _initial_images(images, losses, chosen, best, indices, self.count)


def checked_images(images: Tensor, count: int, patches: Tensor) -> Tensor:
    """The generator's images, if they are as many and as large as they should be.

    Raises:
        ValueError: when they are not.
    """
    if images.shape != (count, *patches.shape[1:]):
        raise ValueError(
            f"the generator makes images {tuple(images.shape)} of {count} latents: expected "
            f"{(count, *patches.shape[1:])}, the shape of the patches."
        )
    return images


def _lowest(losses: Tensor, count: int) -> tuple[Tensor, Tensor]:
    if not bool(torch.isfinite(losses).all()):
        raise ValueError("the generator gives NaN or infinity for some starts: check the weights that were loaded.")
    found = losses.topk(count, dim=1, largest=False)
    return found.values, found.indices


def _initial_images(
    tried: Tensor, losses: Tensor, chosen: Tensor, best: Tensor, indices: Tensor, count: int
) -> InitialImages:
    return InitialImages(
        tried=tried.cpu(),
        tried_losses=losses.cpu(),
        chosen=chosen.cpu(),
        chosen_losses=best.cpu(),
        chosen_indices=indices.cpu(),
        count=count,
    )
