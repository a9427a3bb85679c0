"""Weights from a file into a network."""

from __future__ import annotations

from pathlib import Path

import torch

__all__ = ["load_network"]


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
