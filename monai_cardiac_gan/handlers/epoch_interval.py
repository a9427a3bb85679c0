"""Every few epochs."""

from __future__ import annotations

__all__ = ["checked_interval"]


def checked_interval(every_epochs: int) -> int:
    """The number of epochs from one time to the next, if it is one.

    Raises:
        ValueError: when it is below 1.
    """
    if every_epochs < 1:
        raise ValueError(f"every_epochs is {every_epochs}: expected at least 1.")
    return every_epochs
