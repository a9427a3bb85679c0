"""The pixels of patches as they are stored."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

__all__ = ["COLUMNS", "FINGERPRINTS", "PATCHES", "patch_stack"]

PATCHES, COLUMNS = "patches.npy", "columns.npy"
"""Files in the folder of a volume: pixels, and one `PatchRow` for each patch."""
FINGERPRINTS = "fingerprint.npy"
"""Its `volume_fingerprint`; sets that were written by hand have none."""


def patch_stack(patches: Sequence[np.ndarray]) -> np.ndarray:
    """Patches as they are stored: (N, H, W) float16.

    The step of float16 is at most 0.0005 in [-1, 1], an eighth of a grey level of 8 bits.

    Raises:
        ValueError: when there are none, or a value lies outside [-1, 1].
    """
    if not len(patches):
        raise ValueError("there are no patches: expected at least one; exclude the volume.")
    stacked = np.stack([np.asarray(patch, dtype=np.float32) for patch in patches])
    if not (np.abs(stacked) <= 1).all():
        raise ValueError(
            f"patches range from {stacked.min():g} to {stacked.max():g}: expected [-1, 1]; "
            "scale the volume's intensities first."
        )
    return stacked.astype(np.float16)
