"""Ways to inpaint beside each other: their single answers, and their samples, against what had been hidden."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, TypeGuard

import torch
from torch import Tensor, nn

from monai_cardiac_gan.atomic import write_json, write_text
from monai_cardiac_gan.data import AortaPatchDataset, valid_region
from monai_cardiac_gan.evaluation.hidden_patches import HiddenPatches
from monai_cardiac_gan.evaluation.inpainting_quality import Discs, PatchErrors, find_discs, patch_errors
from monai_cardiac_gan.evaluation.inpainting_tables import (
    InpaintingComparison,
    InpaintingRow,
    Protocol,
    SampleRow,
    as_content,
    as_page,
)
from monai_cardiac_gan.evaluation.paired_difference import DifferenceRow, paired_differences
from monai_cardiac_gan.evaluation.sample_quality import SampleScores, sample_scores
from monai_cardiac_gan.inferers import Inpainter, ResidualGaussianSampler, Sampler, square_masks
from monai_cardiac_gan.keys import Field
from monai_cardiac_gan.networks.frozen import frozen

__all__ = ["EvaluateInpainting"]

logger = logging.getLogger(__name__)

ALL = "all"
"""Group of all subjects."""
SAMPLE_COUNT = 19
"""Samples of each patch: the fewest whose outermost two are the ends of a 90 % interval, see `central_interval`."""
MEDIAN, ONE = "median", "one sample"
"""Single answers of a sampler."""
IMAGES_AT_ONCE = 64
Hole = Tensor | Callable[[Any], Tensor]


class EvaluateInpainting:
    """Inpaint the same masks of held-out patches in several ways and compare them in tables for each hole.

    The first compares single answers: what an inpainter gives, and of a sampler the pixelwise median of its samples, which
    is the best answer to an L1, and its first sample. The second compares samples: proper scores, coverage, diversity,
    sharpness; there an inpainter has one. The third gives the differences of all of them from some references, patch by patch.
    Every table states its hole: a small one shows the aorta at its rim, so that what is painted in it comes nearer to what was
    hidden and says less about what was to be expected.

    A `ResidualGaussianSampler` without residuals learns them anew for each subject, in the same hole, from the held-out patches
    of all the others (with one subject held out it is left out): those of people that its inpainter was trained on would be too
    small.

    Args:
        inpainters: name -> way to inpaint.
        held_out: patches that nothing was trained on, all with pixels of one size; pixels outside the field of view do not
            count.
        output_dir: where ``inpainting.json`` (single answers), ``inpainting_samples.json``, ``inpainting_differences.json`` and
            ``inpainting.md`` (all) go; they are written anew after each way to inpaint.
        holes: name -> (H, W) bool, true where patches are painted, or a function of the batch; None takes `square_masks`.
        batch_size: patches at once.
        groups: name -> pattern of subjects (``"la_*"``, as `fnmatch` reads it); each gets rows of its own beside those of all.
        samplers: name -> way to sample; no name of an inpainter.
        sample_count: samples of each patch.
        sample_counts: the same for single samplers, by name, such as fewer for those that take seconds a patch.
        features: patches (N, 1, H, W) to features (N, F), such as `PatchFeatures`, in which U-IDS and P-IDS are; None leaves
            them out.
        by_subject: whether each subject is a group, too.
        references: inpainters and samplers from which the others differ; those that do not take part are passed over.
        seed: of the samples and of the bootstrap.

    Raises:
        ValueError: when there is no hole, a pattern fits no subject, a name has two meanings, or counts are given to no sampler.
    """

    def __init__(
        self,
        inpainters: Mapping[str, Inpainter],
        held_out: AortaPatchDataset,
        output_dir: str,
        holes: Mapping[str, Hole] | None = None,
        batch_size: int = 16,
        groups: Mapping[str, str] | None = None,
        samplers: Mapping[str, Sampler] | None = None,
        sample_count: int = SAMPLE_COUNT,
        sample_counts: Mapping[str, int] | None = None,
        features: nn.Module | None = None,
        by_subject: bool = False,
        references: Sequence[str] = (),
        seed: int = 0,
    ) -> None:
        self.inpainters, self.samplers, self.held_out = dict(inpainters), dict(samplers or {}), held_out
        if shared := sorted(set(self.inpainters) & set(self.samplers)):
            raise ValueError(f"{', '.join(shared)}: both an inpainter and a sampler; expected a name for each.")
        self.counts = dict.fromkeys(self.samplers, sample_count) | dict(sample_counts or {})
        if unknown := sorted(set(self.counts) - set(self.samplers)):
            raise ValueError(f"a count of samples for {', '.join(unknown)}: expected some of {sorted(self.samplers)}.")
        self.groups = {name: self._rows(pattern) for name, pattern in (groups or {}).items()}
        if by_subject:
            names = held_out.subjects()
            self.groups |= {name: [i for i, n in enumerate(names) if n == name] for name in sorted(set(names))}
        self.output_dir, self.batch_size = Path(output_dir), batch_size
        self.features, self.references, self.seed = features, tuple(references), seed
        self.holes: dict[str, Hole] = dict(square_masks() if holes is None else holes)
        if not self.holes:
            raise ValueError("holes is empty: expected one mask at least; None takes squares of several sides.")

    def run(self) -> InpaintingComparison:
        """Inpaint, compare and write; the rows of all tables."""
        originals = self.held_out.all_patches().float()
        valid = valid_region(self.held_out.all_bounds(), originals.shape[-1])
        self.pixel_mm = float(self.held_out[0][Field.IMAGE].pixdim[0])
        discs, features = find_discs(originals, self.pixel_mm), self._features(originals)
        found = InpaintingComparison([], [], [])
        sizes: dict[str, float] = {}
        names = [*self.inpainters, *self._possible_samplers()]
        for hole, given in self.holes.items():
            masks = self._masks(given).expand_as(originals)
            case = HiddenPatches(originals, masks, valid, self.held_out.subjects(), self.batch_size)
            sizes[hole] = float(masks.flatten(1).sum(1).double().mean())
            answers: dict[str, PatchErrors] = {}
            scores: dict[str, SampleScores] = {}
            for name in names:
                samples, seconds = self._samples(name, case)
                errors, scores[name] = self._compared(name, samples, case, discs, features, seconds)
                answers |= errors
                found.points.extend(self._point_rows(hole, errors, case.subjects))
                found.samples.extend(self._sample_rows(hole, name, scores[name], case.subjects))
                logger.info("%s, %s: %s", hole, name, found.points[-1 - len(self.groups)].quality)
                self._write(found, sizes)
            found.differences.extend(self._difference_rows(hole, answers, scores, case.subjects))
            self._write(found, sizes)
        return found

    def _samples(self, name: str, case: HiddenPatches) -> tuple[Tensor, float]:
        if name in self.inpainters:
            return case.painted(self.inpainters[name])
        return case.sampled(self.samplers[name], self.counts[name], self.seed)

    def _possible_samplers(self) -> list[str]:
        """All but those that would have to learn from other people, where there are none; with a warning."""
        if len(set(self.held_out.subjects())) > 1:
            return list(self.samplers)
        for name in [name for name, sampler in self.samplers.items() if _learns(sampler)]:
            logger.warning("%s: left out, it learns residuals from other held-out people, and there is only one", name)
        return [name for name, sampler in self.samplers.items() if not _learns(sampler)]

    def _compared(
        self, name: str, samples: Tensor, case: HiddenPatches, discs: Discs, features: Tensor | None, seconds: float
    ) -> tuple[dict[str, PatchErrors], SampleScores]:
        """Errors by the name of each single answer, and the scores of all samples."""
        hidden = case.hidden
        # discs, spectra and features would see what was painted outside the field of view
        samples = torch.where(hidden[:, None], samples, case.originals[:, None])
        found = [find_discs(own, self.pixel_mm) for own in samples]
        firsts = [own[0] for own in found]

        def errors(painted: Tensor, painted_discs: Discs) -> PatchErrors:
            return patch_errors(painted, case.originals, hidden, painted_discs, discs, self.pixel_mm)

        if samples.shape[1] == 1:
            answers = {name: errors(samples[:, 0], firsts)}
        else:
            median = samples.quantile(0.5, dim=1)
            answers = {
                f"{name}, {MEDIAN}": errors(median, find_discs(median, self.pixel_mm)),
                f"{name}, {ONE}": errors(samples[:, 0], firsts),
            }
        of_samples = self._features(samples.flatten(0, 1))
        scores = sample_scores(
            samples, case.originals, hidden, found, discs, self.pixel_mm, seconds,
            None if of_samples is None else of_samples.unflatten(0, samples.shape[:2]), features,
        )  # fmt: skip
        return answers, scores

    def _point_rows(
        self, hole: str, answers: Mapping[str, PatchErrors], subjects: Sequence[str]
    ) -> list[InpaintingRow]:
        return [
            InpaintingRow(hole, answer, group, errors.quality(subjects, rows, self.seed))
            for answer, errors in answers.items()
            for group, rows in self._groups()
        ]

    def _sample_rows(self, hole: str, name: str, scores: SampleScores, subjects: Sequence[str]) -> list[SampleRow]:
        return [
            SampleRow(hole, name, group, scores.quality(subjects, rows, self.seed)) for group, rows in self._groups()
        ]

    def _difference_rows(
        self,
        hole: str,
        answers: Mapping[str, PatchErrors],
        scores: Mapping[str, SampleScores],
        subjects: Sequence[str],
    ) -> list[DifferenceRow]:
        """From those of the references that took part."""
        compared = (
            {name: errors.measures() for name, errors in answers.items()},
            {name: each.measures() for name, each in scores.items()},
        )
        rows = []
        for measures in compared:
            for reference in self.references:
                if reference not in measures:
                    continue
                for group, chosen in self._groups():
                    found = paired_differences(measures, reference, subjects, chosen, self.seed)
                    rows += [DifferenceRow(hole, way, group, reference, each) for way, each in found.items()]
        return rows

    def _groups(self) -> list[tuple[str, list[int] | None]]:
        return [(ALL, None), *self.groups.items()]

    @torch.no_grad()
    def _features(self, images: Tensor) -> Tensor | None:
        if self.features is None:
            return None
        device = next(self.features.parameters()).device
        with frozen(self.features, evaluate=True):
            return torch.cat([self.features(part.to(device)).cpu() for part in images.split(IMAGES_AT_ONCE)])

    def _write(self, found: InpaintingComparison, sizes: Mapping[str, float]) -> None:
        names = self.held_out.subjects()
        groups = {name: sorted({names[row] for row in rows}) for name, rows in self.groups.items()}
        protocol = Protocol(len(names), sorted(set(names)), self.seed, groups, sizes)
        for file, rows in (
            ("inpainting", found.points),
            ("inpainting_samples", found.samples),
            ("inpainting_differences", found.differences),
        ):
            write_json(self.output_dir / f"{file}.json", as_content(rows))
        write_text(self.output_dir / "inpainting.md", as_page(found, protocol))

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


def _learns(sampler: Sampler | None) -> TypeGuard[ResidualGaussianSampler]:
    return isinstance(sampler, ResidualGaussianSampler) and not sampler.residuals
