"""Which volumes are the same image."""

from __future__ import annotations

import hashlib

import numpy as np

__all__ = ["volume_digest"]


def volume_digest(voxels: np.ndarray) -> str:
    """SHA-256 of a volume's voxels and shape; the same for one image under two names or two file formats.

    Args:
        voxels: (X, Y, Z) in a fixed orientation (RAS+) and before any resampling; compared as float32.

    Example:
        >>> volume_digest(np.zeros((2, 3, 4))) == volume_digest(np.zeros((2, 3, 4), dtype=np.int16))
        True
    """
    array = np.ascontiguousarray(voxels, dtype=np.float32)
    digest = hashlib.sha256(repr(array.shape).encode())
    digest.update(array.data)
    return digest.hexdigest()
