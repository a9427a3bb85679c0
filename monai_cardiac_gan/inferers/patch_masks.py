"""Masks for the patches of a batch: where `InpaintingEvaluator` paints."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from monai.data import MetaTensor
from scipy import ndimage
from torch import Tensor

from monai_cardiac_gan.aorta import measure_disc
from monai_cardiac_gan.data import file_name_of
from monai_cardiac_gan.inferers.masks import disc_mask, label_mask
from monai_cardiac_gan.keys import Field, PatchColumn
from monai_cardiac_gan.transforms import LoadVolume

__all__ = ["DiscMasks", "LabelMasks"]

ROUNDING = 1e-3
"""Voxels by which affines in 32-bit floats are wrong."""
VOLUME_SUFFIXES = (".nii.gz", ".nii", ".nrrd", ".mha")


class DiscMasks:
    """A disc around each patch's aorta: where it was found in the volume, or else where it is found in the patch.

    Args:
        margin_mm: by which the mask's radius exceeds the aorta's.

    Raises:
        ValueError: on a batch, when there is no aorta in a patch.
    """

    def __init__(self, margin_mm: float = 3.0) -> None:
        self.margin_mm = margin_mm

    def __call__(self, batch: Mapping[str, Any]) -> Tensor:
        """Masks (N, 1, H, W) bool of the patches of a batch."""
        return torch.stack([self._mask(image)[None] for image in batch[Field.IMAGE]])

    def _mask(self, image: Tensor) -> Tensor:
        pixel_mm = side_of_pixels(image)
        centre, diameter = self._aorta(image, pixel_mm)
        return disc_mask(centre, diameter / pixel_mm, self.margin_mm / pixel_mm, image.shape[1:])

    def _aorta(self, image: Tensor, pixel_mm: float) -> tuple[Sequence[float], float]:
        """Centre in pixels and diameter in mm."""
        meta = getattr(image, "meta", {})
        names = (PatchColumn.CENTRE_X, PatchColumn.CENTRE_Y, PatchColumn.DIAMETER)
        row, column, diameter = (float(meta.get(name, np.nan)) for name in names)
        if np.isfinite([row, column, diameter]).all():
            return (row / pixel_mm, column / pixel_mm), diameter
        found = measure_disc(torch.as_tensor(image).as_subclass(Tensor)[0].cpu().numpy(), pixel_mm)
        if found is None:
            raise ValueError(
                "no aorta is found in a patch and its metadata names none: hide a square instead, or give label maps."
            )
        return tuple(found.centre), found.diameter_mm


class LabelMasks:
    """What label maps of the volumes mark, at each patch's place.

    A pixel is hidden when the voxel nearest to it has one of the labels; patches know where they lie by their affine.

    Args:
        folder: label maps, named like the subjects (``subject.nii.gz``, also ``.nii``, ``.nrrd``, ``.mha``); where a subject
            has several volumes ``subject_key.nii.gz``, with the volume's key in the patch set. Names as `file_name_of` gives
            them.
        values: labels that are hidden; the aorta is 52 in TotalSegmentator's task "total", 23 in "total_mr".
        margin: by how many pixels the masks are larger.
        load: path to a label map (1, X, Y, Z) with an affine.

    Raises:
        FileNotFoundError: on a batch, when a subject has no label map.
        ValueError: on a batch, when a patch has no affine, two volumes would share a label map, or the labels hide none or all
            of a patch's pixels.
    """

    def __init__(
        self,
        folder: str,
        values: Sequence[int] = (1,),
        margin: int = 2,
        load: Callable[[str], MetaTensor] | None = None,
    ) -> None:
        self.folder, self.values, self.margin = Path(folder), list(values), margin
        self._used: dict[Path, str | None] = {}
        self._load = lru_cache(1)(LoadVolume() if load is None else load)  # patches come sorted by subject

    def __call__(self, batch: Mapping[str, Any]) -> Tensor:
        """Masks (N, 1, H, W) bool of the patches of a batch."""
        pairs = zip(batch[Field.IMAGE], batch[Field.SUBJECT], strict=True)
        return torch.stack([self._mask(image, subject)[None] for image, subject in pairs])

    def _mask(self, image: Tensor, subject: str) -> Tensor:
        if not isinstance(image, MetaTensor):
            raise ValueError(f"{subject}: a patch without an affine: its place among the labels is not known.")
        labels = self._load(str(self._path(subject, image.meta.get(PatchColumn.VOLUME))))
        to_labels = np.linalg.inv(np.asarray(labels.affine, float)) @ np.asarray(image.affine, float)
        height, width = image.shape[1:]
        grid = np.stack(np.meshgrid(np.arange(height), np.arange(width), [0.0], [1.0], indexing="ij"), -1)
        places = (grid.reshape(-1, 4) @ to_labels.T)[:, :3].T
        found = _nearest(labels[0].numpy(), places)
        try:
            return label_mask(torch.from_numpy(found.reshape(height, width).round()), self.values, self.margin)
        except ValueError as error:
            raise ValueError(f"{subject}: {error}") from error

    def _path(self, subject: str, key: str | None) -> Path:
        """The label map of a volume: under its key, or under the subject's name where no other volume has taken that."""
        name = file_name_of(subject)
        for stem in ([] if key is None else [f"{name}_{key}"]) + [name]:
            for suffix in VOLUME_SUFFIXES:
                if (path := self.folder / f"{stem}{suffix}").exists():
                    return self._taken(path, subject, key)
        raise FileNotFoundError(
            f"{self.folder}: holds no label map of {subject}: expected {name}.nii.gz or another of {VOLUME_SUFFIXES}."
        )

    def _taken(self, path: Path, subject: str, key: str | None) -> Path:
        before = self._used.setdefault(path, key)
        if before != key:
            raise ValueError(
                f"{path}: is the label map of {subject}, who has several volumes ({before}, {key}): give one for each, such as "
                f"{file_name_of(subject)}_{key}.nii.gz."
            )
        return path


def _nearest(labels: np.ndarray, places: np.ndarray) -> np.ndarray:
    """(N,) labels of the voxels in which places (3, N) lie, a voxel reaching half a step beyond its centre; 0 elsewhere."""
    last = np.array(labels.shape)[:, None] - 1
    is_inside = ((places >= -0.5 - ROUNDING) & (places <= last + 0.5 + ROUNDING)).all(0)
    found = ndimage.map_coordinates(labels, np.clip(places, 0, last), order=0, mode="nearest")
    return np.where(is_inside, found, 0)


def side_of_pixels(image: Tensor) -> float:
    """Side of a patch's pixels, mm, from its affine; 1 mm where it has none."""
    return float(np.linalg.norm(np.asarray(image.affine)[:3, 0])) if isinstance(image, MetaTensor) else 1.0
