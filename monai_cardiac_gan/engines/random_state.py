"""The states of all sources of random numbers that a training may draw from."""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch

__all__ = ["capture_random_state", "restore_random_state"]

TORCH, NUMPY, PYTHON, CUDA = "torch", "numpy", "python", "cuda"


def capture_random_state(device: torch.device) -> dict[str, Any]:
    """Note the states of PyTorch's, NumPy's and Python's global generators, and that of the device.

    Returns:
        Tensors and plain numbers only, so that ``torch.load`` reads them with ``weights_only=True``.

    Example:
        >>> before = capture_random_state(torch.device("cpu"))
        >>> numbers = torch.rand(3), np.random.rand(), random.random()
        >>> restore_random_state(before, torch.device("cpu"))
        >>> numbers[1:] == (np.random.rand(), random.random()) and torch.equal(numbers[0], torch.rand(3))
        True
    """
    kind, keys, position, has_normal, normal = np.random.get_state(legacy=True)  # noqa: NPY002 (what transforms use)
    version, numbers, next_normal = random.getstate()
    state = {
        TORCH: torch.get_rng_state(),
        NUMPY: (str(kind), torch.from_numpy(np.asarray(keys).astype(np.int64)), position, has_normal, float(normal)),
        PYTHON: (version, torch.tensor(numbers), next_normal),
    }
    if device.type == CUDA:
        state[CUDA] = torch.cuda.get_rng_state(device)
    return state


def restore_random_state(state: Mapping[str, Any], device: torch.device) -> None:
    """Go on with the random numbers that would have followed `capture_random_state`."""
    torch.set_rng_state(state[TORCH].cpu())  # a loader may have moved it to the device
    kind, keys, *others = state[NUMPY]
    np.random.set_state((kind, keys.cpu().numpy().astype(np.uint32), *others))  # noqa: NPY002
    version, numbers, next_normal = state[PYTHON]
    random.setstate((version, tuple(numbers.tolist()), next_normal))
    if device.type == CUDA and CUDA in state:
        torch.cuda.set_rng_state(state[CUDA].cpu(), device)
