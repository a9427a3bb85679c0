"""Start a training on larger patches where one on smaller patches ended."""

from __future__ import annotations

import os

import torch
from torch import nn

from monai_cardiac_gan.handlers import GeneratorEMA
from monai_cardiac_gan.handlers.generator_ema import NETWORK, UPDATES
from monai_cardiac_gan.networks.nets import grow_from

__all__ = ["grow_networks"]

GENERATOR, CRITIC, EMA = "generator", "critic", "ema"


def grow_networks(path: str | os.PathLike[str], generator: nn.Module, critic: nn.Module, ema: GeneratorEMA) -> None:
    """Load generator, critic and EMA of a training on patches of half the side into larger networks.

    Optimisers and the trainer's counters start anew. The EMA keeps its number of updates: one of none would be
    replaced by the first new weights.

    Args:
        path: ``last.pt`` of that training.
        generator: a `ResidualGenerator` for twice the size, otherwise built alike.
        critic: a `ResidualCritic`, likewise.
        ema: of this generator.

    Raises:
        FileNotFoundError: when there is no such file.
        ValueError: when it holds other things, or the weights do not fit (`grow_from`).
    """
    if not os.path.exists(path):
        raise FileNotFoundError(
            f"{path}: no checkpoint lies here; train on smaller patches first, or name its last.pt."
        )
    state = torch.load(path, map_location="cpu", weights_only=True)
    missing = [name for name in (GENERATOR, CRITIC, EMA) if name not in state]
    if missing:
        raise ValueError(f"{path}: lacks {', '.join(missing)}; name the last.pt of a training that keeps an EMA.")
    grow_from(generator, state[GENERATOR])
    grow_from(critic, state[CRITIC])
    grow_from(ema.network, state[EMA][NETWORK])
    ema.updates = int(state[EMA][UPDATES])
