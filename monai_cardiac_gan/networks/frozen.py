"""Networks that take part without learning."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from torch import nn

__all__ = ["frozen"]


@contextmanager
def frozen(*networks: nn.Module, evaluate: bool = False) -> Iterator[None]:
    """Compute no gradients of the networks' parameters inside; modes and flags of every part are as before outside.

    Args:
        networks: which.
        evaluate: whether they are in evaluation mode inside.

    Example:
        >>> network = nn.Linear(2, 1)
        >>> with frozen(network, evaluate=True):
        ...     network.weight.requires_grad, network.training
        (False, False)
        >>> network.weight.requires_grad, network.training
        (True, True)
    """
    modes = [(part, part.training) for network in networks for part in network.modules()]
    flags = [(weight, weight.requires_grad) for network in networks for weight in network.parameters()]
    try:
        for network in networks:
            network.requires_grad_(False)
            if evaluate:
                network.eval()
        yield
    finally:
        for part, training in modes:
            part.training = training
        for weight, requires_grad in flags:
            weight.requires_grad_(requires_grad)
