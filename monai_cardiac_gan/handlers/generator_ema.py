"""The moving average of a generator's weights, which paints better than the generator itself."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from typing import Any

import torch
from ignite.engine import Engine, Events
from torch import Tensor, nn
from torch.optim.swa_utils import get_ema_multi_avg_fn

from monai_cardiac_gan.engines import AdversarialEvents
from monai_cardiac_gan.handlers.observation import device_of

__all__ = ["GeneratorEMA"]

NETWORK, UPDATES = "network", "updates"


class GeneratorEMA:
    r"""Ignite handler: average the generator's weights over its updates, and so over the circles it runs in.

    .. math:: \bar\theta_0 = \theta_0, \qquad \bar\theta_t = d_t \bar\theta_{t-1} + (1 - d_t) \theta_t, \qquad
        d_t = \min\left(d, \frac{1 + t}{10 + t}\right)

    where :math:`\theta_0` are the weights after the first update that is seen. The ramp of :math:`d_t` (as in TensorFlow's
    ``ExponentialMovingAverage``) keeps the first, meaningless weights from being remembered for a thousand updates.

    Statistics of batch normalisation are averaged with the weights: they belong to the averaged weights as those of the
    latest update belong to the latest weights, while copied ones would be those of other activations. Buffers of whole
    numbers, such as counts of batches, are copied.

    Sources: Yazici et al. 2019, "The unusual effectiveness of averaging in GAN training", section 3; Karras et al. 2018,
    "Progressive growing of GANs", appendix A.1 (decay 0.999).

    Args:
        generator: the network in training, on its device.
        decay: :math:`d`, from 0 to below 1.
        warm_up: whether the ramp is used; else :math:`d_t = d`.

    Attributes:
        network: the average, a generator in evaluation mode whose weights need no gradients. The same object throughout.
        updates: how many updates are in it.

    Raises:
        ValueError: when `decay` is out of its range.

    Example:
        >>> generator = nn.Linear(1, 1, bias=False)
        >>> average = GeneratorEMA(generator)
        >>> for weight in (1.0, 12.0):
        ...     _ = nn.init.constant_(generator.weight, weight)
        ...     average.update()
        >>> round(average.network.weight.item(), 4)  # 2/11 of the first, 9/11 of the second
        10.0
    """

    def __init__(self, generator: nn.Module, decay: float = 0.999, warm_up: bool = True) -> None:
        if not 0 <= decay < 1:
            raise ValueError(f"decay is {decay}, expected 0 to below 1: 0.999 remembers about a thousand updates.")
        self.generator, self.decay, self.warm_up = generator, decay, warm_up
        self.network = deepcopy(generator).eval().requires_grad_(False)
        self.updates = 0

    def attach(self, engine: Engine) -> None:
        """Let the average follow the generator's updates."""
        engine.add_event_handler(Events.STARTED, self._move)
        engine.add_event_handler(AdversarialEvents.GENERATOR_UPDATED, self.update)

    @torch.no_grad()
    def update(self) -> None:
        """Take the generator's present weights in."""
        pairs = list(zip(_tensors(self.network), _tensors(self.generator), strict=True))
        averaged = [pair for pair in pairs if pair[0].is_floating_point()]
        get_ema_multi_avg_fn(self._decay())([mean for mean, _ in averaged], [now for _, now in averaged], self.updates)
        for mean, now in pairs:
            if not mean.is_floating_point():
                mean.copy_(now)
        self.updates += 1

    def state_dict(self) -> dict[str, Any]:
        """The averaged weights and the number of updates in them."""
        return {NETWORK: self.network.state_dict(), UPDATES: self.updates}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from an average."""
        self.network.load_state_dict(state[NETWORK])
        self.updates = int(state[UPDATES])

    def _decay(self) -> float:
        if self.updates == 0:
            return 0.0
        ramp = (1 + self.updates) / (10 + self.updates)
        return min(self.decay, ramp) if self.warm_up else self.decay

    def _move(self) -> None:
        self.network.to(device_of(self.generator))


def _tensors(network: nn.Module) -> list[Tensor]:
    return [*network.parameters(), *network.buffers()]
