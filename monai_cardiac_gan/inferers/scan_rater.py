"""How familiar a scan is, as settings that travel to other processes; its networks are loaded there once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch import Tensor

from monai_cardiac_gan.inferers.familiarity import Familiarity, ScanFamiliarity, TextureNetwork
from monai_cardiac_gan.inferers.loaded_once import LoadedOnce
from monai_cardiac_gan.networks import load_network

__all__ = ["ScanRater"]


class ScanRater:
    """Rate scans by the patches along their aortas (`Familiarity`).

    Args:
        features: makes the network that describes patches (`TextureNetwork`).
        features_path: its weights.
        familiarity_path: what was learnt of the training scans.
    """

    def __init__(self, features: Callable[[], Any], features_path: str, familiarity_path: str) -> None:
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
        paths = (self.features_path, self.familiarity_path)
        known, network = _LOADED.of(self, paths, self._load)
        return known.rate_patches(patches, valid, network)

    def _load(self) -> tuple[Familiarity, TextureNetwork]:
        network, known = self.features(), Familiarity()
        load_network(network, self.features_path, "cpu")
        load_network(known, self.familiarity_path, "cpu")
        return known, network.eval()


_LOADED: LoadedOnce[tuple[Familiarity, TextureNetwork]] = LoadedOnce()
