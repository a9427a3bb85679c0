"""Inpaint every patch of a data set."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Protocol, runtime_checkable

import torch
from monai.engines import Evaluator
from monai.engines.utils import IterationEvents
from torch import Tensor, nn

from monai_cardiac_gan.engines.prepare_images import prepare_valid
from monai_cardiac_gan.keys import Field

__all__ = ["InpaintingEvaluator", "PatchSearch"]


class SearchResult(Protocol):
    """What a search found for a batch."""

    def best_inpainted(self) -> Tensor:
        """(N, 1, H, W) the inpainted patches."""
        ...


@runtime_checkable
class PatchSearch(Protocol):
    """Inpaints batches of patches, such as `LatentInpaintingInferer`."""

    def search(
        self, patches: Tensor, masks: Tensor | None, generator: nn.Module, valid: Tensor | None = None
    ) -> SearchResult:
        """Inpaint patches (N, 1, H, W) where the masks, bool, are true; `valid` is true inside the field of view."""
        ...


class InpaintingEvaluator(Evaluator):
    """Hide a part of each patch, have it painted, and leave both to the metrics and handlers.

    After each batch ``state.output`` is a dictionary with

    - ``"image"``: the patches (N, 1, H, W),
    - ``"pred"``: the patches with the mask painted, from the best start of each (N, 1, H, W),
    - ``"result"``: all that the inferer found (`InpaintingResult` of `LatentInpaintingInferer`).

    The batch stays together, because one result holds all of it: MONAI's decollation is off, and metrics take their
    arguments by ``from_engine(["pred", "image"])``.

    Args:
        device: where the search runs; the generator and the inferer's critic must lie there.
        val_data_loader: gives dictionaries with `Field.IMAGE` (N, 1, H, W), -1 to 1, and optionally `Field.VALID`.
        network: the generator, latents to patches.
        inferer: searches for what lies behind the masks.
        mask: bool, (H, W), (1, 1, H, W) or (N, 1, H, W), true where a patch is painted; or a function of the batch that
            gives it; by default the inferer's own, the publication's square of 25 x 25 pixels in the middle.
        val_handlers: MONAI and Ignite handlers.
        arguments: other arguments of `monai.engines.Evaluator`, such as ``key_val_metric`` or ``epoch_length``.

    Raises:
        ValueError: when ``decollate`` is asked for, or a batch has no image.
    """

    def __init__(
        self,
        *,
        device: torch.device | str,
        val_data_loader: Iterable,
        network: nn.Module,
        inferer: PatchSearch,
        mask: Tensor | Callable[[Any], Tensor] | None = None,
        val_handlers: list | None = None,
        **arguments: Any,
    ) -> None:
        if arguments.setdefault("decollate", False):
            raise ValueError("decollate is set: one result holds a whole batch, leave it out or set it to False.")
        super().__init__(torch.device(device), val_data_loader, val_handlers=val_handlers, **arguments)
        self.network = network
        self.inferer = inferer
        self.mask = mask

    def _iteration(self, engine: InpaintingEvaluator, batchdata: Any) -> dict[str, Any]:
        if not isinstance(batchdata, dict) or Field.IMAGE not in batchdata:
            raise ValueError(
                f"the batch is a {type(batchdata).__name__} without '{Field.IMAGE}': expected dictionaries, as "
                "AortaPatchDataset gives them."
            )
        patches = batchdata[Field.IMAGE].to(engine.state.device, non_blocking=engine.non_blocking)
        masks = self.mask(batchdata) if callable(self.mask) else self.mask
        with self.mode(self.network):
            valid = prepare_valid(batchdata, patches, engine.non_blocking)
            result = self.inferer.search(patches, masks, self.network, valid)
        painted = result.best_inpainted().to(patches.device)
        engine.state.output = {Field.IMAGE: patches, "pred": painted, "result": result}
        engine.fire_event(IterationEvents.FORWARD_COMPLETED)
        engine.fire_event(IterationEvents.MODEL_COMPLETED)
        return engine.state.output
