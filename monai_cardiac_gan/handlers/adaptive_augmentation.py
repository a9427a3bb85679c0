"""As much augmentation as the critic needs, and no more."""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping
from typing import Any

from ignite.engine import Engine, Events

from monai_cardiac_gan.engines import process_count
from monai_cardiac_gan.handlers.overfitting_monitor import OverfittingNumbers
from monai_cardiac_gan.handlers.throughput import images_in

__all__ = ["AdaptiveAugmentation"]

PROBABILITY, IMAGES = "augment_probability", "images"
METRIC = OverfittingNumbers.RATIO


class AdaptiveAugmentation:
    r"""Ignite handler: raise the probability of augmentation while the critic overfits, and lower it else.

    After each epoch in which `OverfittingMonitor` has measured :math:`r_v`, and with :math:`n` real images seen since the last
    such epoch,

    .. math:: p \leftarrow \operatorname{clip}\left(p + \operatorname{sign}(r_v - r^*) \frac{n}{n_\text{full}}, 0,
        p_\text{most}\right)

    The steps are those of Karras et al. 2020 ("Training generative adversarial networks with limited data", section 3.1):
    a fixed amount per image, so that :math:`p` can rise from 0 to 1 in 500 000 images. They adjust every four batches,
    from another measure; here it is as often as :math:`r_v` is measured. What is seen of :math:`p` is in ``state.metrics``
    as ``augment_probability``. Attach this handler later than `OverfittingMonitor`.

    Args:
        augment: has the attribute ``probability``, for example `DifferentiableAugmentation`; start it at 0.
        target: :math:`r^*`. 0.6 is what the paper uses by default for its measure :math:`r_t`; for :math:`r_v` it has to
            be tried.
        images_to_full: :math:`n_\text{full}`, images in which the probability can rise from 0 to 1.
        most: highest probability. Up to 0.8 augmentations do not leak into what is generated (section 2.2).

    Raises:
        ValueError: when a number is out of its range.
    """

    def __init__(self, augment: Any, target: float = 0.6, images_to_full: float = 500_000, most: float = 0.8) -> None:
        if not 0 <= most <= 1 or not images_to_full > 0 or not math.isfinite(target):
            raise ValueError(
                f"most is {most}, images_to_full {images_to_full} and target {target}: expected a probability, a positive "
                "number of images and a finite number."
            )
        self.augment, self.target, self.images_to_full, self.most = augment, target, images_to_full, most
        self.images = 0
        self._was_there = False

    def attach(self, engine: Engine) -> None:
        """Count images, and adjust after epochs with a measurement."""
        engine.add_event_handler(Events.ITERATION_COMPLETED, self._count)
        engine.add_event_handler(Events.EPOCH_COMPLETED, self._adjust)
        engine.add_event_handler(Events.COMPLETED, self._warn)

    def state_dict(self) -> dict[str, float]:
        """The probability, and the images seen since it was last adjusted."""
        return {PROBABILITY: self.augment.probability, IMAGES: self.images}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on with a probability."""
        self.augment.probability, self.images = float(state[PROBABILITY]), int(state[IMAGES])

    def _count(self, engine: Engine) -> None:
        self.images += images_in(engine.state.batch) * process_count(engine)

    def _adjust(self, engine: Engine) -> None:
        ratio = engine.state.metrics.get(METRIC)
        if ratio is not None:
            self._was_there = True
            if math.isfinite(ratio):
                self._step(ratio)
        engine.state.metrics[PROBABILITY] = self.augment.probability

    def _step(self, ratio: float) -> None:
        step = self.images / self.images_to_full
        signed = math.copysign(step, ratio - self.target) if ratio != self.target else 0.0
        self.augment.probability = min(max(self.augment.probability + signed, 0.0), self.most)
        self.images = 0

    def _warn(self, engine: Engine) -> None:
        if not self._was_there:
            logging.getLogger(__name__).warning(
                "The augmentation was never adjusted: no epoch had the metric '%s': attach OverfittingMonitor before.",
                METRIC,
            )
