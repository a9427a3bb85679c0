"""What several processes that train together share."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn

__all__ = ["Processes", "is_first_process", "process_count"]


class Processes:
    r"""The processes of a distributed training, or the only one.

    Each process computes the gradients of its part of a batch; `average_gradients` makes them those of the whole batch,
    because all losses are means over samples and all parts are of equal size:

    .. math:: \nabla \frac{1}{KN} \sum_{k,n} \ell_{kn} = \frac{1}{K} \sum_k \nabla \frac{1}{N} \sum_n \ell_{kn}

    ``torch.nn.parallel.DistributedDataParallel`` would not do: a critic's update passes it several times, and the fast
    penalty uses its weights without calling it, which DDP does not see. One reduction of all gradients at once is no
    slower at this size (12 MB).

    Attributes:
        rank: number of this process.
        count: how many there are.
    """

    def __init__(self) -> None:
        together = dist.is_available() and dist.is_initialized()
        self.rank = dist.get_rank() if together else 0
        self.count = dist.get_world_size() if together else 1

    def part(self, drawn: Tensor) -> Tensor:
        """This process's part of numbers that all drew alike, (count * N, ...) to (N, ...)."""
        return drawn.chunk(self.count)[self.rank] if self.count > 1 else drawn

    def copy_from_first(self, *networks: nn.Module) -> None:
        """Start all processes from the weights and buffers of the first."""
        if self.count > 1:
            for tensor in (tensor for network in networks for tensor in network.state_dict().values()):
                dist.broadcast(tensor, 0)

    def average_gradients(self, parameters: Iterable[nn.Parameter]) -> None:
        """Let each process have the mean of all processes' gradients."""
        if self.count == 1:
            return
        gradients = [parameter.grad for parameter in parameters if parameter.grad is not None]
        flat = torch.cat([gradient.flatten() for gradient in gradients])
        dist.all_reduce(flat)
        flat /= self.count
        sizes = [gradient.numel() for gradient in gradients]
        for gradient, mean in zip(gradients, flat.split(sizes), strict=True):
            gradient.copy_(mean.view_as(gradient))

    def mean(self, values: Tensor) -> Tensor:
        """Mean of a tensor over the processes."""
        if self.count > 1:
            values = values.clone()
            dist.all_reduce(values)
            values /= self.count
        return values


def is_first_process(engine: Any) -> bool:
    """Whether this process writes files: the first of a distributed training, or the only one.

    Args:
        engine: one that knows its ``rank``; for others PyTorch's process group is asked.
    """
    rank = getattr(engine, "rank", None)
    return (Processes().rank if rank is None else rank) == 0


def process_count(engine: Any) -> int:
    """How many processes train together.

    Args:
        engine: one that knows its ``world_size``; for others PyTorch's process group is asked.
    """
    size = getattr(engine, "world_size", None)
    return Processes().count if size is None else size
