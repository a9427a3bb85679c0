"""How near fillings come to what had been hidden."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from fnmatch import fnmatchcase
from pathlib import Path

import numpy as np
import torch
from skimage.metrics import structural_similarity
from torch import Tensor, nn

from monai_cardiac_gan.aorta import AortaDisc, measure_disc
from monai_cardiac_gan.apps.random_holes import inside
from monai_cardiac_gan.data import AortaPatchDataset, valid_region, write_json
from monai_cardiac_gan.inferers import EncodedGuess, Filling, LatentInpaintingInferer, seam_error, square_hole
from monai_cardiac_gan.keys import Field
from monai_cardiac_gan.losses import masked_l1

__all__ = ["EncoderFilling", "EvaluateInpainting", "FillingQuality", "SearchFilling", "filling_quality"]

logger = logging.getLogger(__name__)

WINDOW_SIGMA = 1.5
"""Spread of the window of SSIM, pixels (Wang et al. 2004)."""
VALUE_RANGE = 2.0
"""From -1 to 1."""
LEAST_ERROR = 1e-12
"""Mean squared errors below count as this, 126 dB, so that equal images have a number."""


@dataclass(frozen=True)
class FillingQuality:
    """One way to fill holes against the originals; means over the patches.

    Attributes:
        l1: mean absolute difference inside the hole, 0 to 2.
        psnr: peak signal-to-noise ratio inside the hole, dB; mean of the patches' own.
        ssim: structural similarity, mean over the hidden pixels.
        seam: see `seam_error`.
        found: share of the patches with an aorta in which one is found after filling; None without any.
        centre_error_mm: mean distance of the centres, where both have one; None if none has, as below.
        diameter_error_mm: mean absolute difference of the diameters.
        diameter_bias_mm: mean difference, filled less original.
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


def filling_quality(painted: Tensor, originals: Tensor, holes: Tensor, pixel_mm: float = 1.0) -> FillingQuality:
    """Compare filled patches with what they were.

    Args:
        painted: (N, 1, H, W), -1 to 1.
        originals: the same shape.
        holes: the same shape, bool.
        pixel_mm: side of a pixel, mm.

    Example:
        >>> original = torch.linspace(-1, 1, 128 * 128).view(1, 1, 128, 128)
        >>> hole = square_hole().expand(1, 1, 128, 128)
        >>> quality = filling_quality(torch.where(hole, original + 0.02, original).clamp(-1, 1), original, hole)
        >>> round(quality.l1, 3), round(quality.psnr, 1)
        (0.02, 40.0)
    """
    hidden = (painted - originals).square().flatten(1)
    weights = holes.flatten(1).to(hidden.dtype)
    errors = (hidden * weights).sum(1) / weights.sum(1)
    discs = [
        (measure_disc(original[0].numpy(), pixel_mm), measure_disc(filled[0].numpy(), pixel_mm))
        for original, filled in zip(originals.cpu(), painted.cpu(), strict=True)
    ]
    there = [pair for pair in discs if pair[0] is not None]
    pairs = [(original, filled) for original, filled in there if original is not None and filled is not None]
    return FillingQuality(
        l1=masked_l1(painted, originals, holes).mean().item(),
        psnr=(10 * torch.log10(VALUE_RANGE**2 / errors.clamp(min=LEAST_ERROR))).mean().item(),
        ssim=float(np.mean([_ssim(*three) for three in zip(painted, originals, holes, strict=True)])),
        seam=seam_error(painted, originals, holes).mean().item(),
        found=len(pairs) / len(there) if there else None,
        centre_error_mm=_mean([pixel_mm * float(np.linalg.norm(b.centre - a.centre)) for a, b in pairs]),
        diameter_error_mm=_mean([abs(_growth(pair)) for pair in pairs]),
        diameter_bias_mm=_mean([_growth(pair) for pair in pairs]),
        patches=len(painted),
        with_aorta=len(there),
    )


