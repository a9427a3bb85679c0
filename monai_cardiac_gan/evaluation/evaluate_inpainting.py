"""How near inpainted patches come to what had been hidden."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import numpy as np
import torch
from skimage.metrics import structural_similarity
from torch import Tensor

from monai_cardiac_gan.aorta import AortaDisc, measure_disc
from monai_cardiac_gan.atomic import write_json, write_text
from monai_cardiac_gan.data import AortaPatchDataset, valid_region
from monai_cardiac_gan.inferers import Inpainter, seam_error, square_masks
from monai_cardiac_gan.inferers.random_masks import within_valid
from monai_cardiac_gan.keys import Field
from monai_cardiac_gan.losses import masked_l1

__all__ = ["EvaluateInpainting", "InpaintingQuality", "InpaintingRow", "inpainting_quality"]

logger = logging.getLogger(__name__)

WINDOW_SIGMA = 1.5
"""Standard deviation of the window of SSIM, pixels (Wang et al. 2004)."""
VALUE_RANGE = 2.0
"""From -1 to 1."""
LEAST_ERROR = 1e-12
"""Mean squared errors below count as this, 126 dB, so that equal images have a number."""

ALL = "all"
"""Group of all subjects."""
LABELS = 3
"""Columns of text that name a row."""
Hole = Tensor | Callable[[Any], Tensor]


@dataclass(frozen=True)
class InpaintingQuality:
    """One way to inpaint against the originals; means over the patches.

    Attributes:
        l1: mean absolute difference inside the mask, 0 to 2.
        psnr: peak signal-to-noise ratio inside the mask, dB; mean of the patches' own.
        ssim: structural similarity, mean over the hidden pixels.
        seam: see `seam_error`.
        found: share of the patches with an aorta in which one is found after inpainting; None without any.
        centre_error_mm: mean distance of the centres, where both have one; None if none has, as below.
        diameter_error_mm: mean absolute difference of the diameters.
        diameter_bias_mm: mean difference, inpainted less original.
        patches: how many.
        with_aorta: in how many originals an aorta was found.
    """

    l1: float
    psnr: float
    ssim: float
    seam: float
    found: float | None
    centre_error_mm: float | None
    diameter_error_mm: float | None
    diameter_bias_mm: float | None
    patches: int
    with_aorta: int


def inpainting_quality(painted: Tensor, originals: Tensor, masks: Tensor, pixel_mm: float = 1.0) -> InpaintingQuality:
    """Compare inpainted patches with what they were.

    Args:
        painted: (N, 1, H, W), -1 to 1.
        originals: the same shape.
        masks: the same shape, bool.
        pixel_mm: side of a pixel, mm.

    Example:
        >>> original = torch.linspace(-1, 1, 128 * 128).view(1, 1, 128, 128)
        >>> mask = square_masks()["25 px"].expand(1, 1, 128, 128)
        >>> quality = inpainting_quality(torch.where(mask, original + 0.02, original).clamp(-1, 1), original, mask)
        >>> round(quality.l1, 3), round(quality.psnr, 1)
        (0.02, 40.0)
    """
    hidden = (painted - originals).square().flatten(1)
    weights = masks.flatten(1).to(hidden.dtype)
    errors = (hidden * weights).sum(1) / weights.sum(1)
    discs = [
        (measure_disc(original[0].numpy(), pixel_mm), measure_disc(painted_one[0].numpy(), pixel_mm))
        for original, painted_one in zip(originals.cpu(), painted.cpu(), strict=True)
    ]
    there = [pair for pair in discs if pair[0] is not None]
    pairs = [(original, found) for original, found in there if original is not None and found is not None]
    return InpaintingQuality(
        l1=masked_l1(painted, originals, masks).mean().item(),
        psnr=(10 * torch.log10(VALUE_RANGE**2 / errors.clamp(min=LEAST_ERROR))).mean().item(),
        ssim=float(np.mean([_ssim(*three) for three in zip(painted, originals, masks, strict=True)])),
        seam=seam_error(painted, originals, masks).mean().item(),
        found=len(pairs) / len(there) if there else None,
        centre_error_mm=_mean([pixel_mm * float(np.linalg.norm(b.centre - a.centre)) for a, b in pairs]),
        diameter_error_mm=_mean([abs(_growth(pair)) for pair in pairs]),
        diameter_bias_mm=_mean([_growth(pair) for pair in pairs]),
        patches=len(painted),
        with_aorta=len(there),
    )


@dataclass(frozen=True)
class InpaintingRow:
    """One row of the table.

    Attributes:
        hole: name of the mask, ``"25 px"`` for a square.
        inpainter: name of the way to inpaint.
        group: name of the subjects, ``"all"`` for all of them.
        quality: over their patches.
    """

    hole: str
    inpainter: str
    group: str
    quality: InpaintingQuality


class EvaluateInpainting:
    """Inpaint the same masks of held-out patches in several ways and compare them in one table.

    Every row states its hole: a small one shows the aorta at its rim, so that what is painted in it comes nearer to what was
    hidden and says less about what was to be expected.

    Args:
        inpainters: name -> way to inpaint.
        held_out: patches that nothing was trained on, all with pixels of one size; pixels outside the field of view do not
            count.
        output_dir: where ``inpainting.json`` and ``inpainting.md`` go; both are written anew after each inpainter.
        holes: name -> (H, W) bool, true where patches are painted, or a function of the batch; None takes `square_masks`.
        batch_size: patches at once.
        groups: name -> pattern of subjects (``"la_*"``, as `fnmatch` reads it); each gets rows of its own beside those of all.

    Raises:
        ValueError: when there is no hole, or a pattern fits no subject.
    """

    def __init__(
        self,
        inpainters: Mapping[str, Inpainter],
        held_out: AortaPatchDataset,
        output_dir: str,
        holes: Mapping[str, Hole] | None = None,
        batch_size: int = 16,
        groups: Mapping[str, str] | None = None,
    ) -> None:
        self.inpainters, self.held_out = dict(inpainters), held_out
        self.groups = {name: self._rows(pattern) for name, pattern in (groups or {}).items()}
        self.output_dir, self.batch_size = Path(output_dir), batch_size
        self.holes: dict[str, Hole] = dict(square_masks() if holes is None else holes)
        if not self.holes:
            raise ValueError("holes is empty: expected one mask at least; None takes squares of several sides.")

    def run(self) -> list[InpaintingRow]:
        """Inpaint, compare and write."""
        originals = self.held_out.all_patches().float()
        valid = valid_region(self.held_out.all_bounds(), originals.shape[-1])
        found: list[InpaintingRow] = []
        for hole, given in self.holes.items():
            masks = self._masks(given).expand_as(originals)
            for name, inpainter in self.inpainters.items():
                parts = zip(*(each.split(self.batch_size) for each in (originals, masks, valid)), strict=True)
                painted = torch.cat([inpainter(*part) for part in parts])
                for group, quality in self._qualities(painted, originals, within_valid(masks, valid)).items():
                    found.append(InpaintingRow(hole, name, group, quality))
                logger.info("%s, %s: %s", hole, name, found[-1 - len(self.groups)].quality)
                self._write(found)
        return found

    def _qualities(self, painted: Tensor, originals: Tensor, hidden: Tensor) -> dict[str, InpaintingQuality]:
        pixel_mm = float(self.held_out[0][Field.IMAGE].pixdim[0])
        groups: dict[str, Any] = {ALL: slice(None), **self.groups}
        return {
            group: inpainting_quality(painted[rows], originals[rows], hidden[rows], pixel_mm)
            for group, rows in groups.items()
        }

    def _write(self, rows: list[InpaintingRow]) -> None:
        content = [
            {"hole": row.hole, "inpainter": row.inpainter, "group": row.group, **asdict(row.quality)} for row in rows
        ]
        write_json(self.output_dir / "inpainting.json", content)
        write_text(self.output_dir / "inpainting.md", _table(content))

    def _masks(self, hole: Hole) -> Tensor:
        if not callable(hole):
            return hole
        items = [self.held_out[number] for number in range(len(self.held_out))]
        return hole({name: [item[name] for item in items] for name in (Field.IMAGE, Field.SUBJECT)})

    def _rows(self, pattern: str) -> list[int]:
        names = self.held_out.subjects()
        rows = [row for row, name in enumerate(names) if fnmatchcase(name, pattern)]
        if not rows:
            raise ValueError(f"no held-out subject is called like '{pattern}': expected names such as '{names[0]}'.")
        return rows


def _table(rows: list[dict[str, Any]]) -> str:
    names = list(rows[0])
    lines = [f"| {' | '.join(names)} |", "|---" * LABELS + "|---:" * (len(names) - LABELS) + "|"]
    for row in rows:
        cells = [
            "-" if value is None else value if isinstance(value, str) else f"{value:.3g}" for value in row.values()
        ]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def _ssim(painted: Tensor, original: Tensor, mask: Tensor) -> float:
    _, similarities = structural_similarity(
        painted[0].cpu().numpy(),
        original[0].cpu().numpy(),
        data_range=VALUE_RANGE,
        gaussian_weights=True,
        sigma=WINDOW_SIGMA,
        use_sample_covariance=False,
        full=True,
    )
    return float(similarities[mask[0].cpu().numpy()].mean())


def _growth(pair: tuple[AortaDisc, AortaDisc]) -> float:
    return pair[1].diameter_mm - pair[0].diameter_mm


def _mean(values: list[float]) -> float | None:
    return float(np.mean(values)) if values else None
