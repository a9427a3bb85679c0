"""Updates of a training as CUDA graphs: recorded once, then repeated by one call each."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from typing import Protocol

import torch
from torch import Tensor
from torch.optim import Optimizer

__all__ = ["CudaRecorder", "GraphedUpdates", "RandomDraws", "Recorder"]

Draw = Callable[..., Tensor]
WARM_UP = 2
"""Updates of a kind before it is recorded: optimisers make their state and libraries choose their kernels in them."""
CAPTURABLE = "capturable"


class RandomDraws:
    """Random numbers from one generator on the CPU, sent to a device; a recorded update finds them in buffers.

    Args:
        random: where all numbers come from.
        device: where they go.
        part: takes what is this process's of numbers that all processes draw alike.
    """

    def __init__(
        self, random: torch.Generator, device: torch.device, part: Callable[[Tensor], Tensor] = lambda drawn: drawn
    ) -> None:
        self.random, self.device, self.part = random, device, part
        self._noted: list[tuple[Draw, tuple[int, ...]]] | None = None
        self._buffers: list[Tensor] | None = None

    def __call__(self, draw: Draw, *shape: int) -> Tensor:
        """Numbers of a function such as ``torch.randn``, on the device, sent without waiting."""
        if self._buffers is not None:
            return self._buffers.pop(0)
        if self._noted is not None:
            self._noted.append((draw, shape))
        return self.part(draw(*shape, generator=self.random)).to(self.device, non_blocking=True)

    @contextmanager
    def noted(self) -> Iterator[list[tuple[Draw, tuple[int, ...]]]]:
        """Draw, and note which numbers were asked for."""
        self._noted = []
        try:
            yield self._noted
        finally:
            self._noted = None

    @contextmanager
    def from_buffers(self, buffers: Sequence[Tensor]) -> Iterator[None]:
        """Draw nothing, and give these in turn."""
        self._buffers = list(buffers)
        try:
            yield
        finally:
            self._buffers = None


class Recorder(Protocol):
    """Records what a function tells a device to do."""

    def capture(self, function: Callable[[], None], optimizers: Sequence[Optimizer]) -> Callable[[], None]:
        """Record a function in which these optimisers step, and which does nothing meanwhile.

        Returns:
            Repeats what was recorded, with the same tensors.
        """
        ...

    def apart(self) -> AbstractContextManager[None]:
        """Where recorded functions run: they wait for what was told before, and what is told after waits for them."""
        ...


class CudaRecorder:
    """`Recorder` of a CUDA device, on a stream of its own as CUDA asks for."""

    def __init__(self, device: torch.device) -> None:
        self.stream = torch.cuda.Stream(device)

    def capture(self, function: Callable[[], None], optimizers: Sequence[Optimizer]) -> Callable[[], None]:
        """Record by ``torch.cuda.graph``."""
        graph = torch.cuda.CUDAGraph()
        with capturable(optimizers), torch.cuda.graph(graph, stream=self.stream, capture_error_mode="thread_local"):
            function()
        return graph.replay

    @contextmanager
    def apart(self) -> Iterator[None]:
        """On the stream."""
        outside = torch.cuda.current_stream(self.stream.device)
        self.stream.wait_stream(outside)
        with torch.cuda.stream(self.stream):
            yield
        outside.wait_stream(self.stream)


@contextmanager
def capturable(optimizers: Sequence[Optimizer]) -> Iterator[None]:
    """Optimisers agree to be recorded inside; their checkpoints say nothing of it, so that a CPU can go on from them."""
    groups = [group for optimizer in optimizers for group in optimizer.param_groups]
    before = [group.get(CAPTURABLE) for group in groups]
    try:
        for group in groups:
            group[CAPTURABLE] = True
        yield
    finally:
        for group, value in zip(groups, before, strict=True):
            group[CAPTURABLE] = value


@dataclass
class _Kind:
    """What is known of one kind of update."""

    seen: int = 0
    draws: list[tuple[Draw, tuple[int, ...]]] = field(default_factory=list)
    inputs: list[Tensor] = field(default_factory=list)
    buffers: list[Tensor] = field(default_factory=list)
    outputs: dict[str, Tensor] = field(default_factory=dict)
    replay: Callable[[], None] | None = None


class GraphedUpdates:
    """Run updates of several kinds, each recorded after `WARM_UP` of them.

    An update reads its inputs and the numbers it draws, changes weights in place and gives scalars. A graph repeats it with
    what then lies in the same tensors: inputs and numbers are copied there before, and scalars are copied out after. All that
    is decided on the host (shapes, rates, whether a penalty is due) belongs to the kind.

    Args:
        recorder: records, such as `CudaRecorder`.
        draws: all numbers of the updates come from here.
        optimizers: whose steps are recorded.
    """

    def __init__(self, recorder: Recorder, draws: RandomDraws, optimizers: Sequence[Optimizer]) -> None:
        self.recorder, self.draws, self.optimizers = recorder, draws, optimizers
        self._kinds: dict[Hashable, _Kind] = {}

    def __call__(
        self, kind: Hashable, update: Callable[..., dict[str, Tensor]], inputs: Sequence[Tensor]
    ) -> dict[str, Tensor]:
        """Run one update.

        Args:
            kind: what the host decided.
            update: called with the inputs; gives scalars by name. While it is recorded it must do nothing on the host.
            inputs: tensors of the same shapes for one kind.

        Returns:
            The scalars.
        """
        known = self._kinds.setdefault(kind, _Kind())
        with self.recorder.apart():
            if known.seen < WARM_UP:
                known.seen += 1
                with self.draws.noted() as known.draws:
                    return update(*inputs)
            replay = known.replay or self._record(known, update, inputs)
            for place, value in zip(known.inputs, inputs, strict=True):
                place.copy_(value)
            for place, (draw, shape) in zip(known.buffers, known.draws, strict=True):
                place.copy_(self.draws.part(draw(*shape, generator=self.draws.random)), non_blocking=True)
            replay()
            return {name: value.clone() for name, value in known.outputs.items()}

    def _record(
        self, known: _Kind, update: Callable[..., dict[str, Tensor]], inputs: Sequence[Tensor]
    ) -> Callable[[], None]:
        known.inputs = [value.clone() for value in inputs]
        known.buffers = [self.draws.part(torch.empty(shape)).to(self.draws.device) for _, shape in known.draws]

        def function() -> None:
            known.outputs = update(*known.inputs)

        for optimizer in self.optimizers:
            optimizer.zero_grad()  # the graph has gradients of its own
        with self.draws.from_buffers(known.buffers):
            known.replay = self.recorder.capture(function, self.optimizers)
        return known.replay
