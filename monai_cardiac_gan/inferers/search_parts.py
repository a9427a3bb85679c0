"""What the L-BFGS search needs besides generator and critic: its bank, its encoder, and a U-Net that proposes."""

from __future__ import annotations

import logging
import pickle
from pathlib import Path

import torch
from torch import nn

from monai_cardiac_gan.atomic import atomic_file
from monai_cardiac_gan.inferers.latent_bank import LatentBank
from monai_cardiac_gan.networks import load_network

__all__ = ["fill_latent_bank", "load_search_parts"]

logger = logging.getLogger(__name__)

LATENTS = "latents"
"""Of a bank, in its file."""


def load_search_parts(
    search_preset: str,
    generator: nn.Module,
    bank: LatentBank,
    bank_path: str,
    encoder: nn.Module | None = None,
    encoder_path: str | None = None,
    inpainting_unet: nn.Module | None = None,
    inpainting_unet_path: str | None = None,
    device: torch.device | str = "cpu",
) -> None:
    """Load bank, encoder and U-Net for the preset ``"lbfgs"``; the preset ``"gradient_descent"`` needs none of them.

    A bank of another generator, or none, is filled anew: that takes about a minute on a CPU, and is logged.

    Args:
        search_preset: see `inpainting_search`.
        generator: whose latents are searched, with its weights.
        bank: gets the weights of ``bank_path``, if they belong to the generator, and becomes as large as the bank there.
        bank_path: file of a bank.
        encoder: gets the weights of ``encoder_path``, unless one of both is None.
        encoder_path: file of an encoder that was trained for this generator.
        inpainting_unet: gets the weights of ``inpainting_unet_path``, unless one of both is None; it belongs to no generator.
        inpainting_unet_path: file of an `InpaintingUNet`.
        device: where they go.

    Raises:
        FileNotFoundError: when there is no encoder or U-Net at its path.
        ValueError: when weights do not fit.
    """
    if search_preset != "lbfgs":
        return
    if Path(bank_path).exists():
        _load_bank(bank, bank_path, device)
    if not bank.belongs_to(generator):
        logger.warning("%s holds no bank of this generator: filling one, about a minute on a CPU", bank_path)
        bank.fill(generator)
    for network, path in ((encoder, encoder_path), (inpainting_unet, inpainting_unet_path)):
        if network is not None and path is not None:
            load_network(network, path, device)
    for part in (bank, encoder, inpainting_unet):
        if part is not None:
            part.to(device).eval()


def _load_bank(bank: LatentBank, path: str, device: torch.device | str) -> None:
    """The bank of a file, as large as it is there."""
    try:
        bank.resize(len(torch.load(path, map_location="cpu", weights_only=True)[LATENTS]))
    except (pickle.UnpicklingError, RuntimeError, EOFError, LookupError, TypeError, ValueError, OSError):
        logger.debug("%s: does not tell its size", path, exc_info=True)  # load_network says what is wrong with it
    load_network(bank, path, device)


def fill_latent_bank(bank: LatentBank, generator: nn.Module, path: str, seed: int = 0, overwrite: bool = False) -> None:
    """Fill a bank and write it as a flat state dictionary, for `load_search_parts` to find; the bank stays on its device.

    Raises:
        FileExistsError: when the file is there and `overwrite` is false.
    """
    if Path(path).exists() and not overwrite:
        raise FileExistsError(
            f"{path}: holds a bank: write into another folder (--models_dir), or give overwrite=True (--overwrite True)."
        )
    bank.fill(generator, seed)
    with atomic_file(path) as file:
        torch.save({name: value.cpu() for name, value in bank.state_dict().items()}, file)
    logger.info("bank of %d latents: %s", bank.count, path)
