"""Batch normalisation over the images of all processes."""

from __future__ import annotations

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.distributed.nn.functional import all_reduce

__all__ = ["SharedBatchNorm2d", "synchronise_batch_norm"]


class SharedBatchNorm2d(nn.BatchNorm2d):
    r"""Batch normalisation whose statistics are those of the images of all processes, on any device.

    ``torch.nn.SyncBatchNorm`` is faster but refuses tensors on the CPU. With :math:`K` processes of N images each:

    .. math:: \mu = \frac{1}{K} \sum_k \operatorname{mean}(x_k), \quad
        \sigma^2 = \frac{1}{K} \sum_k \operatorname{mean}((x_k - \mu)^2)

    Gradients flow through the statistics into all processes. Each process must bring as many images.
    """

    def forward(self, features: Tensor) -> Tensor:
        """Features (N, C, H, W) of the same shape; as ``BatchNorm2d`` in evaluation or in a single process."""
        if not self.training or not dist.is_initialized():
            return super().forward(features)
        wide = features.float() if features.dtype.itemsize < 4 else features  # sixteen bits are too few for statistics
        mean = all_reduce(wide.mean((0, 2, 3))) / dist.get_world_size()
        centred = wide - mean[:, None, None]
        variance = all_reduce(centred.square().mean((0, 2, 3))) / dist.get_world_size()
        self._follow(mean.detach(), variance.detach(), dist.get_world_size() * features.numel() // features.shape[1])
        normal = centred * torch.rsqrt(variance + self.eps)[:, None, None]
        if self.affine:
            normal = normal * self.weight[:, None, None] + self.bias[:, None, None]
        return normal.to(features.dtype)

    @torch.no_grad()
    def _follow(self, mean: Tensor, variance: Tensor, count: int) -> None:
        if self.running_mean is None or self.running_var is None or self.num_batches_tracked is None:
            return
        self.num_batches_tracked += 1
        momentum = 1 / float(self.num_batches_tracked) if self.momentum is None else self.momentum
        self.running_mean.lerp_(mean, momentum)
        self.running_var.lerp_(variance * count / (count - 1), momentum)  # PyTorch keeps the unbiased variance


def synchronise_batch_norm(network: nn.Module) -> nn.Module:
    """Replace each ``BatchNorm2d`` inside a network by one that looks at the images of all processes.

    Parameters and buffers stay the same objects under the same names. On a GPU ``torch.nn.SyncBatchNorm`` is taken.

    Args:
        network: changed in place, unless it is itself a batch normalisation.

    Returns:
        The network.
    """
    if any(parameter.is_cuda for parameter in network.parameters()):
        converted: nn.Module = nn.SyncBatchNorm.convert_sync_batchnorm(network)
        return converted
    for layer in network.modules():
        if type(layer) is nn.BatchNorm2d:
            layer.__class__ = SharedBatchNorm2d  # keeps parameters, buffers and optimisers as they are
    return network
