"""Let a network for small patches become one for patches of twice the side."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import Tensor

__all__ = ["grow_from"]


def grow_from(network: Any, state: Mapping[str, Tensor]) -> Any:
    """Load the weights of a network for smaller patches, and let what is new start at zero.

    Afterwards the larger generator paints what the smaller one painted, upsampled before its tanh, and the larger
    critic scores a patch as the smaller one scores that patch reduced by the mean of 2 x 2 pixels. Training goes on from
    there (Karras et al. 2018, section 3; the new layers need no fade, for they start at zero).

    Args:
        network: a `ResidualGenerator` or `ResidualCritic`, its weights are replaced.
        state: state dictionary of one that was built alike for half the side (or for the same side).

    Returns:
        The network.

    Raises:
        ValueError: when the state does not fit into the network, or the network is a critic with spectral normalisation.

    Example:
        >>> import torch
        >>> from monai_cardiac_gan.networks.nets import ResidualCritic
        >>> small, large = ResidualCritic(4, size=32), ResidualCritic(4, size=64)
        >>> patches = torch.randn(2, 1, 64, 64)
        >>> grown = grow_from(large, small.state_dict())
        >>> bool(torch.allclose(grown(patches), small(torch.nn.functional.avg_pool2d(patches, 2))))
        True
    """
    own = network.state_dict()
    misfits = [name for name, value in state.items() if name not in own or own[name].shape != value.shape]
    new = {name for name in own if name not in state}
    newest = str(network.size)
    allowed = (f"blocks.{newest}.", f"to_image.{newest}.", f"from_image.{newest}.", "output_filter.")
    if misfits or any(not name.startswith(allowed) for name in new):
        wrong = sorted(misfits) or sorted(name for name in new if not name.startswith(allowed))
        raise ValueError(
            f"the state does not fit into a {type(network).__name__} for {newest} pixels ({', '.join(wrong[:3])}): expected "
            f"that of one with the same arguments for {network.size // 2} pixels."
        )
    if new:
        network.zero_init_(network.size)
    network.load_state_dict(state, strict=False)
    return network
