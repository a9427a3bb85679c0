"""As much of a path as tells it from others."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

__all__ = ["ends_with", "shortest_tail"]


def ends_with(path: str, tail: str) -> bool:
    """Whether a path ends with these parts.

    Example:
        >>> ends_with("/data/visit1/heart.nii", "visit1/heart.nii"), ends_with("/data/myvisit1/heart.nii", "visit1/heart.nii")
        (True, False)
    """
    parts = Path(tail).parts
    return Path(path).parts[-len(parts) :] == parts


def shortest_tail(path: str, others: Sequence[str]) -> str:
    """The file's name, with as many folders before it as tell it from other paths.

    Example:
        >>> shortest_tail("/data/visit1/heart.nii", ["/data/visit2/heart.nii"]), shortest_tail("/data/a.nii", ["/data/b.nii"])
        ('visit1/heart.nii', 'a.nii')
    """
    parts = Path(path).parts
    different = [other for other in others if other != path]
    tails = ("/".join(parts[-length:]) for length in range(1, len(parts)))
    return next((tail for tail in tails if not any(ends_with(other, tail) for other in different)), path)
