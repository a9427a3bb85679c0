"""What results were made with: versions of packages, and digests of files."""

from __future__ import annotations

from collections.abc import Iterable
from importlib.metadata import version
from pathlib import Path

import monai_cardiac_gan
from monai_cardiac_gan.data import input_state

__all__ = ["digests_of_files", "versions"]

BENEATH = ("monai", "torch", "numpy", "scipy", "scikit-image")
"""Packages on which the numbers rest."""


def versions() -> dict[str, str]:
    """Package -> version, of this one and of those on which the numbers rest."""
    return {"monai_cardiac_gan": monai_cardiac_gan.__version__} | {name: version(name) for name in BENEATH}


def digests_of_files(paths: Iterable[str]) -> dict[str, str]:
    """Name of each file that is there -> SHA-256 of its content, hexadecimal."""
    return {Path(path).name: input_state(path).sha256 for path in paths if Path(path).is_file()}
