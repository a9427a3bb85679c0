"""From a data list to a patch set: grade, localise, crop, split."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from monai.data import MetaTensor
from monai.transforms import ScaleIntensityRangePercentilesd
from tqdm import tqdm

import monai_cardiac_gan
from monai_cardiac_gan.data import (
    PatchSetWriter,
    Record,
    VolumeError,
    given_split,
    near_duplicates,
    same_person_groups,
    split_subjects,
)
from monai_cardiac_gan.keys import Field, PatchColumn
from monai_cardiac_gan.quality import GradeThreshold, QualityReport
from monai_cardiac_gan.transforms import CropAortaPatchesd, GradeImageQualityd, LocaliseAortad, standard_volume
from monai_cardiac_gan.visualize import figure_of_volume, save_figure

__all__ = ["PreparePatchSet", "VolumeOutcome", "scaled_intensity"]

logger = logging.getLogger(__name__)

FIGURES = "figures"
LEFT_OUT = "left out"
KEPT = "kept"
FIGURE_PATCHES = 5
"""Patches shown of each volume, evenly spread."""
LEFT_OUT_STATUS = 3
"""Exit status of a strict run that left volumes out; 1 and 2 are Python's own."""


def scaled_intensity(lower: float = 0.5, upper: float = 99.5) -> ScaleIntensityRangePercentilesd:
    """Robust scaling of a volume to [-1, 1]: the percentiles become the ends, what lies beyond is clipped."""
    return ScaleIntensityRangePercentilesd(Field.IMAGE, lower, upper, -1.0, 1.0, clip=True)


@dataclass
class VolumeOutcome:
    """What became of one volume.

    Attributes:
        subject: whose it is.
        image: its file.
        status: `"kept"` or `"left out"`.
        reason: why it was left out, empty for a kept one.
        details: grade, confidence, digest and the like, for the manifest.
        fingerprint: see `volume_fingerprint`; None where none was noted.
    """

    subject: str
    image: str
    status: str = LEFT_OUT
    reason: str = ""
    details: dict[str, Any] = field(default_factory=dict)
    fingerprint: np.ndarray | None = None

    def as_entry(self) -> dict[str, Any]:
        """The volume's entry in the manifest."""
        return {
            Field.SUBJECT: self.subject,
            Field.IMAGE: self.image,
            "status": self.status,
            "reason": self.reason,
            **self.details,
        }


