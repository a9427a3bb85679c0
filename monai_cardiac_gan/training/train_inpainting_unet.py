"""Train a network that paints masks directly."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from monai.engines import SupervisedTrainer
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset

from monai_cardiac_gan.atomic import write_json
from monai_cardiac_gan.augmentation import PatchVariation
from monai_cardiac_gan.inferers import square_mask
from monai_cardiac_gan.inferers.random_masks import MASK_SIDES, random_rectangles, within_valid
from monai_cardiac_gan.losses import masked_l1
from monai_cardiac_gan.networks.nets.inpainting_unet import InpaintingUNet
from monai_cardiac_gan.training.one_cycle import one_cycle_trainer, stacked

__all__ = ["InpaintingUNetReport", "TrainInpaintingUNet"]

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class InpaintingUNetReport:
    """How near a network comes to what it does not see.

    Attributes:
        inside: mean absolute difference in the publication's mask, held-out patches.
    """

    inside: float


class TrainInpaintingUNet:
    r"""Train a `InpaintingUNet`, write its weights and a report: the baseline that no generator is needed for.

    A rectangle near the middle, of random sides, is hidden; the loss is the mean absolute difference inside it,
    :math:`\lVert (1 - M) \circ (x - y) \rVert_1 / (P - K)`. Pixels outside the field of view are masked in it.

    Args:
        dataset: items with `Field.IMAGE`, training patches, and `Field.VALID` if they are padded.
        test_dataset: the same of other subjects, for the report.
        path: where the flat state dictionary goes; the report goes beside it, as ``.json``.
        network: makes the network; called once, after the seed is set.
        epochs: passes through the training patches.
        batch_size: patches at a time.
        learning_rate: highest of the one-cycle schedule.
        seed: of weights, order and masks.
        device: where to compute.
        overwrite: let the weights of an earlier training be replaced.
        hole_sides: least and greatest side of the rectangles, pixels.
        variation: changes the training patches and their valid pixels, such as `PatchVariation`; None takes them as they are.

    Raises:
        FileExistsError: when `run` would replace weights.
        ValueError: when there are fewer training patches than a batch, or no such sides.
    """

    def __init__(
        self,
        dataset: Dataset[Any],
        test_dataset: Dataset[Any],
        path: str,
        network: Callable[[], nn.Module] = InpaintingUNet,
        epochs: int = 10,
        batch_size: int = 32,
        learning_rate: float = 2e-3,
        seed: int = 0,
        device: torch.device | str = "cpu",
        overwrite: bool = False,
        hole_sides: tuple[int, int] = MASK_SIDES,
        variation: PatchVariation | None = None,
    ) -> None:
        if not 1 <= hole_sides[0] <= hole_sides[1]:
            raise ValueError(
                f"hole_sides are {tuple(hole_sides)}, expected 1 <= least <= greatest: give both in pixels."
            )
        self.hole_sides, self.variation = (int(hole_sides[0]), int(hole_sides[1])), variation
        count = len(dataset)  # type: ignore[arg-type]
        if not 1 <= batch_size <= count:
            raise ValueError(
                f"batch_size is {batch_size} and there are {count} training patches: expected at least one batch; prepare "
                "more, or train with smaller batches."
            )
        self.dataset, self.test_dataset = dataset, test_dataset
        self.path, self.network = Path(path), network
        self.epochs, self.batch_size, self.learning_rate = epochs, batch_size, learning_rate
        self.seed, self.device, self.overwrite = seed, torch.device(device), overwrite

    def run(self) -> InpaintingUNetReport:
        """Train, write and measure."""
        network, trainer = self.begin()
        trainer.run()
        report = self.measure(network)
        write_json(self.path.with_suffix(".json"), asdict(report))
        logger.info("inpainting U-Net: %s, %s", self.path, report)
        return report

    def begin(self) -> tuple[nn.Module, SupervisedTrainer]:
        """The network with its first weights, and the loop that trains it."""
        with torch.random.fork_rng():
            torch.manual_seed(self.seed)
            network = self.network().to(self.device)
        return network, self.trainer(network)

    def trainer(self, network: nn.Module) -> SupervisedTrainer:
        """The loop over the training patches, which writes the network at the end of each epoch."""

        def loss(patches: Tensor, valid: Tensor, random: torch.Generator) -> Tensor:
            return self.loss(network, patches.to(self.device), valid.to(self.device), random)

        return one_cycle_trainer(
            network,
            self.dataset,
            loss,
            self.path,
            self.epochs,
            self.batch_size,
            self.learning_rate,
            self.seed,
            self.device,
            self.overwrite,
        )

    def loss(self, network: nn.Module, patches: Tensor, valid: Tensor, random: torch.Generator) -> Tensor:
        """The loss of patches (N, 1, H, W) with these valid pixels, each with a mask of its own."""
        if self.variation is not None:
            uniforms = torch.rand(len(patches), self.variation.draws, generator=random).to(patches)
            patches, valid = self.variation(patches, valid, uniforms)
        masks = random_rectangles(len(patches), patches.shape[2:], random, self.hole_sides).to(patches.device)
        return masked_l1(network(patches, masks), patches, within_valid(masks, valid)).mean()

    @torch.no_grad()
    def measure(self, network: nn.Module) -> InpaintingUNetReport:
        """Fill the publication's mask in the test patches."""
        network.eval()
        mask = square_mask()[None, None].to(self.device)
        found = []
        for patches, valid in DataLoader(self.test_dataset, self.batch_size, collate_fn=stacked):
            patches = patches.to(self.device)
            found.append(masked_l1(network(patches, mask), patches, within_valid(mask, valid.to(self.device))))
        return InpaintingUNetReport(torch.cat(found).mean().item())
