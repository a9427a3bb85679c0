"""Held-out patches with a hole in each, painted and sampled batch by batch."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from monai_cardiac_gan.inferers import Inpainter, ResidualGaussianSampler, Sampler
from monai_cardiac_gan.inferers.random_masks import within_valid

__all__ = ["HiddenPatches"]


@dataclass(frozen=True)
class HiddenPatches:
    """What was held out, with one hole in each patch: N patches.

    Attributes:
        originals: (N, 1, H, W), -1 to 1.
        masks: the same shape, bool.
        valid: the same shape, bool, inside the field of view.
        subjects: (N,) whose each is.
        batch_size: patches that are painted at once.
    """

    originals: Tensor
    masks: Tensor
    valid: Tensor
    subjects: Sequence[str]
    batch_size: int

    @property
    def hidden(self) -> Tensor:
        """The pixels that count."""
        return within_valid(self.masks, self.valid)

    def painted(self, inpainter: Inpainter) -> tuple[Tensor, float]:
        """One answer to each as a sample, (N, 1, 1, H, W) on the CPU, and seconds for each patch."""
        began = time.perf_counter()
        found = torch.cat([inpainter(*part) for _, part in self._batches()])[:, None]
        return found.float().cpu(), (time.perf_counter() - began) / len(found)

    def sampled(self, sampler: Sampler, count: int, seed: int) -> tuple[Tensor, float]:
        """Samples of each, (N, count, 1, H, W) on the CPU, and seconds for each patch.

        A sampler that has its residuals still to learn learns them anew for each subject from all the others.

        Args:
            sampler: any.
            count: samples of each patch.
            seed: each batch has that and the number of its first patch.
        """
        if isinstance(sampler, ResidualGaussianSampler) and not sampler.residuals:
            return self._cross_fitted(sampler, count, seed)
        began = time.perf_counter()
        found = torch.cat([sampler(*part, count=count, seed=seed + first) for first, part in self._batches()])
        return found.float().cpu(), (time.perf_counter() - began) / len(found)

    def _cross_fitted(self, sampler: ResidualGaussianSampler, count: int, seed: int) -> tuple[Tensor, float]:
        samples = torch.empty(len(self.originals), count, *self.originals.shape[1:])
        seconds = 0.0
        for subject in sorted(set(self.subjects)):
            own = torch.tensor([each == subject for each in self.subjects])
            rows, others = own.nonzero()[:, 0], self._of((~own).nonzero()[:, 0])
            fitted = sampler.fitted(others.originals, others.masks, others.valid)
            samples[rows], each = self._of(rows).sampled(fitted, count, seed + int(rows[0]))
            seconds += each * len(rows)
        return samples, seconds / len(samples)

    def _of(self, rows: Tensor) -> HiddenPatches:
        names = [self.subjects[row] for row in rows.tolist()]
        return HiddenPatches(self.originals[rows], self.masks[rows], self.valid[rows], names, self.batch_size)

    def _batches(self) -> Iterator[tuple[int, tuple[Tensor, Tensor, Tensor]]]:
        """Number of the first patch of each batch; patches, masks and valid pixels."""
        for first in range(0, len(self.originals), self.batch_size):
            rows = slice(first, first + self.batch_size)
            yield first, (self.originals[rows], self.masks[rows], self.valid[rows])
