"""Weights from files into networks."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path

import torch

__all__ = ["find_weights", "load_network"]


logger = logging.getLogger(__name__)


def load_network(network: torch.nn.Module, path: str, device: torch.device | str = "cpu") -> torch.nn.Module:
    """Load a flat state dictionary, safely (``weights_only=True``).

    Raises:
        FileNotFoundError: when there is no such file.
        ValueError: when it does not fit the network.
    """
    if not Path(path).exists():
        raise FileNotFoundError(f"{path}: no weights lie here; train first, or name the file of a trained network.")
    state = torch.load(path, map_location=device, weights_only=True)
    try:
        network.load_state_dict(state)
    except RuntimeError as error:
        raise ValueError(
            f"{path}: the weights do not fit {type(network).__name__}: give the width and the latent size that it was trained "
            f"with ({str(error).splitlines()[1].strip() if len(str(error).splitlines()) > 1 else error})."
        ) from error
    return network


def find_weights(name: str, folders: Sequence[str]) -> str:
    """Path of a file of weights in the first of some folders that has it.

    Args:
        name: of the file.
        folders: where it may be, those of the user before those that ship.

    Returns:
        The path; where no folder has the file, that in the first folder, which `load_network` refuses by name: a workflow can be
        built and checked before there are weights.
    """
    paths = [Path(folder) / name for folder in folders]
    found = next((path for path in paths if path.exists()), paths[0])
    logger.info("%s: %s", name, found)
    return str(found)
