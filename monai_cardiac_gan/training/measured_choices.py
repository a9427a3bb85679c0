"""Width, batch and execution of a training, chosen by how many updates they allow in the time that there is."""

from __future__ import annotations

import gc
import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import torch

__all__ = ["TrainingChoice", "candidates", "choose"]

logger = logging.getLogger(__name__)

WANTED_UPDATES = 10_000
"""Updates at both sizes below which a wider network is not worth its time: the generator of width 4 that shipped first had 10 500
in all."""
AS_FAST = 1.15
"""Times an update that make no difference: a GPU that waits for its host takes as long for a wide network as for a narrow one."""
WIDTHS = (8, 16, 32)
"""Of a GAN on a GPU."""
WARM_UP, MEASURED = 4, 8
"""Updates before and within a measurement; a penalty comes each eighth, so that one of those measured has it."""
RECORDED = 24
"""Updates before it where CUDA graphs are recorded: the third one with a penalty, number 17, is."""


@dataclass(frozen=True)
class TrainingChoice:
    """How a training is computed.

    Attributes:
        width: channels at full resolution.
        max_channels: most channels.
        batch_size: patches in a batch.
        autocast: see `Execution`, as the next.
        cuda_graphs: see `Execution`.
        subpixel: see `ResidualGenerator`; an update at 128 pixels then costs little more than one at 64.
        output_filter: side of the filter behind both generators, see `OutputFilter`.
        amortised_width: channels of the co-modulated generator at full resolution; the default weighs 8 MB.
        amortised_max_channels: its most channels.
        seconds: of one update at 128 pixels; 0 before it was measured.
    """

    width: int
    max_channels: int
    batch_size: int
    autocast: str | None = None
    cuda_graphs: bool = False
    subpixel: bool = True
    output_filter: int = 13
    amortised_width: int = 8
    amortised_max_channels: int = 256
    seconds: float = 0.0

    @property
    def warm_up(self) -> int:
        """Updates before a measurement."""
        return RECORDED if self.cuda_graphs else WARM_UP


def candidates(device: torch.device) -> list[TrainingChoice]:
    """What is measured on a device, from the least to the most work for an update.

    On a GPU each width is measured with CUDA graphs, in float32 and in bfloat16; the first one without graphs, should they fail.
    Compiling takes a minute and more, and brings nothing where the penalty runs eagerly (docs/concepts/training.md).

    Args:
        device: where the training runs.
    """
    if device.type == "cpu":
        return [TrainingChoice(4, 128, 16), TrainingChoice(8, 128, 16)]
    # at most 256 channels: weights of 14 MB at width 32
    recorded = [
        TrainingChoice(width, 256, 32, autocast, cuda_graphs=True)
        for width in WIDTHS
        for autocast in (None, "bfloat16")
    ]
    return [TrainingChoice(WIDTHS[0], 256, 32), *recorded]


def choose(
    choices: Sequence[TrainingChoice],
    trainer_of: Callable[[TrainingChoice], Any],
    seconds: float,
    deadline: Callable[[], bool],
) -> tuple[TrainingChoice, list[dict[str, Any]]]:
    """The widest network that gets `WANTED_UPDATES` in the time, else the widest of those that are about as fast as the fastest.

    Args:
        choices: from the least to the most work.
        trainer_of: gives a trainer at 128 pixels whose ``run`` makes ``warm_up`` + `MEASURED` updates of random images.
        seconds: that the trainings at both sizes will have.
        deadline: true when no time is left to measure more.

    Returns:
        The choice, and all that was measured.
    """
    measured: list[TrainingChoice] = []
    for choice in choices:
        if measured and deadline():
            break
        _forget_compiled()
        try:
            measured.append(
                TrainingChoice(**{**asdict(choice), "seconds": _seconds(trainer_of(choice), choice.warm_up)})
            )
        except (
            RuntimeError,
            torch.cuda.OutOfMemoryError,
        ) as error:  # graphs that cannot be recorded, or too little memory
            logger.warning("%s cannot be used here: %s", choice, str(error).splitlines()[0])
            continue
        logger.info("%s", measured[-1])
    if not measured:
        raise RuntimeError("no way of training works on this device: see the warnings above, or train on another one.")
    fast = [each for each in measured if each.seconds * WANTED_UPDATES <= seconds]
    fastest = min(each.seconds for each in measured)
    enough = fast or [each for each in measured if each.seconds <= AS_FAST * fastest]
    widest = max(each.width for each in enough)
    best = min((each for each in enough if each.width == widest), key=lambda each: each.seconds)
    return best, [asdict(each) for each in measured]


def _forget_compiled() -> None:
    """Dynamo stops compiling a class after eight graphs of all its instances; memory of earlier probes is freed, too."""
    torch.compiler.reset()
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()


def _seconds(trainer: Any, warm_up: int) -> float:
    """Median-free mean of an update behind the warm-up; a GPU is waited for at both ends."""
    times: list[float] = []

    def note(engine: Any) -> None:
        if engine.state.iteration in (warm_up, warm_up + MEASURED):
            if engine.state.device.type == "cuda":
                torch.cuda.synchronize(engine.state.device)
            times.append(time.perf_counter())

    trainer.add_event_handler("ITERATION_COMPLETED", note)
    trainer.run()
    return (times[1] - times[0]) / MEASURED
