"""Weights from files into networks."""

from __future__ import annotations

import logging
import pickle
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from monai_cardiac_gan.networks.weights_in_file import chosen_weights, stored_weights, why_not

__all__ = ["find_weights", "load_network"]


logger = logging.getLogger(__name__)

PARALLEL = (torch.nn.DataParallel, torch.nn.parallel.DistributedDataParallel)
"""Wrappers of a network, whose own names lack theirs."""


def load_network(network: torch.nn.Module, path: str, device: torch.device | str = "cpu") -> torch.nn.Module:
    """Load the weights of a network, safely (``weights_only=True``).

    The file is a flat state dictionary, one with a prefix (``module.`` of DistributedDataParallel, ``_orig_mod.`` of
    ``torch.compile``), one in a wrapper (``{"state_dict": ...}``), or the state of a whole training (``last.pt``). Of the latter
    the generator's moving average is taken, if it has one, as ``model.pt`` holds it.

    Raises:
        FileNotFoundError: when there is no such file.
        ValueError: when it cannot be read, holds no weights, or several that fit, or its weights do not fit the network.
    """
    if not Path(path).exists():
        raise FileNotFoundError(f"{path}: no weights lie here; train first, or name the file of a trained network.")
    content = _read(path, device)
    inner = network.module if isinstance(network, PARALLEL) else network
    candidates = stored_weights(content, inner)
    try:
        found = chosen_weights(candidates, inner)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error
    if found is None:
        raise ValueError(f"{path}: {why_not(content, inner, candidates)}")
    if found.place:
        logger.info("%s: the weights of %s are those of %s", path, type(inner).__name__, found.place)
    inner.load_state_dict(found.tensors)
    return network


def _read(path: str, device: torch.device | str) -> Any:
    try:
        return torch.load(path, map_location=device, weights_only=True)
    except (pickle.UnpicklingError, RuntimeError, EOFError, LookupError, ValueError, OSError) as error:
        raise ValueError(
            f"{path}: cannot be read as weights ({type(error).__name__}): expected a complete file that torch.save wrote of a "
            "state_dict(); a network as a whole, a TorchScript file or one of another kind is not read."
        ) from error


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
