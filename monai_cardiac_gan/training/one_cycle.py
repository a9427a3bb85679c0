"""A supervised training with the one-cycle schedule, for the small networks beside the GAN."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Mapping
from typing import Any

import torch
from ignite.engine import Events
from monai.engines import SupervisedTrainer
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset

from monai_cardiac_gan.handlers import AtomicCheckpointSaver
from monai_cardiac_gan.keys import Field

__all__ = ["one_cycle_trainer", "stacked"]

logger = logging.getLogger(__name__)


def one_cycle_trainer(
    network: nn.Module,
    dataset: Dataset[Any],
    loss: Callable[[Tensor, Tensor, torch.Generator], Tensor],
    path: str | os.PathLike[str],
    epochs: int,
    batch_size: int,
    learning_rate: float,
    seed: int,
    device: torch.device,
    overwrite: bool = False,
) -> SupervisedTrainer:
    """A trainer with AdamW and the one-cycle schedule (Smith and Topin 2018), which writes the weights after each epoch.

    Args:
        network: what is trained, on the device.
        dataset: items with `Field.IMAGE`, and `Field.VALID` where patches reach over the edge of the field of view.
        loss: of a batch of patches (N, 1, H, W) and which of their pixels are valid, bool of the same shape, as they lie on
            the CPU; draws what it needs from the generator.
        path: where the flat state dictionary goes.
        epochs: passes through the data.
        batch_size: patches at a time; the rest of an epoch is left out.
        learning_rate: highest of the schedule.
        seed: of the order and of what the loss draws.
        device: where to compute.
        overwrite: let the weights of an earlier training be replaced.
    """
    random = torch.Generator().manual_seed(seed)
    loader = DataLoader(dataset, batch_size, shuffle=True, drop_last=True, collate_fn=stacked, generator=random)
    optimizer = torch.optim.AdamW(network.parameters(), learning_rate, fused=True)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, learning_rate, total_steps=epochs * len(loader))

    def update(trainer: SupervisedTrainer, batch: tuple[Tensor, Tensor]) -> dict[str, Tensor]:
        network.train()
        optimizer.zero_grad()
        value = loss(*batch, random)
        value.backward()
        optimizer.step()
        schedule.step()
        return {"loss": value.detach()}

    trainer = SupervisedTrainer(
        device=device,
        max_epochs=epochs,
        train_data_loader=loader,
        network=network,
        optimizer=optimizer,
        loss_function=loss,
        iteration_update=update,
        decollate=False,
    )
    trainer.add_event_handler(
        Events.EPOCH_COMPLETED,
        lambda engine: logger.info("epoch %d: loss %.4f", engine.state.epoch, engine.state.output["loss"].item()),
    )
    AtomicCheckpointSaver(path, network, overwrite=overwrite).attach(trainer)
    return trainer


def stacked(items: list[Mapping[str, Any]]) -> tuple[Tensor, Tensor]:
    """Patches (N, 1, H, W) of items with `Field.IMAGE`, and which of their pixels are valid: all without `Field.VALID`."""
    patches = torch.stack([torch.as_tensor(item[Field.IMAGE]).as_subclass(Tensor) for item in items])
    whole = torch.ones_like(patches[0], dtype=torch.bool)
    return patches, torch.stack([item.get(Field.VALID, whole) for item in items])
