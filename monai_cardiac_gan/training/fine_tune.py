"""Start a training from weights that are there: those that ship, or those of other data."""

from __future__ import annotations

import logging
import os
from pathlib import Path

from torch import nn

from monai_cardiac_gan.networks import load_network

__all__ = ["start_from_weights"]

logger = logging.getLogger(__name__)


def start_from_weights(
    folder: str | os.PathLike[str], generator: nn.Module, critic: nn.Module, generator_file: str, critic_file: str
) -> None:
    """Load generator and critic from a folder of weights; a critic that is not there begins anew, and that is logged.

    Optimisers, counters and the EMA begin anew: the EMA takes over the generator at its first update.

    Args:
        folder: such as the bundle's ``models``.
        generator: gets the weights of `generator_file`.
        critic: gets those of `critic_file`.
        generator_file: its name in the folder.
        critic_file: see above.

    Raises:
        FileNotFoundError: when there is no such generator.
        ValueError: when weights do not fit.
    """
    load_network(generator, str(Path(folder) / generator_file))
    if (Path(folder) / critic_file).exists():
        load_network(critic, str(Path(folder) / critic_file))
    else:
        logger.warning("%s: no %s lies here, the critic begins anew", folder, critic_file)
