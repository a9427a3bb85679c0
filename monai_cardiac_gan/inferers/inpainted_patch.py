"""One inpainted patch: what was acquired, what is expected, and the aorta in both, measured once."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import torch
from monai.data import MetaTensor
from torch import Tensor

from monai_cardiac_gan.aorta import AortaDisc, AortaEllipse, fit_ellipse, measure_disc
from monai_cardiac_gan.inferers.disc_uncertainty import DiscUncertainty, uncertainty_of_discs
from monai_cardiac_gan.inferers.traces import InitialImages, LossTraces, StopReason
from monai_cardiac_gan.keys import PatchColumn

__all__ = ["InpaintedPatch", "PatchOrigin"]

UNKNOWN = "unknown"
NO_SLICE = -1


@dataclass(frozen=True)
class PatchOrigin:
    """Where a patch was cut from.

    Attributes:
        subject: the person.
        volume: key of the volume in the patch set; None where that is not known, as below.
        slice: index along the volume's third axis; -1 where that is not known.
        pixel_mm: side of a pixel; 1 without an affine.
        affine: (4, 4) from (row, column, 0, 1) to scanner millimetres.
        centre_x_mm: the aorta's centre as it was localised in the volume, see `PatchColumn`.
        centre_y_mm: along the second axis.
        diameter_mm: the aorta's.
        padded_share: share of the pixels outside the field of view.
    """

    subject: str = UNKNOWN
    volume: str | None = None
    slice: int = NO_SLICE
    pixel_mm: float = 1.0
    affine: np.ndarray | None = None
    centre_x_mm: float | None = None
    centre_y_mm: float | None = None
    diameter_mm: float | None = None
    padded_share: float | None = None

    @classmethod
    def of(cls, image: Tensor) -> PatchOrigin:
        """What a patch (1, H, W) knows of itself: all of it in a `MetaTensor` of a patch set, nothing in a plain tensor."""
        if not isinstance(image, MetaTensor):
            return cls()
        affine, meta = np.asarray(image.affine, dtype=np.float64), image.meta
        numbers = (PatchColumn.CENTRE_X, PatchColumn.CENTRE_Y, PatchColumn.DIAMETER, PatchColumn.PADDED)
        return cls(
            subject=str(meta.get(PatchColumn.SUBJECT, UNKNOWN)),
            volume=meta.get(PatchColumn.VOLUME),
            slice=int(meta.get(PatchColumn.SLICE, NO_SLICE)),
            pixel_mm=float(np.linalg.norm(affine[:3, 0])),
            affine=affine,
            **{name: float(meta[name]) if name in meta else None for name in numbers},
        )

    def as_entry(self) -> dict[str, Any]:
        """For JSON, under the names of `PatchColumn`; without the affine."""
        names = ("subject", "volume", "slice", "centre_x_mm", "centre_y_mm", "diameter_mm", "padded_share")
        return {name: getattr(self, name) for name in names}


@dataclass(frozen=True)
class InpaintedPatch:
    """A patch of an `InpaintingResult`, with all that was found of it; S solutions, all tensors on the CPU.

    Attributes:
        acquired: (1, H, W) the patch, -1 to 1.
        mask: (1, H, W) bool, true where pixels were hidden and painted.
        valid: (1, H, W) bool, true inside the field of view.
        solutions: (S, 1, H, W) the patch with its mask painted, from each start.
        generated: (S, 1, H, W) the generator's images.
        latents: (S, L).
        losses: (S,) total loss of each.
        traces: losses of all iterations, (T + 1, S) each.
        initial: where the searches started.
        snapshots: (F, H, W) uint8, see `InpaintingResult`.
        snapshot_iterations: (F,).
        evaluations: (S,) gradients that each search took.
        stops: why each search ended.
        origin: where the patch was cut from.
        typical: (1, H, W) what is expected where answers were drawn, see `InpaintingResult`.
    """

    acquired: Tensor
    mask: Tensor
    valid: Tensor
    solutions: Tensor
    generated: Tensor
    latents: Tensor
    losses: Tensor
    traces: LossTraces
    initial: InitialImages
    snapshots: Tensor
    snapshot_iterations: Tensor
    evaluations: Tensor
    stops: tuple[str, ...]
    origin: PatchOrigin
    typical: Tensor | None = None

    @property
    def is_searched(self) -> bool:
        """Whether a latent was searched for; false where all solutions were drawn, as `AmortisedInferer` does."""
        return any(stop != StopReason.NOT_SEARCHED for stop in self.stops)

    @cached_property
    def best(self) -> int:
        """Number of the solution of lowest total loss; of drawn ones that is the nearest to the mean."""
        return int(self.losses.argmin())

    @property
    def expected(self) -> Tensor:
        """(1, H, W) the typical image of drawn answers, or the best solution of a search."""
        return self.solutions[self.best] if self.typical is None else self.typical

    @cached_property
    def mean(self) -> Tensor:
        """(1, H, W) of the solutions; the acquired pixels outside the mask."""
        return self.solutions.mean(0)

    @cached_property
    def std(self) -> Tensor:
        """(1, H, W) standard deviation of the solutions, S - 1 in the denominator; 0 outside the mask, and for a single one."""
        return self.solutions.std(0) if len(self.solutions) > 1 else torch.zeros_like(self.acquired)

    @cached_property
    def acquired_disc(self) -> AortaDisc | None:
        """The aorta in the acquired patch; None where none is found, as below."""
        return measure_disc(self.acquired[0].numpy(), self.origin.pixel_mm)

    @cached_property
    def discs(self) -> tuple[AortaDisc | None, ...]:
        """The aorta in each solution."""
        return tuple(measure_disc(image[0].numpy(), self.origin.pixel_mm) for image in self.solutions)

    @cached_property
    def expected_disc(self) -> AortaDisc | None:
        """The aorta in what is expected."""
        return (
            self.discs[self.best]
            if self.typical is None
            else measure_disc(self.typical[0].numpy(), self.origin.pixel_mm)
        )

    @cached_property
    def acquired_ellipse(self) -> AortaEllipse | None:
        """The acquired aorta's rim as an ellipse."""
        return self._ellipse(self.acquired, self.acquired_disc)

    @cached_property
    def expected_ellipse(self) -> AortaEllipse | None:
        """The same in what is expected."""
        return self._ellipse(self.expected, self.expected_disc)

    @cached_property
    def uncertainty(self) -> DiscUncertainty:
        """What the aortas of the solutions agree on."""
        return uncertainty_of_discs(self.discs, self.origin.pixel_mm)

    def _ellipse(self, image: Tensor, disc: AortaDisc | None) -> AortaEllipse | None:
        return None if disc is None else fit_ellipse(image[0].numpy(), disc, self.origin.pixel_mm)
