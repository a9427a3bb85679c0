"""Differentiable augmentation of reals and fakes alike (Zhao et al. 2020, DiffAugment)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol, runtime_checkable

import torch
from torch import Tensor

__all__ = ["Augmentation", "DifferentiableAugmentation"]


@runtime_checkable
class Augmentation(Protocol):
    """Changes images before the critic sees them, by random numbers that others draw; gradients flow through it.

    Attributes:
        draws: how many numbers each image needs.
        probability: share of the images that are changed; handlers may move it.
    """

    draws: int
    probability: float

    def __call__(self, images: Tensor, uniforms: Tensor) -> Tensor:
        """Images (N, C, H, W) augmented by their numbers (N, draws), from 0 to 1."""
        ...

    def state_dict(self) -> dict[str, Any]:
        """What a resumed training needs."""
        ...

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take it over."""
        ...


class DifferentiableAugmentation:
    r"""Move, cut and re-scale images before the critic sees them, so that a small data set is not learnt by heart.

    The critic is shown :math:`T(x)` and :math:`T(G(z))` with fresh :math:`T` each, in its own update and in the
    generator's, and gradients flow through :math:`T`. What the generator makes is then as free of augmentation as the
    reals are, as long as :math:`T` can be undone in distribution (Karras et al. 2020, ADA, section 2.2): keep `probability`
    at 0.8 or below. A shift by up to m pixels blots out no wave as long as the probability is below

    .. math:: \frac{1}{1 - \min_\omega D_m(\omega)}, \quad
        D_m(\omega) = \frac{1 + 2 \sum_{k=1}^m \cos k \omega}{2 m + 1},

    which is 0.82 for m = 16 (an eighth of 128 pixels), 0.80 for m = 2 and 0.75 for m = 1. At 1 it does blot out some, and
    the generator may leave them out or make them up.

    There are no flips: the aorta lies on one side.

    All randomness comes in as numbers, so that who draws them (a process, a part of a batch) does not matter.

    Args:
        translation: largest shift along each axis, share of the side; the border is repeated. 0.125 in DiffAugment.
        cutout: side of the square that is set to 0, share of the side; 0.5 in DiffAugment. 0 cuts nothing.
        brightness: half the range of what is added, in the unit of the images; DiffAugment adds -0.5 to 0.5.
        contrast: half the range of the factor around 1 that scales an image about its mean; 0.5 in DiffAugment.
        probability: share of the images that each of the three kinds touches; may be changed at any time.

    Attributes:
        draws: how many numbers each image needs.

    Raises:
        ValueError: when an argument is out of its range.

    Example:
        With all draws in the middle nothing moves and nothing is scaled:

        >>> augment = DifferentiableAugmentation(cutout=0.0)
        >>> images = torch.rand(2, 1, 8, 8)
        >>> bool(torch.allclose(augment(images, torch.full((2, augment.draws), 0.5)), images))
        True
    """

    draws = 9

    def __init__(
        self,
        translation: float = 0.125,
        cutout: float = 0.5,
        brightness: float = 0.5,
        contrast: float = 0.5,
        probability: float = 1.0,
    ) -> None:
        shares = {"translation": translation, "cutout": cutout, "contrast": contrast, "probability": probability}
        for name, value in shares.items():
            if not 0 <= value <= 1:
                raise ValueError(f"{name} is {value}, expected 0 to 1: give it as a share.")
        if not brightness >= 0:
            raise ValueError(f"brightness is {brightness}, expected 0 or more: give half the range of what is added.")
        self.translation, self.cutout = translation, cutout
        self.brightness, self.contrast, self.probability = brightness, contrast, probability

    def __call__(self, images: Tensor, uniforms: Tensor) -> Tensor:
        """Augment each image by its own numbers.

        Args:
            images: (N, C, H, W).
            uniforms: (N, draws), from 0 to 1: three decide which kinds an image gets, six how strong they are.

        Returns:
            Images of the same shape; those that the probability leaves out are unchanged.

        Raises:
            ValueError: when there is not one row of numbers an image.
        """
        if uniforms.shape != (len(images), self.draws):
            raise ValueError(
                f"uniforms are {list(uniforms.shape)}, expected [{len(images)}, {self.draws}]: draw that many per image."
            )
        if self.probability == 0:
            return images
        chosen = uniforms[:, :3] < self.probability
        images = self._intensity(images, uniforms[:, 3:5], chosen[:, 0])
        images = self._move(images, uniforms[:, 5:7], chosen[:, 1])
        return self._cut(images, uniforms[:, 7:9], chosen[:, 2])

    def state_dict(self) -> dict[str, float]:
        """The probability, which a handler may have moved."""
        return {"probability": self.probability}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take the probability over."""
        self.probability = float(state["probability"])

    def _intensity(self, images: Tensor, uniforms: Tensor, chosen: Tensor) -> Tensor:
        if self.brightness == 0 and self.contrast == 0:
            return images
        signed = (2 * uniforms - 1) * chosen[:, None]
        shift, factor = (
            most * signed[:, axis, None, None, None] for axis, most in enumerate((self.brightness, self.contrast))
        )
        mean = images.mean((1, 2, 3), keepdim=True)
        return (images - mean) * (1 + factor) + mean + shift

    def _move(self, images: Tensor, uniforms: Tensor, chosen: Tensor) -> Tensor:
        if self.translation == 0:
            return images
        steps = []
        for axis, side in enumerate(images.shape[2:]):  # numbers of the host, so that nothing is copied to a GPU
            most = round(self.translation * side)
            drawn = torch.floor(uniforms[:, axis] * (2 * most + 1)).clamp(max=2 * most) - most
            steps.append((drawn * chosen).long())  # each whole shift is as likely
        rows, columns = (_shifted(side, each) for side, each in zip(images.shape[2:], steps, strict=True))
        images = images.gather(2, rows[:, None, :, None].expand_as(images))
        return images.gather(3, columns[:, None, None, :].expand_as(images))

    def _cut(self, images: Tensor, uniforms: Tensor, chosen: Tensor) -> Tensor:
        if self.cutout == 0:
            return images
        inside = [
            (_places(side, images) - side * middle[:, None]).abs() < 0.5 * self.cutout * side
            for side, middle in zip(images.shape[2:], uniforms.unbind(1), strict=True)
        ]
        square = inside[0][:, None, :, None] & inside[1][:, None, None, :] & chosen[:, None, None, None]
        return images.masked_fill(square, 0.0)


def _shifted(side: int, steps: Tensor) -> Tensor:
    """For each image, which row each row comes from; those beyond the border repeat it, (N, side)."""
    return (torch.arange(side, device=steps.device) - steps[:, None]).clamp(0, side - 1)


def _places(side: int, images: Tensor) -> Tensor:
    """Middles of the pixels along one axis, in pixels from the border."""
    return torch.arange(side, device=images.device, dtype=images.dtype) + 0.5
