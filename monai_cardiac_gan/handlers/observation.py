"""Looking at networks in the middle of a training without changing what follows."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from monai_cardiac_gan.engines import capture_random_state, restore_random_state

__all__ = ["device_of", "fixed_latents", "in_batches", "undisturbed"]

BATCH = 64
"""Inputs that go through a network at once; of patches of 128 x 128 pixels a few hundred MB, less than in training."""


@contextmanager
def undisturbed(*networks: nn.Module) -> Iterator[None]:
    """Networks are in evaluation mode and not compiled inside; afterwards their modes and all random states are as before.

    Each part of a network gets its own mode back, so that a layer that was kept in evaluation mode stays there, which
    ``monai.networks.eval_mode`` would switch to training.

    Args:
        networks: those that are looked at; the device of the first one's random state is kept too.

    Example:
        >>> network = nn.Sequential(nn.Linear(2, 2), nn.Dropout().eval())
        >>> with undisturbed(network):
        ...     network.training
        False
        >>> network.training, network[1].training
        (True, False)
    """
    modes = [(part, part.training) for network in networks for part in network.modules()]
    device = device_of(networks[0]) if networks else torch.device("cpu")
    state = capture_random_state(device)
    try:
        for network in networks:
            network.eval()
        # graphs that torch.compile recorded for training own their outputs, and would be recorded anew for each batch size
        with torch.no_grad(), torch.compiler.set_stance("force_eager"):
            yield
    finally:
        for part, mode in modes:
            part.training = mode
        restore_random_state(state, device)


def device_of(network: nn.Module) -> torch.device:
    """Where a network lies; the CPU if it has no weights."""
    first = next(network.parameters(), None)
    return torch.device("cpu") if first is None else first.device


def in_batches(network: nn.Module, inputs: Tensor) -> Tensor:
    """What a network makes of many inputs (N, ...), some at a time, on its own device and in its own precision."""
    first = next(network.parameters(), inputs)
    return torch.cat([network(part.to(first.device, first.dtype)) for part in inputs.split(BATCH)])


def fixed_latents(count: int, size: int, seed: int) -> Tensor:
    """The same latents (count, size) from the standard normal distribution each time, on the CPU.

    Raises:
        ValueError: when `count` is below 1.
    """
    if count < 1:
        raise ValueError(f"{count} latents were asked for: expected at least 1.")
    return torch.randn(count, size, generator=torch.Generator().manual_seed(seed))
