"""How a training step is computed, which changes its speed and memory but not what it means."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass

import torch
from torch import Tensor, nn

__all__ = ["Execution"]


BFLOAT16 = "bfloat16"


@dataclass(frozen=True)
class Execution:
    """Precision, memory layout and compilation of a training.

    Attributes:
        autocast: ``"bfloat16"`` for the forward passes of both networks, None for float32 throughout. Losses and the
            penalty stay in float32: squares of slopes lose too much in sixteen bits. ``"float16"`` is refused: its small
            gradients become zero without a gradient scaler, which the penalty's double backward pass does not allow for.
        channels_last: keep features with the channels innermost, as convolutions on a CPU and on tensor cores want them.
        compile_mode: mode of ``torch.compile`` for both networks, such as ``"default"`` or ``"reduce-overhead"`` (CUDA
            graphs); None does not compile. Needs a C++ compiler on a CPU.
        micro_batch: at most this many images go through the networks at once, and gradients are summed up; None takes a
            batch as a whole. Same result as the whole batch where the generator does not mix samples.
        clip_norm: longest gradient of all weights of a network; a longer one is shortened to it. None does not clip.
        check_every: iterations between two looks at whether the losses are finite. Each look makes a GPU's host wait.
        cuda_graphs: record what an update tells a GPU, and repeat it by one call (`GraphedUpdates`): a GPU that waits for its
            host to name thousands of small kernels is then busy. Same numbers; nothing is compiled. Without effect on a CPU and
            in a training of several processes.

    Raises:
        ValueError: when a number is below 1, the type is unknown, or graphs are asked for twice.

    Example:
        >>> Execution(autocast="bfloat16", channels_last=True).dtype
        torch.bfloat16
    """

    autocast: str | None = None
    channels_last: bool = False
    compile_mode: str | None = None
    micro_batch: int | None = None
    clip_norm: float | None = None
    check_every: int = 1
    cuda_graphs: bool = False

    def __post_init__(self) -> None:
        if self.autocast not in (None, BFLOAT16):
            scaler = " (float16 needs a gradient scaler, and there is none here)" if self.autocast == "float16" else ""
            raise ValueError(
                f"autocast is {self.autocast!r}, expected 'bfloat16' or None{scaler}: take 'bfloat16', which keeps the range "
                "of float32."
            )
        if self.check_every < 1 or (self.micro_batch is not None and self.micro_batch < 1):
            raise ValueError(
                f"check_every {self.check_every} and micro_batch {self.micro_batch} must be at least 1: give whole numbers."
            )
        if self.cuda_graphs and self.compile_mode is not None:
            raise ValueError(
                f"cuda_graphs is set and compile_mode is {self.compile_mode!r}: expected one of both; leave the other out."
            )
        if self.clip_norm is not None and not self.clip_norm > 0:
            raise ValueError(f"clip_norm is {self.clip_norm}, expected above 0: leave it out to clip nothing.")

    @property
    def dtype(self) -> torch.dtype | None:
        """The type of the forward passes, None for that of the weights."""
        return None if self.autocast is None else getattr(torch, self.autocast)

    @contextmanager
    def precision(self, device: torch.device) -> Iterator[None]:
        """Forward passes inside have the chosen precision."""
        with torch.autocast(device.type, dtype=self.dtype, enabled=self.autocast is not None):
            yield

    def eager(self) -> AbstractContextManager[None]:
        """Networks called inside run as if not compiled: what is compiled cannot be differentiated twice."""
        stance: AbstractContextManager[None] = torch.compiler.set_stance("force_eager")
        return nullcontext() if self.compile_mode is None else stance

    def lay_out(self, images: Tensor) -> Tensor:
        """Images (N, C, H, W) in the chosen memory layout."""
        return images.contiguous(memory_format=torch.channels_last) if self.channels_last else images

    def prepare(self, network: nn.Module) -> None:
        """Lay out and compile a network in place; its parameters stay the same objects."""
        if self.channels_last:
            network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        if self.compile_mode is not None:
            network.compile(mode=self.compile_mode)

    def chunks(self, count: int) -> list[slice]:
        """The parts of a batch that go through the networks one after the other.

        Example:
            >>> Execution(micro_batch=4).chunks(10)
            [slice(0, 4, None), slice(4, 8, None), slice(8, 10, None)]
        """
        size = count if self.micro_batch is None else self.micro_batch
        return [slice(start, min(start + size, count)) for start in range(0, count, size)]
