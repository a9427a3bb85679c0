"""What can be wrong with one volume, so that a run can leave it out and go on with the others."""

from __future__ import annotations

__all__ = ["VolumeError"]


class VolumeError(ValueError):
    """One volume cannot be used; the message names its file, what was found, what was expected and what to do."""
