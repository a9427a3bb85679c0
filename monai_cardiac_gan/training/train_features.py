"""Train the feature network that generated patches are judged by."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from ignite.engine import Events
from monai.engines import SupervisedTrainer
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, Dataset

from monai_cardiac_gan.atomic import write_json
from monai_cardiac_gan.augmentation.corruptions import KINDS, corrupted
from monai_cardiac_gan.handlers import AtomicCheckpointSaver
from monai_cardiac_gan.keys import Field, PatchColumn
from monai_cardiac_gan.networks.nets.patch_features import PatchFeatures

__all__ = ["FeatureReport", "TrainPatchFeatures"]

logger = logging.getLogger(__name__)

LARGEST_SHIFT = 10
"""Pixels that a patch is moved by, along each axis: the network would else learn that the aorta is in the middle."""
GAIN, OFFSET = 0.1, 0.05
"""Most that grey values are scaled and shifted by: scanners differ that much, and it is no defect."""
MIDDLE = torch.tensor([0.5, 0.5, 0.0])
KEEPS_GEOMETRY = torch.tensor([kind not in ("ghost", "shuffle", "warp") for kind in KINDS])
GEOMETRY_WEIGHT = 20.0
"""Errors are shares of the patch's side: 0.05 then counts like a wrong kind at chance."""
WEIGHT_DECAY = 1e-4


@dataclass(frozen=True)
class FeatureReport:
    """What the features tell of patches of other subjects.

    Attributes:
        kind_accuracy: share of patches whose defect is named rightly (1 in 8 by chance).
        accuracy_of_kind: the same for each kind.
        strength_error: mean absolute error of the strength, 0..1 (0.25 by chance), of the patches with a defect.
        centre_error: mean distance to the aorta's centre in moved patches without defect, pixels.
        centre_error_of_mean: the same when the mean centre is answered each time.
        diameter_error: mean absolute error of the aorta's diameter, pixels.
        diameter_error_of_mean: the same when the mean diameter is answered each time.
    """

    kind_accuracy: float
    accuracy_of_kind: dict[str, float]
    strength_error: float
    centre_error: float
    centre_error_of_mean: float
    diameter_error: float
    diameter_error_of_mean: float


