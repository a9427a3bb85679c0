"""One process of a training, started by torchrun: `distributed_run.py OUT FAILING_RANK`."""

import sys
from pathlib import Path

import torch
import torch.distributed as dist
from torch import nn

from monai_cardiac_gan.augmentation import DifferentiableAugmentation
from monai_cardiac_gan.data import ResumableBatches
from monai_cardiac_gan.engines import GenerativeAdversarialTrainer
from monai_cardiac_gan.handlers import AtomicCheckpointSaver
from monai_cardiac_gan.losses import GradientPenalty, RelativisticLoss, WassersteinLoss, ZeroCentredPenalty
from monai_cardiac_gan.networks import synchronise_batch_norm

LATENT_SIZE = 4


class Loader:
    """Batches of a tensor."""

    def __init__(self, images, sampler):
        self.images, self.batch_sampler = images, sampler

    def __len__(self):
        return len(self.batch_sampler)

    def __iter__(self):
        return (self.images[indices] for indices in self.batch_sampler)


def train(objective, rank, count, failing_rank=-1):
    torch.manual_seed(rank)  # different weights in each process: the first one's must win
    images = torch.rand(16, 1, 8, 8, generator=torch.Generator().manual_seed(3))
    generator = nn.Sequential(
        nn.Linear(LATENT_SIZE, 32),
        nn.Unflatten(1, (2, 4, 4)),
        nn.BatchNorm2d(2),
        nn.ReLU(),
        nn.ConvTranspose2d(2, 1, 4, 2, 1),
    )
    critic = nn.Sequential(nn.Conv2d(1, 4, 4, 2, 1), nn.LeakyReLU(0.2), nn.Conv2d(4, 1, 4))
    synchronise_batch_norm(generator)
    if rank == failing_rank:
        images[:] = float("nan")
    trainer = GenerativeAdversarialTrainer(
        device="cpu",
        max_epochs=3,
        train_data_loader=Loader(images, ResumableBatches(images, 8, seed=1, rank=rank, count=count)),
        generator=generator,
        critic=nn.Sequential(critic, nn.Flatten(0)),
        generator_optimizer=torch.optim.SGD(generator.parameters(), 0.05),
        critic_optimizer=torch.optim.SGD(critic.parameters(), 0.05),
        latent_size=LATENT_SIZE,
        n_critic=2,
        seed=7,
        **objective,
    )
    trainer.run()
    return trainer


OBJECTIVES = {
    "wgan_gp": {"loss": WassersteinLoss(), "gradient_penalty": GradientPenalty(10.0)},
    "relativistic": {
        "loss": RelativisticLoss(),
        "gradient_penalty": ZeroCentredPenalty(1.0),
        "penalty_every": 2,
        "augment": DifferentiableAugmentation(probability=0.7),
    },
}


def main(folder, failing_rank):
    dist.init_process_group("gloo")
    rank, count = dist.get_rank(), dist.get_world_size()
    for name, objective in OBJECTIVES.items():
        trainer = train(objective, rank, count, failing_rank)
        networks = nn.ModuleDict({"generator": trainer.generator, "critic": trainer.critic})
        AtomicCheckpointSaver(Path(folder, f"rank{rank}", name), networks)(trainer)
        output = {key: float(value) for key, value in trainer.state.output.items()}
        torch.save((networks.state_dict(), output), Path(folder, f"{name}_{rank}.pt"))
    dist.destroy_process_group()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
