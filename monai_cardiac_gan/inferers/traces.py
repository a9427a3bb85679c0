"""How latent searches came to where they ended."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from torch import Tensor

__all__ = ["InitialImages", "LossTraces", "StopReason"]


class StopReason:
    """Why a search ended."""

    ITERATIONS = "all iterations done"
    CONVERGED = "nothing improves"
    NO_STEP = "no step lowers the loss"
    NOT_FINITE = "left the finite numbers"
    NOT_SEARCHED = "drawn, not searched"


@dataclass(frozen=True)
class LossTraces:
    """The loss of every search at every iteration; entry 0 is the start, before the first step.

    Of `CoarseToFine` these are the losses of the second optimiser, whose start is where the first one ended.

    N patches, S starts each, T iterations; the axis N is missing where there is one patch.

    Attributes:
        terms: name of each term of the loss -> (T + 1, N, S) its value, without its weight.
        total: (T + 1, N, S) their weighted sum, which is made small. A search that has stopped keeps its last value.
    """

    terms: Mapping[str, Tensor]
    total: Tensor

    def of_patch(self, index: int) -> LossTraces:
        """Those of one patch, (T + 1, S)."""
        return LossTraces({name: values[:, index] for name, values in self.terms.items()}, self.total[:, index])


@dataclass(frozen=True)
class InitialImages:
    """Images of the latents among which the starts were chosen, and of those that were. B images of those tried are kept.

    The axis N is missing where there is one patch.

    Attributes:
        tried: (1, B, 1, H, W) the first batch of latents, shared by all patches, or (N, B, 1, H, W), those of each.
        tried_losses: (N, B) contextual loss of each of these images for each patch.
        chosen: (N, S, 1, H, W) the starts, best first.
        chosen_losses: (N, S) their contextual losses.
        chosen_indices: (N, S) their numbers among all that were tried; below B they are among those kept.
        count: number of all that were tried for each patch (980 in the publication).
    """

    tried: Tensor
    tried_losses: Tensor
    chosen: Tensor
    chosen_losses: Tensor
    chosen_indices: Tensor
    count: int

    def of_patch(self, index: int) -> InitialImages:
        """Those of one patch."""
        return InitialImages(
            self.tried[index if len(self.tried) > 1 else 0],
            self.tried_losses[index],
            self.chosen[index],
            self.chosen_losses[index],
            self.chosen_indices[index],
            self.count,
        )