class FeatureTasks(nn.Module):
    """A feature network with linear heads for what is known of each training patch."""

    def __init__(self, features: nn.Module, size: int) -> None:
        super().__init__()
        self.features = features
        self.kind = nn.Linear(size, len(KINDS))
        self.strength = nn.Linear(size, len(KINDS))
        self.geometry = nn.Linear(size, 3)

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Scores of the kinds (N, kinds), strength if it were of each kind (N, kinds), geometry (N, 3)."""
        features = self.features(images)
        return self.kind(features), self.strength(features), self.geometry(features)


class TrainPatchFeatures:
    """Train a `PatchFeatures` to name the defect of a patch and to find its aorta; write its weights and a report.

    Each patch is moved and its grey values scaled a little, then gets one of eight defects (`corruptions.KINDS`) of random
    strength. The features have to tell the kind and the strength of the defect, and, where the defect leaves them, the
    aorta's centre and diameter. All that is known without anybody's labelling. The defects are those of generators, so
    that a distance between features reacts to them.

    Args:
        dataset: items with `Field.IMAGE`, patches with `PatchColumn` metadata, of the training subjects.
        test_dataset: the same of other subjects, for the report.
        path: where the flat state dictionary goes; the report goes beside it, as ``.json``.
        network: makes the network; called once, after the seed is set.
        epochs: passes through the dataset.
        batch_size: patches at a time.
        learning_rate: highest of the one-cycle schedule.
        seed: of weights, order, movements and defects.
        device: where to compute.
        overwrite: let the weights of an earlier training be replaced.

    Raises:
        FileExistsError: when `run` would replace weights.
        ValueError: when there are fewer training patches than one batch, or fewer test patches than kinds of defects.
    """

    def __init__(
        self,
        dataset: Dataset[Any],
        test_dataset: Dataset[Any],
        path: str,
        network: Callable[[], PatchFeatures] = PatchFeatures,
        epochs: int = 12,
        batch_size: int = 64,
        learning_rate: float = 3e-3,
        seed: int = 0,
        device: torch.device | str = "cpu",
        overwrite: bool = False,
    ) -> None:
        for name, patches, needed in (("training", dataset, batch_size), ("test", test_dataset, len(KINDS))):
            if _count(patches) < needed:
                raise ValueError(
                    f"there are {_count(patches)} {name} patches, expected at least {needed}: "
                    "prepare more, or train with smaller batches."
                )
        self.dataset, self.test_dataset = dataset, test_dataset
        self.path = Path(path)
        self.network = network
        self.epochs, self.batch_size, self.learning_rate = epochs, batch_size, learning_rate
        self.seed, self.overwrite = seed, overwrite
        self.device = torch.device(device)

    def run(self) -> FeatureReport:
        """Train, write and measure."""
        tasks, trainer = self.begin()
        trainer.run()
        report = self.measure(tasks)
        write_json(self.path.with_suffix(".json"), asdict(report))
        logger.info("features: %s, %s", self.path, report)
        return report

    def begin(self) -> tuple[FeatureTasks, SupervisedTrainer]:
        """The network with its first weights, and the loop that trains it."""
        with torch.random.fork_rng():
            torch.manual_seed(self.seed)
            features = self.network()
            tasks = FeatureTasks(features, features.size).to(self.device)
        return tasks, self.trainer(tasks)

    def trainer(self, tasks: FeatureTasks) -> SupervisedTrainer:
        """The loop over the training patches, which writes the feature network at its end."""
        generator = torch.Generator().manual_seed(self.seed)

        def any_kinds(batch: tuple[Tensor, Tensor]) -> Tensor:
            return torch.randint(len(KINDS), (len(batch[0]),), generator=generator)

        loader = DataLoader(
            self.dataset, self.batch_size, shuffle=True, drop_last=True, collate_fn=stacked, generator=generator
        )
        optimizer = torch.optim.AdamW(tasks.parameters(), self.learning_rate, weight_decay=WEIGHT_DECAY)
        schedule = torch.optim.lr_scheduler.OneCycleLR(
            optimizer, self.learning_rate, total_steps=max(1, self.epochs * len(loader))
        )
        trainer = SupervisedTrainer(
            device=self.device,
            max_epochs=self.epochs,
            train_data_loader=loader,
            network=tasks,
            optimizer=optimizer,
            loss_function=task_loss,
            prepare_batch=lambda batch, *_, **__: exercise(batch, any_kinds(batch), generator, self.device),
        )
        trainer.add_event_handler(Events.ITERATION_COMPLETED, lambda _: schedule.step())
        AtomicCheckpointSaver(self.path, tasks.features, self.epochs, self.overwrite).attach(trainer)
        return trainer

    @torch.no_grad()
    def measure(self, tasks: FeatureTasks) -> FeatureReport:
        """Compare the answers for the test patches, each with one defect in turn, with what is true."""
        generator = torch.Generator().manual_seed(self.seed)
        tasks.eval()
        answers, truths = [], []
        kinds = (torch.arange(_count(self.test_dataset)) % len(KINDS)).split(self.batch_size)
        loader = DataLoader(self.test_dataset, self.batch_size, collate_fn=stacked, generator=generator)
        for batch, some_kinds in zip(loader, kinds, strict=True):
            images, truth = exercise(batch, some_kinds, generator, self.device)
            answers.append([each.cpu() for each in tasks(images)])
            truths.append([each.cpu() for each in truth])
        return _report(
            [torch.cat(parts) for parts in zip(*answers, strict=True)],
            [torch.cat(parts) for parts in zip(*truths, strict=True)],
            side=batch[0].shape[-1],
        )


def _report(answers: Sequence[Tensor], truths: Sequence[Tensor], side: int) -> FeatureReport:
    (scores, strengths, geometry), (kind, strength, place) = answers, truths
    named, defect, clean = scores.argmax(1) == kind, kind > 0, kind == 0
    estimate = strengths.gather(1, kind[:, None])[:, 0]
    errors = side * (geometry - place)[clean]
    off_mean = side * (place - place.mean(0))[clean]
    return FeatureReport(
        kind_accuracy=named.double().mean().item(),
        accuracy_of_kind={name: named[kind == i].double().mean().item() for i, name in enumerate(KINDS)},
        strength_error=(estimate - strength)[defect].abs().mean().item(),
        centre_error=errors[:, :2].norm(dim=1).mean().item(),
        centre_error_of_mean=off_mean[:, :2].norm(dim=1).mean().item(),
        diameter_error=errors[:, 2].abs().mean().item(),
        diameter_error_of_mean=off_mean[:, 2].abs().mean().item(),
    )


def _count(dataset: Dataset[Any]) -> int:
    return len(dataset)  # type: ignore[arg-type]


def stacked(items: Sequence[dict[str, Any]]) -> tuple[Tensor, Tensor]:
    """Patches (N, 1, H, W) and their geometry (N, 3): aorta's centre from the middle and diameter, in shares of the side."""
    images = [item[Field.IMAGE] for item in items]
    columns = (PatchColumn.CENTRE_X, PatchColumn.CENTRE_Y, PatchColumn.DIAMETER)
    places = [[image.meta[column] / float(image.pixdim[0]) for column in columns] for image in images]
    pixels = torch.stack([image.as_tensor() for image in images])
    return pixels, torch.tensor(places, dtype=torch.float32) / pixels.shape[-1] - MIDDLE


