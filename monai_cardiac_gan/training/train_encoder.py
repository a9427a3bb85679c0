"""Train a network that estimates, in one pass, the latent of a patch with a mask."""

from __future__ import annotations

import copy
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
from monai_cardiac_gan.inferers import square_mask
from monai_cardiac_gan.inferers.random_masks import random_rectangles, within_valid
from monai_cardiac_gan.losses import masked_l1
from monai_cardiac_gan.networks.nets.latent_encoder import LatentEncoder
from monai_cardiac_gan.training.one_cycle import one_cycle_trainer, stacked

__all__ = ["EncoderReport", "TrainLatentEncoder"]

logger = logging.getLogger(__name__)

HIDDEN_WEIGHT = 0.25
"""Share of the loss that is measured inside the mask: the estimate shall be the anatomy that was there, too."""
SHELL_WEIGHT = 0.02
"""Weight of the latents' distance from the shell where the generator was trained."""
LATENT_WEIGHT = 0.05
"""Weight of the latents' own error, known for generated patches."""


@dataclass(frozen=True)
class EncoderReport:
    """Mean absolute differences to held-out patches, square mask of the publication.

    Attributes:
        outside: where the encoder saw the patch.
        inside: where it did not.
        outside_of_best_start: the lowest among random latents, outside, of as many as the publication tries.
        latent_length: mean of the latents' norms by the square root of their size; 1 for the standard normal.
    """

    outside: float
    inside: float
    outside_of_best_start: float
    latent_length: float


