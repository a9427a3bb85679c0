"""Which of the processes of a training writes."""

from __future__ import annotations

from typing import Any

from monai_cardiac_gan.engines import Processes

__all__ = ["is_first_process", "process_count"]


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