def exercise(
    batch: tuple[Tensor, Tensor], kinds: Tensor, generator: torch.Generator, device: torch.device
) -> tuple[Tensor, tuple[Tensor, Tensor, Tensor]]:
    """Patches moved and with a defect of these kinds each, and the answers: kind (N,), strength (N,), geometry (N, 3)."""
    images, places = batch
    count, side = len(images), images.shape[-1]
    shifts = torch.randint(-LARGEST_SHIFT, LARGEST_SHIFT + 1, (count, 2), generator=generator)
    gain, offset = (2 * torch.rand(2, count, 1, 1, 1, generator=generator) - 1).unbind()
    images = (moved(images, shifts) * (1 + GAIN * gain) + OFFSET * offset).clamp(-1, 1)
    strengths = torch.rand(count, generator=generator)
    images = corrupted(images, kinds, strengths, generator)
    places = places + F.pad(shifts, (0, 1)) / side
    # the faster layout of convolutions on a CPU
    inputs = images.to(device, memory_format=torch.channels_last)
    return inputs, (kinds.to(device), strengths.to(device), places.to(device))


def moved(images: Tensor, shifts: Tensor) -> Tensor:
    """Images (N, 1, H, W) moved by whole pixels (N, 2), the border repeated."""
    wide = F.pad(images, [LARGEST_SHIFT] * 4, mode="replicate")
    height, width = images.shape[2:]
    starts = (LARGEST_SHIFT - shifts).tolist()
    return torch.stack([image[:, x : x + height, y : y + width] for image, (x, y) in zip(wide, starts, strict=True)])


def task_loss(answers: tuple[Tensor, Tensor, Tensor], truths: tuple[Tensor, Tensor, Tensor]) -> Tensor:
    """Cross-entropy of the kind and absolute errors of strength and geometry, where a patch has them."""
    (kinds, strengths, geometry), (kind, strength, place) = answers, truths
    defect, keeps = kind > 0, KEEPS_GEOMETRY.to(kind.device)[kind]
    strength_error = (strengths.gather(1, kind[:, None])[:, 0] - strength).abs() * defect
    place_error = (geometry - place).abs().mean(1) * keeps
    return F.cross_entropy(kinds, kind) + strength_error.mean() + GEOMETRY_WEIGHT * place_error.mean()