class EvaluateInpainting:
    """Fill the same holes of held-out patches in several ways and compare them in one table.

    Args:
        fillings: name -> function of patches, holes and valid pixels (N, 1, H, W) that gives filled patches.
        held_out: patches that nothing was trained on, all with pixels of one size; pixels outside the field of view do not
            count.
        output_dir: where ``inpainting.json`` and ``inpainting.md`` go.
        hole_size: side of the square hole in the middle, pixels.
        batch_size: patches at once.
        groups: name -> pattern of subjects (``"la_*"``, as `fnmatch` reads it); each gets rows of its own beside those of all.

    Raises:
        ValueError: when a pattern fits no subject.
    """

    def __init__(
        self,
        fillings: Mapping[str, Filling],
        held_out: AortaPatchDataset,
        output_dir: str,
        hole_size: int = 25,
        batch_size: int = 16,
        groups: Mapping[str, str] | None = None,
    ) -> None:
        self.fillings, self.held_out = dict(fillings), held_out
        self.groups = {name: self._rows(pattern) for name, pattern in (groups or {}).items()}
        self.output_dir = Path(output_dir)
        self.hole_size, self.batch_size = hole_size, batch_size

    def run(self) -> dict[str, FillingQuality]:
        """Fill, compare and write."""
        originals = self.held_out.all_patches().float()
        pixel_mm = float(self.held_out[0][Field.IMAGE].pixdim[0])
        holes = square_hole(self.hole_size, shape=originals.shape[2:]).expand_as(originals)
        valid = valid_region(self.held_out.all_bounds(), originals.shape[-1])
        hidden = inside(holes, valid)
        found = {}
        for name, filling in self.fillings.items():
            parts = zip(*(each.split(self.batch_size) for each in (originals, holes, valid)), strict=True)
            painted = torch.cat([filling(*part) for part in parts])
            found[name] = filling_quality(painted, originals, hidden, pixel_mm)
            for group, rows in self.groups.items():
                found[f"{name}, {group}"] = filling_quality(painted[rows], originals[rows], hidden[rows], pixel_mm)
            logger.info("%s: %s", name, found[name])
        self.output_dir.mkdir(parents=True, exist_ok=True)
        write_json(self.output_dir / "inpainting.json", {name: asdict(quality) for name, quality in found.items()})
        (self.output_dir / "inpainting.md").write_text(_table(found), encoding="utf-8")
        return found

    def _rows(self, pattern: str) -> list[int]:
        names = self.held_out.subjects()
        rows = [row for row, name in enumerate(names) if fnmatchcase(name, pattern)]
        if not rows:
            raise ValueError(f"no held-out subject is called like '{pattern}': expected names such as '{names[0]}'.")
        return rows


class SearchFilling:
    """A latent search as a way to fill holes: the image of the best start.

    Args:
        inferer: has ``search(patches, holes, generator, valid)``, see `LatentInpaintingInferer`.
        generator: latents to images.
    """

    def __init__(self, inferer: LatentInpaintingInferer, generator: nn.Module) -> None:
        self.inferer, self.generator = inferer, generator

    def __call__(self, patches: Tensor, holes: Tensor, valid: Tensor | None = None) -> Tensor:
        """Filled patches on the CPU."""
        device = next(self.generator.parameters()).device
        return self.inferer.search(patches.to(device), holes.to(device), self.generator, valid).best_inpainted()


class EncoderFilling:
    """The encoder's first guess, without any search.

    Args:
        encoder: patches and holes to latents, see `LatentEncoder`.
        generator: latents to images.
    """

    def __init__(self, encoder: nn.Module, generator: nn.Module) -> None:
        self.guess, self.generator = EncodedGuess(encoder.eval()), generator

    def __call__(self, patches: Tensor, holes: Tensor, valid: Tensor | None = None) -> Tensor:
        """Filled patches on the CPU."""
        device = next(self.generator.parameters()).device
        images = self.guess(patches.to(device), holes.to(device), self.generator.eval())
        return torch.where(holes, images.to(patches), patches)


def _table(found: Mapping[str, FillingQuality]) -> str:
    names = list(FillingQuality.__dataclass_fields__)
    lines = [f"| filling | {' | '.join(names)} |", "|---|" + "---:|" * len(names)]
    for label, quality in found.items():
        cells = ["-" if value is None else f"{value:.3g}" for value in asdict(quality).values()]
        lines.append(f"| {label} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def _ssim(painted: Tensor, original: Tensor, hole: Tensor) -> float:
    _, similarities = structural_similarity(
        painted[0].cpu().numpy(),
        original[0].cpu().numpy(),
        data_range=VALUE_RANGE,
        gaussian_weights=True,
        sigma=WINDOW_SIGMA,
        use_sample_covariance=False,
        full=True,
    )
    return float(similarities[hole[0].cpu().numpy()].mean())


def _growth(pair: tuple[AortaDisc, AortaDisc]) -> float:
    return pair[1].diameter_mm - pair[0].diameter_mm


def _mean(values: list[float]) -> float | None:
    return float(np.mean(values)) if values else None
