"""The error of a volume that cannot be used, and what a person needs to know of it."""

from __future__ import annotations

__all__ = ["VolumeError", "reason_of"]


class VolumeError(ValueError):
    """One volume cannot be used; the message names its file, what was found, what was expected and what to do."""


def reason_of(error: BaseException, image: str) -> str:
    """What a person needs to know of an error: the innermost message of ours, and the file.

    Example:
        >>> reason_of(ValueError("every voxel is 0."), "a.nii")
        'a.nii: every voxel is 0.'
    """
    causes = [error]
    while causes[-1].__cause__ is not None:
        causes.append(causes[-1].__cause__)
    # MONAI wraps what a transform raises, and the reader's own words lie below our VolumeError
    known = [cause for kind in (VolumeError, ValueError) for cause in causes if isinstance(cause, kind)]
    message = str((known or causes[-1:])[0]) or type(error).__name__
    return message if image in message else f"{image}: {message}"
