"""How fast a machine can compute at best, and how much a training step has to compute."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.flop_counter import flop_registry

SIDE = {"cpu": 2048, "cuda": 8192}
"""Rows of the matrices: large enough that their arithmetic hides the reading of memory."""
COPIED = {"cpu": 2**28, "cuda": 2**31}
"""Bytes: more than any cache holds."""
TRIES = 7
"""The best of so many counts: a limit is what was reached once."""


@dataclass(frozen=True)
class MachineLimits:
    """Operations per second of a large matrix product, for each type, and bytes per second of a large copy."""

    operations: dict[torch.dtype, float]
    bytes: float

    def seconds(self, work: Work) -> float:
        """Least time for one operator: its arithmetic or its memory, whichever takes longer (the roofline)."""
        rate = self.operations.get(work.dtype, self.operations[torch.float32])
        return max(work.operations / rate, work.bytes / self.bytes)


@dataclass(frozen=True)
class Work:
    """What one operator computes, multiplications and additions, and the bytes that it reads and writes."""

    operations: float
    bytes: float
    dtype: torch.dtype


def synchronise(device: torch.device) -> None:
    """Wait until a GPU has done what it was told."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def best_seconds(step: Callable[[], Any], device: torch.device) -> float:
    """The shortest of some runs, after one to warm up."""
    seconds = []
    for _ in range(TRIES + 1):
        synchronise(device)
        start = time.perf_counter()
        step()
        synchronise(device)
        seconds.append(time.perf_counter() - start)
    return min(seconds[1:])


def measure_limits(device: torch.device, dtypes: Iterable[torch.dtype]) -> MachineLimits:
    """Multiply and copy large arrays. Products use TF32 exactly where convolutions may."""
    side, size = SIDE[device.type], COPIED[device.type]
    before = torch.backends.cuda.matmul.allow_tf32
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32
    rates = {}
    for dtype in dtypes:
        left, right, out = (torch.ones(side, side, device=device, dtype=dtype) for _ in range(3))
        rates[dtype] = 2 * side**3 / best_seconds(partial(torch.mm, left, right, out=out), device)
    torch.backends.cuda.matmul.allow_tf32 = before
    source, target = (torch.zeros(size, dtype=torch.uint8, device=device) for _ in range(2))
    return MachineLimits(rates, 2 * size / best_seconds(lambda: target.copy_(source), device))


class WorkCounter(TorchDispatchMode):
    """Notes the work of each operator that is called inside, those of backward passes too.

    Arithmetic is counted as by ``torch.utils.flop_counter.FlopCounterMode``. An operator reads each of its tensors once and
    writes each result once; views cost nothing. That is the least traffic of a step whose operators are not fused.
    """

    def __init__(self) -> None:
        super().__init__()
        self.works: list[Work] = []

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        result = func(*args, **kwargs)
        schema = func._schema
        makes_views = any(out.alias_info is not None and not out.alias_info.is_write for out in schema.returns)
        if makes_views or "empty" in schema.name:
            return result
        formula = flop_registry.get(func._overloadpacket)
        operations = 0 if formula is None else formula(*args, **kwargs, out_val=result)
        read = [leaf for leaf in tree_leaves((args, kwargs)) if isinstance(leaf, Tensor)]
        named = zip(schema.arguments, args, strict=False)
        changed = [value for argument, value in named if argument.alias_info and argument.alias_info.is_write]
        made = [] if any(out.alias_info for out in schema.returns) else [result]
        written = [leaf for leaf in tree_leaves((changed, made)) if isinstance(leaf, Tensor)]
        first = next((tensor for tensor in read if tensor.is_floating_point()), torch.empty(0))
        self.works.append(Work(operations, sum(map(_bytes, read + written)), first.dtype))
        return result

    @property
    def operations(self) -> float:
        """Multiplications and additions of all operators."""
        return sum(work.operations for work in self.works)

    @property
    def bytes(self) -> float:
        """What all operators read and write."""
        return sum(work.bytes for work in self.works)

    def seconds(self, limits: MachineLimits) -> float:
        """Least time for all operators, one after the other."""
        return sum(map(limits.seconds, self.works))


def convolution_operations(network: nn.Module, example: Tensor) -> list[int]:
    """Operations of each convolution's forward pass, in the order of calls, by the closed form.

    Two for each weight and each place where the kernel is laid: the pixels of the output, or of the input if transposed.
    """
    counts: list[int] = []

    def note(layer: Any, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        laid = inputs[0] if isinstance(layer, nn.ConvTranspose2d) else output
        counts.append(2 * layer.weight.numel() * len(laid) * math.prod(laid.shape[2:]))

    layers = [layer for layer in network.modules() if isinstance(layer, (nn.Conv2d, nn.ConvTranspose2d))]
    hooks = [layer.register_forward_hook(note) for layer in layers]
    try:
        with torch.no_grad():
            network(example)
    finally:
        for hook in hooks:
            hook.remove()
    return counts


def critic_step_operations(generator: list[int], critic: list[int]) -> int:
    """Convolutions of one update of the critic, when the penalty needs no second backward pass.

    One pass of the generator. Reals and fakes: forward, weights, inputs, but no gradient of the images. Between: forward,
    transposed, and the transposed pass differentiated, which begins with ones that need no gradient.
    """
    return sum(generator) + 2 * (3 * sum(critic) - critic[0]) + 4 * sum(critic) - critic[-1]


def generator_step_operations(generator: list[int], critic: list[int]) -> int:
    """Convolutions of one update of the generator, when the critic's weights need no gradients and latents neither."""
    return 3 * sum(generator) - generator[0] + 2 * sum(critic)


def idle_share(intervals: Iterable[tuple[float, float]]) -> float:
    """Share of the time from the first start to the last end in which none of the intervals is under way.

    Example:
        >>> idle_share([(0.0, 2.0), (1.0, 3.0), (4.0, 5.0)])
        0.2
    """
    ordered = sorted(intervals)
    begin, reached, idle = ordered[0][0], ordered[0][0], 0.0
    for start, end in ordered:
        idle += max(0.0, start - reached)
        reached = max(reached, end)
    return idle / (reached - begin)


def _bytes(tensor: Tensor) -> int:
    # a number spread over many pixels is read once
    return min(tensor.numel() * tensor.element_size(), tensor.untyped_storage().nbytes())
