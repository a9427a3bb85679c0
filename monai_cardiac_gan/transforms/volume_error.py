"""The error of a volume that cannot be used."""

from __future__ import annotations

__all__ = ["VolumeError"]


class VolumeError(ValueError):
    """One volume cannot be used; the message names its file, what was found, what was expected and what to do."""
