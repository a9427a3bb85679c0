"""A bar with the losses of the running epoch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ignite.engine import Engine
from ignite.handlers import ProgressBar

from monai_cardiac_gan.engines import TrainingOutput

__all__ = ["TrainingProgress"]

DIGITS = 4
"""Significant digits of the numbers in the bar."""


class TrainingProgress:
    """Show iterations, remaining time and the losses while a trainer runs.

    Args:
        names: which numbers of ``state.output`` are shown.
        persist: whether the bar of an epoch stays when the epoch is over.
        tqdm_kwargs: more arguments of ``tqdm``, such as ``file`` or ``disable``.

    Example:
        >>> trainer = WganGpTrainer(..., train_handlers=[TrainingProgress()])  # doctest: +SKIP
        >>> trainer.run()  # doctest: +SKIP
        Epoch [1/10]: [3/5]  60%|██████    , loss=-1.204, wasserstein=2.5, ... [00:04<00:03]
    """

    def __init__(self, names: Sequence[str] = TrainingOutput.ALL, persist: bool = False, **tqdm_kwargs: Any) -> None:
        self.names = tuple(names)
        self.bar = ProgressBar(persist=persist, **tqdm_kwargs)

    def attach(self, engine: Engine) -> None:
        """Let the bar follow the engine."""
        self.bar.attach(engine, output_transform=self.numbers)

    def numbers(self, output: dict[str, float]) -> dict[str, str]:
        """Numbers as they are shown.

        Raises:
            ValueError: when the engine's output lacks one of the names.
        """
        missing = [name for name in self.names if name not in output]
        if missing:
            raise ValueError(
                f"The output holds {', '.join(output)}, expected also {', '.join(missing)}: "
                "give `names` that the engine puts out."
            )
        return {name: f"{output[name]:.{DIGITS}g}" for name in self.names}
