import pytest
import torch
from torch import nn

from monai_cardiac_gan.engines import WganGpTrainer

LATENT_SIZE = 4


def batches(count=4, size=4, seed=9):
    random = torch.Generator().manual_seed(seed)
    return [torch.rand(size, 1, 4, 4, generator=random) * 2 - 1 for _ in range(count)]


def build_trainer(loader=None, *, generator=None, critic=None, max_epochs=1, device="cpu", **options):
    """A real trainer of tiny networks; each second update of the critic moves the generator."""
    torch.manual_seed(0)
    generator = generator or nn.Sequential(
        nn.Linear(LATENT_SIZE, 16), nn.BatchNorm1d(16), nn.ReLU(), nn.Linear(16, 16), nn.Unflatten(1, (1, 4, 4))
    )
    critic = critic or nn.Sequential(nn.Flatten(), nn.Linear(16, 8), nn.Tanh(), nn.Linear(8, 1), nn.Flatten(0))
    return WganGpTrainer(
        device=device,
        max_epochs=max_epochs,
        train_data_loader=batches() if loader is None else loader,
        generator=generator,
        critic=critic,
        generator_optimizer=torch.optim.Adam(generator.parameters(), 1e-2),
        critic_optimizer=torch.optim.Adam(critic.parameters(), 1e-2),
        latent_size=LATENT_SIZE,
        **{"n_critic": 2, **options},
    )


@pytest.fixture(scope="session")
def trainer_of():
    return build_trainer
