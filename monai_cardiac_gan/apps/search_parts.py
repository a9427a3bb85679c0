"""What the fast search needs besides generator and critic: its bank and its encoder."""

from __future__ import annotations

import logging
from pathlib import Path

import torch
from torch import nn

from monai_cardiac_gan.apps.checkpoint import load_network
from monai_cardiac_gan.inferers import LatentBank

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
) -> None:
    """Load bank and encoder for the preset ``"fast"``; the preset ``"paper"`` needs neither.

    A bank of another generator, or none, is filled anew: that takes about a minute on a CPU, and is told.

    Args:
        preset: of the search.
        generator: whose latents are searched, with its weights.
        bank: gets the weights of ``bank_path``, if they belong to the generator.
        encoder: gets the weights of ``encoder_path``, unless that is None.
        bank_path: file of a bank.
        encoder_path: file of an encoder that was trained for this generator.
        device: where bank and encoder go.

    Raises:
        FileNotFoundError: when there is no encoder at its path.
        ValueError: when the weights of the encoder do not fit.
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
    for part in (bank, encoder):
        part.to(device).eval()


def fill_latent_bank(bank: LatentBank, generator: nn.Module, path: str, seed: int = 0) -> None:
    """Fill a bank and write it as a flat state dictionary, for `load_search_parts` to find."""
    bank.fill(generator, seed)
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    torch.save(bank.cpu().state_dict(), path)
    logger.info("bank of %d latents: %s", bank.count, path)