class PreparePatchSet:
    """Make a patch set of all usable volumes; leave the others out, with the reason.

    Args:
        datalist: records (`data.read_datalist`).
        output_dir: folder of the patch set.
        volume: transform that loads a record onto a common grid (`transforms.standard_volume`).
        grade: transform that fills `Field.QUALITY`.
        threshold: which grades are good enough.
        localise: transform that fills `Field.AORTA`.
        scale: transform that brings intensities to [-1, 1].
        crop: transform that fills `Field.PATCHES`.
        train_fraction: share of the subjects for training.
        seed: of the split and of any jitter.
        min_patches: volumes with fewer believable slices are left out.
        overwrite: replace a patch set that is there already.
        strict: end with an error when a volume was left out (the patch set is written all the same).
        figures: draw one figure for each kept volume.
        use_labels: take the aorta from the label maps of records that have one; otherwise they are not read (public
            data lists name label maps of other organs).

    Raises:
        FileExistsError: when the output folder is in use and `overwrite` is false.
    """

    def __init__(
        self,
        datalist: Sequence[Record],
        output_dir: str,
        volume: Callable[[Any], Any] | None = None,
        grade: Callable[[Any], Any] | None = None,
        threshold: GradeThreshold | None = None,
        localise: Callable[[Any], Any] | None = None,
        scale: Callable[[Any], Any] | None = None,
        crop: Callable[[Any], Any] | None = None,
        train_fraction: float = 0.8,
        seed: int = 0,
        min_patches: int = 1,
        overwrite: bool = False,
        strict: bool = False,
        figures: bool = True,
        use_labels: bool = False,
    ) -> None:
        self.datalist = list(datalist)
        self.output_dir = Path(output_dir)
        self.volume = volume or standard_volume()
        self.grade = grade or GradeImageQualityd(Field.IMAGE)
        self.threshold = threshold or GradeThreshold()
        self.localise: Callable[[Any], Any] = localise or LocaliseAortad(Field.IMAGE)
        self.scale: Callable[[Any], Any] = scale or scaled_intensity()
        self.crop: Callable[[Any], Any] = crop or CropAortaPatchesd(Field.IMAGE)
        self.train_fraction = train_fraction
        self.seed = seed
        self.min_patches = min_patches
        self.overwrite = overwrite
        self.strict = strict
        self.figures = figures
        self.use_labels = use_labels

    def run(self) -> list[VolumeOutcome]:
        """Prepare all volumes.

        Returns:
            One outcome for each record, in their order.

        Raises:
            ValueError: when fewer than two different subjects are usable.
            SystemExit: with status 3, when volumes were left out and `strict` is true.
        """
        writer = PatchSetWriter(self.output_dir, self.overwrite)
        if isinstance(self.crop, CropAortaPatchesd):
            self.crop.set_random_state(self.seed)
        outcomes = [self._outcome(record, writer) for record in tqdm(self.datalist, desc="volumes", unit="volume")]
        kept = [outcome for outcome in outcomes if outcome.status == KEPT]
        self._log(outcomes)
        digests: dict[str, list[str]] = {}
        for outcome in kept:
            digests.setdefault(outcome.subject, []).append(outcome.details[Field.DIGEST])
        alike = self._alike(kept)
        groups = same_person_groups(digests, [(pair["subjects"][0], pair["subjects"][1]) for pair in alike])
        try:
            sides = given_split(groups, self._wanted(kept)) or split_subjects(groups, self.train_fraction, self.seed)
        except ValueError:
            writer.discard()
            raise
        for outcome in kept:
            outcome.details["split"] = sides[outcome.subject]
        writer.finish(self._manifest(outcomes, [group for group in groups if len(group) > 1], alike))
        logger.info("patch set: %s", self.output_dir)
        if self.strict and len(kept) < len(outcomes):
            logger.error("%d volumes were left out and --strict was asked for", len(outcomes) - len(kept))
            raise SystemExit(LEFT_OUT_STATUS)
        return outcomes

    def _wanted(self, kept: Sequence[VolumeOutcome]) -> dict[str, str]:
        """The sides that the data list names, of subjects with a volume that was kept."""
        names = {outcome.subject for outcome in kept}
        return {
            record[Field.SUBJECT]: record[Field.SPLIT]
            for record in self.datalist
            if Field.SPLIT in record and record[Field.SUBJECT] in names
        }

    def _alike(self, kept: Sequence[VolumeOutcome]) -> list[dict[str, Any]]:
        """Pairs of volumes of different subjects that are nearly the same image, told as a warning."""
        found = {
            str(place): outcome.fingerprint for place, outcome in enumerate(kept) if outcome.fingerprint is not None
        }
        pairs = []
        for one, other, cosine in near_duplicates(found):
            subjects = [kept[int(place)].subject for place in (one, other)]
            if subjects[0] != subjects[1]:
                pairs.append(
                    {"subjects": subjects, "images": [kept[int(p)].image for p in (one, other)], "cosine": cosine}
                )
                logger.warning(
                    "%s and %s are nearly the same image (%.3f): kept on one side of the split", *subjects, cosine
                )
        return pairs

    def _outcome(self, record: Record, writer: PatchSetWriter) -> VolumeOutcome:
        outcome = VolumeOutcome(record[Field.SUBJECT], str(record[Field.IMAGE]))
        try:
            cropped = self._cropped(record, outcome)
        except (ValueError, RuntimeError, OSError) as error:  # one bad volume must not stop the others
            outcome.reason = _reason(error, outcome.image)
            logger.debug("left out %s", outcome.image, exc_info=True)
            return outcome
        if cropped is not None:
            self._store(outcome, cropped, writer)
        return outcome

    def _cropped(self, record: Record, outcome: VolumeOutcome) -> dict[str, Any] | None:
        """The record with its patches, or None, with the reason noted, when the volume is not good enough."""
        if Field.ERROR in record:
            raise ValueError(record[Field.ERROR])
        used = {name: value for name, value in record.items() if self.use_labels or name != Field.LABEL}
        graded = self.grade(self.volume(used))
        report: QualityReport = graded[Field.QUALITY]
        outcome.details |= {
            Field.GRADE: report.grade,
            "grader": report.grader,
            "measures": {name: value if np.isfinite(value) else None for name, value in report.reasons.items()},
            Field.DIGEST: graded[Field.DIGEST],
        }
        outcome.fingerprint = graded.get(Field.FINGERPRINT)
        if (reason := self.threshold.reason_to_drop(report)) is not None:
            outcome.reason = f"{outcome.image}: {reason}"
            return None
        cropped: dict[str, Any] = self.crop(self.scale(self.localise(graded)))
        count = len(cropped[Field.PATCHES])
        outcome.details["track_confidence"] = cropped[Field.AORTA].track_confidence
        if count < self.min_patches:
            outcome.reason = (
                f"{outcome.image}: the descending aorta was believable on {count} slices, expected at least "
                f"{self.min_patches}; give a seed point inside it, or a label map."
            )
            return None
        return cropped

    def _store(self, outcome: VolumeOutcome, record: Record, writer: PatchSetWriter) -> None:
        patches: list[MetaTensor] = record[Field.PATCHES]
        shard = writer.add(
            [patch[0].as_tensor().numpy() for patch in patches],
            [np.asarray(patch.affine) for patch in patches],
            [patch.meta for patch in patches],
        )
        outcome.details |= {"shard": shard, "patches": len(patches)}
        outcome.status = KEPT
        if self.figures:
            save_figure(_figure(record), writer.companion(f"{FIGURES}/{shard}.png"))

    def _manifest(
        self, outcomes: list[VolumeOutcome], identical: list[list[str]], alike: list[dict[str, Any]]
    ) -> dict[str, Any]:
        return {
            "package_version": monai_cardiac_gan.__version__,
            "train_fraction": self.train_fraction,
            "seed": self.seed,
            "volumes": [outcome.as_entry() for outcome in outcomes],
            "identical_subjects": identical,
            "nearly_identical_images": alike,
        }

    def _log(self, outcomes: list[VolumeOutcome]) -> None:
        kept = [outcome for outcome in outcomes if outcome.status == KEPT]
        patches = sum(outcome.details["patches"] for outcome in kept)
        logger.info("%d of %d volumes kept, %d patches", len(kept), len(outcomes), patches)
        for outcome in outcomes:
            if outcome.status != KEPT:
                logger.warning("left out: %s: %s", outcome.subject, outcome.reason)


def _reason(error: BaseException, image: str) -> str:
    """What a person needs to know of an error: the innermost message of ours, and the file."""
    causes = [error]
    while causes[-1].__cause__ is not None:
        causes.append(causes[-1].__cause__)
    # MONAI wraps what a transform raises, and the reader's own words lie below our VolumeError
    known = [cause for kind in (VolumeError, ValueError) for cause in causes if isinstance(cause, kind)]
    message = str((known or causes[-1:])[0])
    return message if image in message else f"{image}: {message}"


def _figure(record: Record) -> Figure:
    image, patches = record[Field.IMAGE], record[Field.PATCHES]
    shown = [patches[i] for i in np.linspace(0, len(patches) - 1, min(FIGURE_PATCHES, len(patches))).astype(int)]
    return figure_of_volume(
        image[0].as_tensor().numpy(),
        image.pixdim.numpy(),
        record[Field.AORTA],
        [(int(patch.meta[PatchColumn.SLICE]), patch[0].as_tensor().numpy()) for patch in shown],
    )
