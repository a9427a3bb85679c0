"""Where descents begin."""

from __future__ import annotations

from typing import Protocol

import torch
from torch import Tensor, nn

from monai_cardiac_gan.inferers.latent_bank import LatentBank
from monai_cardiac_gan.inferers.result import StartImages
from monai_cardiac_gan.losses.contextual import masked_l1

__all__ = ["GuessedStarts", "RandomStarts", "StartFinder"]


class StartFinder(Protocol):
    """Finds start latents for patches with holes."""

    @property
    def candidates(self) -> int:
        """How many latents are tried for each patch."""
        ...

    def __call__(self, patches: Tensor, known: Tensor, generator: nn.Module, count: int) -> tuple[Tensor, StartImages]:
        """Start latents (N, count, L), best first, and their images; patches and known pixels are (N, 1, H, W)."""
        ...


class RandomStarts:
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
    def candidates(self) -> int:
        """How many latents are tried for each patch."""
        return self.batches * self.batch_size

    @torch.no_grad()
    def __call__(self, patches: Tensor, known: Tensor, generator: nn.Module, count: int) -> tuple[Tensor, StartImages]:
        """See `StartFinder`; batch by batch, so that memory does not grow with their number."""
        source = torch.Generator().manual_seed(self.seed)
        tried: list[Tensor] = []
        losses: list[Tensor] = []
        for _ in range(self.batches):
            latents = torch.randn(self.batch_size, self.latent_size, generator=source).to(patches)
            images = checked_images(generator(latents), len(latents), patches)
            if not tried:
                first = images
            tried.append(latents)
            pairs = zip(patches[:, None], known[:, None], strict=True)
            losses.append(torch.stack([masked_l1(images, patch, mask) for patch, mask in pairs]))
        best, places = _lowest(torch.cat(losses, 1), count)
        chosen = torch.cat(tried)[places]
        images = generator(chosen.flatten(0, 1)).unflatten(0, places.shape)
        shown = first.expand(1, *first.shape)
        return chosen, _start_images(shown, losses[0], images, best, places, self.candidates)


class GuessedStarts:
    """The best of an encoder's guess and of the nearest images in a bank.

    All are compared by the contextual loss at full resolution, so that a bad guess costs time and nothing else.

    Args:
        bank: images of many latents, to be searched.
        encoder: maps patches and holes to latents, see `LatentEncoder`; None goes without.
        nearest: how many of the bank are tried for each patch.

    Raises:
        ValueError: when fewer than 1 or more than the bank holds are to be tried.
    """

    def __init__(self, bank: LatentBank, encoder: nn.Module | None = None, nearest: int = 4) -> None:
        if not 1 <= nearest <= bank.count:
            raise ValueError(f"nearest is {nearest}: expected 1 to {bank.count}, as many as the bank holds.")
        self.bank, self.encoder, self.nearest = bank, encoder, nearest

    @property
    def candidates(self) -> int:
        """How many latents are tried for each patch at full resolution."""
        return self.nearest + (self.encoder is not None)

    @torch.no_grad()
    def __call__(self, patches: Tensor, known: Tensor, generator: nn.Module, count: int) -> tuple[Tensor, StartImages]:
        """See `StartFinder`."""
        latents = self.bank.nearest(patches, known, self.nearest)
        if self.encoder is not None:
            latents = torch.cat([self.encoder(patches, ~known)[:, None], latents], 1)
        shape = latents.shape[:2]
        images = checked_images(generator(latents.flatten(0, 1)), shape.numel(), patches).unflatten(0, shape)
        losses = [
            masked_l1(own, patch[None], mask[None]) for own, patch, mask in zip(images, patches, known, strict=True)
        ]
        best, places = _lowest(torch.stack(losses), count)
        rows = torch.arange(len(patches), device=places.device)[:, None]
        chosen = images[rows, places]
        return latents[rows, places], _start_images(images, torch.stack(losses), chosen, best, places, self.candidates)


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


def _start_images(
    shown: Tensor, losses: Tensor, chosen: Tensor, best: Tensor, places: Tensor, candidates: int
) -> StartImages:
    return StartImages(
        shown=shown.cpu(),
        shown_losses=losses.cpu(),
        chosen=chosen.cpu(),
        chosen_losses=best.cpu(),
        chosen_places=places.cpu(),
        candidates=candidates,
    )
