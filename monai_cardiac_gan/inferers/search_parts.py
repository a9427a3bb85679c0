"""What the fast search needs besides generator and critic: its bank, its encoder, and a guess of the mask."""

from __future__ import annotations

import logging
from pathlib import Path

import torch
from torch import nn

from monai_cardiac_gan.atomic import atomic_file
from monai_cardiac_gan.inferers.latent_bank import LatentBank
from monai_cardiac_gan.networks.checkpoint import load_network

__all__ = ["fill_latent_bank", "load_search_parts"]

logger = logging.getLogger(__name__)


def load_search_parts(
    preset: str,
    generator: nn.Module,
    bank: LatentBank,
    encoder: nn.Module,
    bank_path: str,
    encoder_path: str | None,
    device: torch.device | str = "cpu",
    filling: nn.Module | None = None,
    inpainting_unet_path: str | None = None,
) -> None:
    """Load bank, encoder and filling network for the preset ``"fast"``; the preset ``"paper"`` needs neither.

    A bank of another generator, or none, is filled anew: that takes about a minute on a CPU, and is told.

    Args:
        preset: of the search.
        generator: whose latents are searched, with its weights.
        bank: gets the weights of ``bank_path``, if they belong to the generator.
        encoder: gets the weights of ``encoder_path``, unless that is None.
        bank_path: file of a bank.
        encoder_path: file of an encoder that was trained for this generator.
        device: where they go.
        filling: gets the weights of ``inpainting_unet_path``, unless that is None; it belongs to no generator.
        inpainting_unet_path: file of a filling network.

    Raises:
        FileNotFoundError: when there is no encoder or filling network at its path.
        ValueError: when weights do not fit.
    """
    if preset != "fast":
        return
    if Path(bank_path).exists():
        load_network(bank, bank_path, device)
    if not bank.belongs_to(generator):
        logger.warning("%s holds no bank of this generator: filling one, about a minute on a CPU", bank_path)
        bank.fill(generator)
    if encoder_path is not None:
        load_network(encoder, encoder_path, device)
    if filling is not None and inpainting_unet_path is not None:
        load_network(filling, inpainting_unet_path, device)
    for part in (bank, encoder, filling):
        if part is not None:
            part.to(device).eval()


def fill_latent_bank(bank: LatentBank, generator: nn.Module, path: str, seed: int = 0) -> None:
    """Fill a bank and write it as a flat state dictionary, for `load_search_parts` to find."""
    bank.fill(generator, seed)
    with atomic_file(path) as file:
        torch.save(bank.cpu().state_dict(), file)
    logger.info("bank of %d latents: %s", bank.count, path)
