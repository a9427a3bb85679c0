import random

import numpy as np
import pytest
import torch
from ignite.engine import Events
from monai.data import DataLoader
from monai.handlers import CheckpointLoader
from torch import nn

from monai_cardiac_gan.augmentation import DifferentiableAugmentation
from monai_cardiac_gan.data import ResumableBatches
from monai_cardiac_gan.engines import GenerativeAdversarialTrainer
from monai_cardiac_gan.handlers import AtomicCheckpointSaver, GeneratorEMA
from monai_cardiac_gan.losses import RelativisticLoss, ZeroCentredPenalty

LATENT_SIZE = 4


class Shaky:
    """A data set whose items draw from all global random sources, as random transforms do."""

    def __init__(self, count=11):
        self.images = torch.rand(count, 1, 8, 8, generator=torch.Generator().manual_seed(5))

    def __len__(self):
        return len(self.images)

    def __getitem__(self, index):
        noise = torch.rand(()) + np.random.random() + random.random()  # noqa: NPY002
        return {"image": self.images[index] + 0.1 * noise}


class Run:
    """A training with everything that has a state."""

    def __init__(self, folder, seed, workers=0, batch=3, count=11):
        torch.manual_seed(seed)
        np.random.seed(seed)  # noqa: NPY002
        random.seed(seed)
        generator = nn.Sequential(
            nn.Linear(LATENT_SIZE, 16), nn.BatchNorm1d(16), nn.ReLU(), nn.Linear(16, 64), nn.Unflatten(1, (1, 8, 8))
        )
        critic = nn.Sequential(nn.Flatten(), nn.Linear(64, 16), nn.Dropout(0.2), nn.LeakyReLU(), nn.Linear(16, 1))
        data = Shaky(count)
        self.average = GeneratorEMA(generator, 0.9)
        self.trainer = GenerativeAdversarialTrainer(
            device="cpu",
            max_epochs=3,
            train_data_loader=DataLoader(
                data, num_workers=workers, batch_sampler=ResumableBatches(data, batch, seed=0)
            ),
            generator=generator,
            critic=nn.Sequential(critic, nn.Flatten(0)),
            generator_optimizer=torch.optim.Adam(generator.parameters(), 1e-2, betas=(0.0, 0.9)),
            critic_optimizer=torch.optim.Adam(critic.parameters(), 1e-2, betas=(0.0, 0.9)),
            latent_size=LATENT_SIZE,
            n_critic=2,
            loss=RelativisticLoss(),
            gradient_penalty=ZeroCentredPenalty(0.1),
            penalty_every=3,
            augment=DifferentiableAugmentation(probability=0.5),
            seed=seed,
            train_handlers=[self.average],
        )
        self.state = {
            "generator": generator,
            "critic": critic,
            "average": self.average,
            "generator_optimizer": self.trainer.generator_optimizer,
            "critic_optimizer": self.trainer.critic_optimizer,
            "trainer": self.trainer,
        }
        self.file = folder / "last.pt"
        self.outputs = []
        self.trainer.add_event_handler(
            Events.ITERATION_COMPLETED,
            lambda engine: self.outputs.append({name: float(value) for name, value in engine.state.output.items()}),
        )

    def stop_after(self, iterations):
        def stop(engine):
            AtomicCheckpointSaver(self.file, self.state)(engine)
            engine.terminate()

        self.trainer.add_event_handler(Events.ITERATION_COMPLETED(once=iterations), stop)
        self.trainer.run()
        return self

    def tensors(self):
        networks = self.state["generator"], self.state["critic"], self.average.network
        return [tensor for network in networks for tensor in network.state_dict().values()]


@pytest.mark.parametrize("stop", [1, 3, 4, 6, 9])  # within an epoch and at the end of one, four batches each
def test_stopped_and_resumed_equals_straight_bit_for_bit(tmp_path, stop):
    straight = Run(tmp_path, seed=1)
    straight.trainer.run()
    first = Run(tmp_path, seed=1).stop_after(stop)
    second = Run(tmp_path, seed=2)
    second.trainer.augment.probability = 0.0
    CheckpointLoader(str(second.file), second.state).attach(second.trainer)
    second.trainer.run()
    assert first.outputs + second.outputs == straight.outputs
    assert len(straight.outputs) == 12
    assert all(torch.equal(one, other) for one, other in zip(second.tensors(), straight.tensors(), strict=True))
    assert second.average.updates == straight.average.updates == 6


def test_a_loader_that_cannot_go_on_within_an_epoch_is_named(tmp_path, caplog):
    batches = [torch.rand(2, 1, 8, 8) for _ in range(4)]
    runs = [Run(tmp_path, seed=1) for _ in range(2)]
    for run in runs:
        run.trainer.data_loader = batches
        run.trainer.state.epoch_length = 4
    runs[0].stop_after(2)
    CheckpointLoader(str(runs[1].file), runs[1].state).attach(runs[1].trainer)
    with caplog.at_level("WARNING"):
        runs[1].trainer.logger.addHandler(caplog.handler)
        runs[1].trainer.run()
    assert "cannot go on within epoch 1, and begins it anew" in caplog.text


@pytest.mark.parametrize(("batch", "count", "length"), [(2, 12, 6), (6, 11, 2), (3, 23, 8)])
@pytest.mark.parametrize(("stop", "whole"), [(4, 1), (8, 2), (1, 0), (6, 1)])
def test_epochs_after_a_change_of_batch_or_data_see_all_of_it(tmp_path, caplog, batch, count, length, stop, whole):
    """Four batches an epoch before; whole epochs count, one that was stopped begins anew."""
    first = Run(tmp_path, seed=1).stop_after(stop)
    second = Run(tmp_path, seed=1, batch=batch, count=count)
    seen, epochs = [], []
    batches = second.trainer.data_loader.batch_sampler
    part = batches._part
    batches._part = lambda *arguments: seen.append(part(*arguments)) or seen[-1]
    second.trainer.add_event_handler(Events.EPOCH_COMPLETED, lambda engine: epochs.append(engine.state.epoch))
    CheckpointLoader(str(second.file), second.state).attach(second.trainer)
    with caplog.at_level("WARNING"):
        second.trainer.logger.addHandler(caplog.handler)
        second.trainer.run()
    assert epochs == list(range(whole + 1, 4))
    for epoch in range(len(epochs)):
        indices = [index for each in seen[epoch * length : (epoch + 1) * length] for index in each]
        assert sorted(indices) == list(range(count))
    assert second.trainer.critic_updates == first.trainer.critic_updates + length * len(epochs)
    assert second.trainer.state.iteration == 3 * length
    again = f", which begins anew: {stop % 4} of its batches were seen before" if stop % 4 else "."
    assert f"An epoch has {length} batches, and had 4 when" in caplog.text
    assert f"goes on with epoch {whole + 1}{again}" in caplog.text


def test_another_seed_is_told(tmp_path, caplog):
    state = Run(tmp_path, 0).trainer.state_dict()
    other = Run(tmp_path, 0).trainer
    other.load_state_dict(state)
    assert "was begun with the seed" not in caplog.text
    other.load_state_dict(state | {"seed": 7})
    assert "was begun with the seed 7 and goes on with 0" in caplog.text
