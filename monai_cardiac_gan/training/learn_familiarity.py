"""Learn what the scans look like that the networks are trained on."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from monai.data import MetaTensor
from torch import Tensor, nn

from monai_cardiac_gan.atomic import atomic_file, write_json
from monai_cardiac_gan.data import AortaPatchDataset, read_manifest
from monai_cardiac_gan.inferers.familiarity import STEP_MM, Familiarity, textures_of
from monai_cardiac_gan.keys import Field, PatchColumn

__all__ = ["LearnFamiliarity"]

logger = logging.getLogger(__name__)

SHOWN = (Field.IMAGE, Field.VALID)
"""Of a patch, what the network takes."""


class LearnFamiliarity:
    """Fit a `Familiarity` to the training subjects of a patch set; write it, and the subjects' distances beside it.

    Subjects that share a volume count as one, so that nobody is compared with himself.

    Args:
        dataset: patches of the training subjects.
        network: with weights; its ``texture`` describes the patches, see `PatchFeatures`.
        path: where the flat state dictionary goes; the distances go beside it, as ``.json``.
        familiarity: gets what is learnt.
        step_mm: least distance of the patches of a volume that are taken; scans have to be rated by patches as far apart.
        overwrite: let the file of an earlier time be replaced.

    Raises:
        FileExistsError: when `run` would replace a file.
        ValueError: when there are too few subjects or patches.
    """

    def __init__(
        self,
        dataset: AortaPatchDataset,
        network: nn.Module,
        path: str,
        familiarity: Familiarity,
        step_mm: float = STEP_MM,
        overwrite: bool = False,
    ) -> None:
        self.dataset, self.network, self.path, self.familiarity = dataset, network, Path(path), familiarity
        self.step_mm, self.overwrite = step_mm, overwrite

    def run(self) -> dict[str, float]:
        """Describe, fit and write; returns the distance of each subject from the others."""
        if self.path.exists() and not self.overwrite:
            raise FileExistsError(
                f"{self.path}: holds a reference: write into another folder (--models_dir), or give overwrite=True "
                "(--overwrite True)."
            )
        distances = self.familiarity.fit(self._textures())
        self.familiarity.belong_to(self.network)
        with atomic_file(self.path) as file:
            torch.save({name: value.cpu() for name, value in self.familiarity.state_dict().items()}, file)
        write_json(self.path.with_suffix(".json"), {"limit": max(distances.values()), "distances": distances})
        logger.info("familiarity: %s, limit %.3f of %d subjects", self.path, max(distances.values()), len(distances))
        return distances

    def _textures(self) -> dict[str, Tensor]:
        groups = read_manifest(self.dataset.folder).identical_subjects
        found: dict[str, list[Tensor]] = {}
        for rows in self.dataset.shards():
            items = self._apart(rows)
            patches, valid = (torch.stack([item[name].as_subclass(Tensor) for item in items]) for name in SHOWN)
            person = _person(items[0][Field.SUBJECT], groups)
            found.setdefault(person, []).append(textures_of(patches, valid, self.network))  # type: ignore[arg-type]
        return {person: torch.cat(parts) for person, parts in found.items()}

    def _apart(self, rows: np.ndarray) -> list[dict[str, Any]]:
        """Patches of one volume that are a step apart."""
        items = [self.dataset[int(row)] for row in rows]
        heights = np.array([_height_mm(item[Field.IMAGE]) for item in items])
        return [items[index] for index in _spaced(heights, self.step_mm)]


def _height_mm(patch: MetaTensor) -> float:
    """Of a patch above its volume's lowest slice."""
    return float(patch.meta[PatchColumn.SLICE] * patch.affine[:3, 2].norm())


def _spaced(heights_mm: np.ndarray, step_mm: float) -> Iterable[int]:
    """Indices from the lowest height on, each at least a step above the one before."""
    last = -np.inf
    for index in np.argsort(heights_mm, kind="stable"):
        if heights_mm[index] >= last + step_mm:
            last = heights_mm[index]
            yield int(index)


def _person(subject: str, groups: Sequence[Sequence[str]]) -> str:
    """The first name of those that share a volume."""
    return next((min(group) for group in groups if subject in group), subject)
