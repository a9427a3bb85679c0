"""How familiar a scan is, as settings that travel to other processes; its networks are loaded there once."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from monai_cardiac_gan.data import settings_digest, settings_of
from monai_cardiac_gan.inferers.familiarity import Familiarity, ScanFamiliarity
from monai_cardiac_gan.networks import load_network

__all__ = ["ScanRater"]


class ScanRater:
    """Rate scans by the patches along their aortas (`Familiarity`).

    Args:
        features: makes the network that describes patches.
        features_path: its weights.
        familiarity_path: what was learnt of the training scans.
    """

    def __init__(self, features: Callable[[], nn.Module], features_path: str, familiarity_path: str) -> None:
        self.features, self.features_path, self.familiarity_path = features, str(features_path), str(familiarity_path)

    def __call__(self, patches: Tensor, valid: Tensor) -> ScanFamiliarity:
        """
        Args:
            patches: (n, 1, H, W) in [-1, 1], one every 10 mm or so.
            valid: (n, 1, H, W) bool, inside the field of view.

        Raises:
            FileNotFoundError: when weights are missing.
            ValueError: when they do not fit, or belong to another network.
        """
        known, network = _LOADED.of(self)
        return known.rate_patches(patches, valid, network)


class _Loaded:
    """The networks that were loaded last, and of which settings and files."""

    def __init__(self) -> None:
        self.key = ""
        self.parts: tuple[Familiarity, Any] | None = None

    def of(self, rater: ScanRater) -> tuple[Familiarity, Any]:
        paths = (rater.features_path, rater.familiarity_path)
        times = [Path(path).stat().st_mtime_ns if Path(path).exists() else 0 for path in paths]
        key = settings_digest([settings_of(rater), times])
        parts = self.parts if key == self.key else None
        if parts is None:
            network, known = rater.features(), Familiarity()
            load_network(network, rater.features_path, "cpu")
            load_network(known, rater.familiarity_path, "cpu")
            network.eval()
            parts = known, network
            self.key, self.parts = key, parts
        return parts


_LOADED = _Loaded()