class TrainLatentEncoder:
    r"""Train a `LatentEncoder` for one generator; write its weights and a report.

    Half of each batch are real training patches, half are images of the generator, whose latents are known. A rectangle
    near the middle, of random sides, is hidden from the encoder. With x = G(E(M ∘ y, M)) the loss is

    .. math:: (1 - w) \frac{\lVert M \circ (x - y) \rVert_1}{K}
        + w \frac{\lVert (1 - M) \circ (x - y) \rVert_1}{P - K}
        + s \left(\frac{\lVert z \rVert}{\sqrt L} - 1\right)^2 + l \lVert z - z_y \rVert_2^2 / L

    the last term for generated patches only. Pixels outside the field of view are masked. A copy of the generator is
    taken, with the weights that it has when this is made.

    Args:
        dataset: items with `Field.IMAGE`, training patches, and `Field.VALID` if they are padded.
        test_dataset: the same of other subjects, for the report.
        generator: latents (N, L) to patches; its parameters get no gradients.
        path: where the flat state dictionary goes; the report goes beside it, as ``.json``.
        network: makes the encoder; called once, after the seed is set.
        latent_size: L.
        epochs: passes through the training patches.
        batch_size: patches at a time, half of them generated.
        learning_rate: highest of the one-cycle schedule.
        seed: of weights, order, masks and latents.
        device: where to compute.
        candidates: random latents whose best image stands in the report beside the encoder's; as many as the publication's
            search tries.
        overwrite: let the weights of an earlier training be replaced.

    Raises:
        FileExistsError: when `run` would replace weights.
        ValueError: when the batch is not an even number, or there are fewer training patches than half of it.
    """

    def __init__(
        self,
        dataset: Dataset[Any],
        test_dataset: Dataset[Any],
        generator: nn.Module,
        path: str,
        network: Callable[[], nn.Module] = LatentEncoder,
        latent_size: int = 100,
        epochs: int = 10,
        batch_size: int = 32,
        learning_rate: float = 2e-3,
        seed: int = 0,
        device: torch.device | str = "cpu",
        candidates: int = 980,
        overwrite: bool = False,
    ) -> None:
        count = len(dataset)  # type: ignore[arg-type]
        if batch_size < 2 or batch_size % 2 or count < batch_size // 2:
            raise ValueError(
                f"batch_size is {batch_size} and there are {count} training patches: expected an even number and at least "
                "half as many patches; prepare more, or train with smaller batches."
            )
        self.dataset, self.test_dataset = dataset, test_dataset
        self.path, self.network, self.latent_size = Path(path), network, latent_size
        self.epochs, self.batch_size, self.learning_rate = epochs, batch_size, learning_rate
        self.seed, self.device = seed, torch.device(device)
        self.candidates, self.overwrite = candidates, overwrite
        self.generator = copy.deepcopy(generator).to(self.device).eval().requires_grad_(False)

    def run(self) -> EncoderReport:
        """Train, write and measure."""
        encoder, trainer = self.begin()
        trainer.run()
        report = self.measure(encoder)
        write_json(self.path.with_suffix(".json"), asdict(report))
        logger.info("encoder: %s, %s", self.path, report)
        return report

    def begin(self) -> tuple[nn.Module, SupervisedTrainer]:
        """The network with its first weights, and the loop that trains it."""
        with torch.random.fork_rng():
            torch.manual_seed(self.seed)
            encoder = self.network().to(self.device)
        return encoder, self.trainer(encoder)

    def trainer(self, encoder: nn.Module) -> SupervisedTrainer:
        """The loop over the training patches, which writes the encoder at the end of each epoch."""

        def loss(reals: Tensor, valid: Tensor, random: torch.Generator) -> Tensor:
            patches, masks, latents = self.examples(reals, random)
            seen = torch.cat([valid, torch.ones_like(valid)]).to(self.device)
            return self.loss(encoder, patches, masks, latents, seen)

        return one_cycle_trainer(
            encoder,
            self.dataset,
            loss,
            self.path,
            self.epochs,
            self.batch_size // 2,
            self.learning_rate,
            self.seed,
            self.device,
            self.overwrite,
        )

    def examples(self, reals: Tensor, random: torch.Generator) -> tuple[Tensor, Tensor, Tensor]:
        """Patches (2N, 1, H, W), the first half real; masks of the same shape; latents (N, L) of the second half."""
        latents = torch.randn(len(reals), self.latent_size, generator=random).to(self.device)
        with torch.no_grad():
            patches = torch.cat([reals.to(self.device), self.generator(latents)])
        return patches, random_rectangles(len(patches), patches.shape[2:], random).to(self.device), latents

    def loss(self, encoder: nn.Module, patches: Tensor, masks: Tensor, latents: Tensor, valid: Tensor) -> Tensor:
        """The loss of a batch with these valid pixels, see the class."""
        estimates = encoder(patches, masks)
        images = self.generator(estimates)
        shown, hidden = (masked_l1(images, patches, within_valid(part, valid)).mean() for part in (~masks, masks))
        shell = (estimates.norm(dim=1) / self.latent_size**0.5 - 1).square().mean()
        known = (estimates[-len(latents) :] - latents).square().mean()
        return (1 - HIDDEN_WEIGHT) * shown + HIDDEN_WEIGHT * hidden + SHELL_WEIGHT * shell + LATENT_WEIGHT * known

    @torch.no_grad()
    def measure(self, encoder: nn.Module) -> EncoderReport:
        """Encode the test patches with the publication's mask."""
        encoder.eval()
        mask = square_mask()[None, None].to(self.device)
        random = torch.Generator().manual_seed(self.seed)
        drawn = torch.randn(self.candidates, self.latent_size, generator=random).to(self.device)
        starts = torch.cat([self.generator(part) for part in drawn.split(self.batch_size)])
        rows = []
        for patches, valid in DataLoader(self.test_dataset, self.batch_size, collate_fn=stacked):
            patches, valid = patches.to(self.device), valid.to(self.device)
            shown, hidden = within_valid(~mask, valid), within_valid(mask, valid)
            latents = encoder(patches, mask)
            images = self.generator(latents)
            pairs = zip(patches.split(1), shown.split(1), strict=True)
            best = torch.stack([masked_l1(starts, patch, known).min() for patch, known in pairs])
            length = latents.norm(dim=1) / self.latent_size**0.5
            rows.append(
                torch.stack([masked_l1(images, patches, shown), masked_l1(images, patches, hidden), best, length])
            )
        return EncoderReport(*torch.cat(rows, 1).mean(1).tolist())
