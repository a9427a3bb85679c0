"""Inpaint every patch of a data set."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from typing import Any, Protocol, runtime_checkable

import torch
from ignite.engine import Events
from monai.data import decollate_batch, list_data_collate
from monai.engines import Evaluator
from monai.engines.utils import IterationEvents
from torch import Tensor, nn

from monai_cardiac_gan.engines.prepare_images import prepare_valid
from monai_cardiac_gan.keys import Field

__all__ = ["InpaintingEvaluator", "PatchSearch"]

logger = logging.getLogger(__name__)


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
            gives it, (N, 1, H, W); by default the inferer's own, the publication's square of 25 x 25 pixels in the middle. Where
            the function raises a ValueError, each patch is tried alone; those without a mask are logged and left out, also of
            ``state.batch``. Where none of a batch is left, ``"result"`` is an empty list and the others have N = 0, which MONAI's
            metrics do not take.
        val_handlers: MONAI and Ignite handlers.
        arguments: other arguments of `monai.engines.Evaluator`, such as ``key_val_metric`` or ``epoch_length``.

    Raises:
        ValueError: when ``decollate`` is asked for, or a batch has no image; at the end of a run in which no patch had a mask.
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
        self._left_out, self._painted = list[str](), 0
        self.add_event_handler(Events.STARTED, self._start)
        self.add_event_handler(Events.EPOCH_COMPLETED, self._tell_left_out)

    def _start(self, engine: InpaintingEvaluator) -> None:
        self._left_out, self._painted = [], 0

    def _tell_left_out(self, engine: InpaintingEvaluator) -> None:
        if self._left_out and not self._painted:
            raise ValueError(f"not one of {len(self._left_out)} patches has a mask; the first: {self._left_out[0]}")
        if self._left_out:
            logger.warning("%d patches were left out, the first: %s", len(self._left_out), self._left_out[0])

    def _iteration(self, engine: InpaintingEvaluator, batchdata: Any) -> dict[str, Any]:
        if not isinstance(batchdata, dict) or Field.IMAGE not in batchdata:
            raise ValueError(
                f"the batch is a {type(batchdata).__name__} without '{Field.IMAGE}': expected dictionaries, as "
                "AortaPatchDataset gives them."
            )
        batchdata, masks = self._masked(batchdata)
        if batchdata is None:
            nothing = engine.state.batch[Field.IMAGE][:0].to(engine.state.device)
            engine.state.output = {Field.IMAGE: nothing, "pred": nothing, "result": []}
        else:
            engine.state.batch = batchdata
            engine.state.output = self._searched(engine, batchdata, masks)
        engine.fire_event(IterationEvents.FORWARD_COMPLETED)
        engine.fire_event(IterationEvents.MODEL_COMPLETED)
        return engine.state.output

    def _searched(self, engine: InpaintingEvaluator, batchdata: Any, masks: Tensor | None) -> dict[str, Any]:
        patches = batchdata[Field.IMAGE].to(engine.state.device, non_blocking=engine.non_blocking)
        with self.mode(self.network):
            valid = prepare_valid(batchdata, patches, engine.non_blocking)
            result = self.inferer.search(patches, masks, self.network, valid)
        self._painted += len(patches)
        return {Field.IMAGE: patches, "pred": result.best_inpainted().to(patches.device), "result": result}

    def _masked(self, batchdata: Any) -> tuple[Any, Tensor | None]:
        """The patches of a batch that have a mask, and the masks; no batch where none has one."""
        if not callable(self.mask):
            return batchdata, self.mask
        try:
            return batchdata, self.mask(batchdata)
        except ValueError:
            logger.debug("each patch is tried alone", exc_info=True)
        items, masks = [], []
        for item in decollate_batch(batchdata):
            try:
                masks.append(self.mask(list_data_collate([item])))
                items.append(item)
            except ValueError as error:
                self._left_out.append(str(error))
                logger.warning("patch left out: %s", error)
        return (list_data_collate(items), torch.cat(masks)) if items else (None, None)
