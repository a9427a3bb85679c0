"""Laws for every handler: it leaves the training as it is, and what it remembers survives a checkpoint."""

import io
import random

import numpy as np
import pytest
import torch
from ignite.engine import Events
from torch import nn
from torch.utils.data import DataLoader, Dataset

from monai_cardiac_gan import handlers as room
from monai_cardiac_gan.augmentation import DifferentiableAugmentation
from monai_cardiac_gan.engines import WganGpTrainer
from monai_cardiac_gan.handlers.overfitting_monitor import OverfittingNumbers

METRIC = "made_up"


class Noisy(Dataset):
    """Images from the global random state, as random transforms make them."""

    def __len__(self):
        return 16

    def __getitem__(self, index):
        return torch.rand(1, 4, 4) * 2 - 1 + np.random.rand() + random.random()  # noqa: NPY002


class Constant(nn.Module):
    def forward(self, latents):
        return torch.zeros(len(latents), 1, 4, 4)


def trainer_of(max_epochs=2):
    """Dropout draws from the global random state, so that a step of it shows in the weights."""
    torch.manual_seed(0)
    np.random.seed(0)  # noqa: NPY002
    random.seed(0)
    generator = nn.Sequential(
        nn.Linear(4, 16), nn.BatchNorm1d(16), nn.Dropout(0.3), nn.Linear(16, 16), nn.Unflatten(1, (1, 4, 4))
    )
    critic = nn.Sequential(nn.Flatten(), nn.Linear(16, 8), nn.Tanh(), nn.Dropout(0.3), nn.Linear(8, 1), nn.Flatten(0))
    return WganGpTrainer(
        device="cpu",
        max_epochs=max_epochs,
        train_data_loader=DataLoader(Noisy(), batch_size=4, shuffle=True),
        generator=generator,
        critic=critic,
        generator_optimizer=torch.optim.Adam(generator.parameters(), 1e-2),
        critic_optimizer=torch.optim.Adam(critic.parameters(), 1e-2),
        latent_size=4,
        n_critic=1,
    )


def rough_metric(generated, real):
    """A metric that draws."""
    return {"difference": (generated.mean() - real.mean() + torch.rand(()) + np.random.rand()).item()}  # noqa: NPY002


BUILD = {
    "AdaptiveAugmentation": lambda trainer, folder: room.AdaptiveAugmentation(
        DifferentiableAugmentation(probability=0.1), images_to_full=100
    ),
    "BestCheckpointSaver": lambda trainer, folder: room.BestCheckpointSaver(
        folder / "best.pt", trainer.generator, METRIC
    ),
    "GenerativeMetrics": lambda trainer, folder: room.GenerativeMetrics(
        {"rough": rough_metric}, trainer.data_loader, sample_count=8
    ),
    "GeneratorEMA": lambda trainer, folder: room.GeneratorEMA(trainer.generator),
    "LoadWeights": lambda trainer, folder: room.LoadWeights(
        [lambda: trainer.generator.load_state_dict(trainer.generator.state_dict())]
    ),
    "OverrideLearningRate": lambda trainer, folder: room.OverrideLearningRate(
        [trainer.generator_optimizer, trainer.critic_optimizer]
    ),
    "OverfittingMonitor": lambda trainer, folder: room.OverfittingMonitor(
        trainer.data_loader, trainer.data_loader, count=8
    ),
    "AtomicCheckpointSaver": lambda trainer, folder: room.AtomicCheckpointSaver(
        folder / "last.pt", {"trainer": trainer}
    ),
    "TrainingHistory": lambda trainer, folder: room.TrainingHistory(folder),
    "SampleGrid": lambda trainer, folder: room.SampleGrid(folder, count=4, every_epochs=1),
    "StopOnCollapse": lambda trainer, folder: room.StopOnCollapse(after_updates=0, network=Constant()),
    "StopOnSignal": lambda trainer, folder: room.StopOnSignal(room.AtomicCheckpointSaver(folder / "last.pt", trainer)),
    "StopWhenSpent": lambda trainer, folder: room.StopWhenSpent(
        updates=1000, save=lambda engine: None, save_seconds=1e-9
    ),
    "Throughput": lambda trainer, folder: room.Throughput(),
    "TrainingCurves": lambda trainer, folder: room.TrainingCurves(folder, every_epochs=1),
    "TrainingProgress": lambda trainer, folder: room.TrainingProgress(file=io.StringIO()),
}
STATEFUL = [name for name in room.__all__ if hasattr(getattr(room, name), "state_dict")]


def run_with(name, folder, stop_at=8):
    """A run that a measurement goes before, and that may end within its second epoch."""
    trainer = trainer_of()
    handler = None if name is None else BUILD[name](trainer, folder)
    trainer.add_event_handler(
        Events.EPOCH_COMPLETED,
        lambda engine: engine.state.metrics.update({METRIC: 1.0 / engine.state.epoch, OverfittingNumbers.RATIO: 0.9}),
    )
    if handler is not None:
        handler.attach(trainer)
    trainer.add_event_handler(Events.ITERATION_COMPLETED(once=stop_at), lambda engine: engine.terminate())
    trainer.run()
    return trainer, handler


def flat(state, prefix=""):
    """All numbers of nested dictionaries, tensors as lists."""
    found = {}
    for name, value in state.items():
        if isinstance(value, dict):
            found |= flat(value, f"{prefix}{name}.")
        else:
            found[prefix + name] = value.tolist() if isinstance(value, torch.Tensor) else value
    return found


def test_every_handler_is_built_here():
    assert sorted(BUILD) == sorted(room.__all__)
    assert STATEFUL == [
        "AdaptiveAugmentation",
        "BestCheckpointSaver",
        "GeneratorEMA",
        "StopOnCollapse",
        "TrainingHistory",
    ]


@pytest.mark.parametrize("name", STATEFUL)
def test_what_a_handler_remembers_survives_a_checkpoint(name, tmp_path):
    _, handler = run_with(name, tmp_path, stop_at=6)
    torch.save(handler.state_dict(), tmp_path / "state.pt")
    fresh = BUILD[name](trainer_of(), tmp_path)
    before = flat(fresh.state_dict())
    fresh.load_state_dict(torch.load(tmp_path / "state.pt", weights_only=True))
    assert flat(fresh.state_dict()) == flat(handler.state_dict()) != before


@pytest.fixture(scope="module")
def undisturbed_run(tmp_path_factory):
    return traces_of(run_with(None, tmp_path_factory.mktemp("nothing"))[0])


def traces_of(trainer):
    """All that a handler must not touch, after the last epoch's handlers."""
    return {
        "latents": trainer.random.get_state().tolist(),
        "torch": torch.get_rng_state().tolist(),
        "numpy": np.random.get_state()[1:3],  # noqa: NPY002
        "python": random.getstate(),
        "modes": [part.training for network in (trainer.generator, trainer.critic) for part in network.modules()],
        "gradients": [p.requires_grad for network in (trainer.generator, trainer.critic) for p in network.parameters()],
        "weights": flat({**trainer.generator.state_dict(prefix="g."), **trainer.critic.state_dict(prefix="c.")}),
    }


@pytest.mark.parametrize("name", room.__all__)
def test_a_handler_leaves_random_states_modes_and_weights_alone(name, tmp_path, undisturbed_run):
    traces = traces_of(run_with(name, tmp_path)[0])
    for what, expected in undisturbed_run.items():
        if what == "numpy":
            assert traces[what][0].tolist() == expected[0].tolist()
            assert traces[what][1] == expected[1]
        else:
            assert traces[what] == expected, what


@pytest.mark.parametrize("name", room.__all__)
def test_names_do_not_clash_with_those_of_monai_and_ignite(name):
    import ignite.handlers
    import monai.handlers

    assert not hasattr(monai.handlers, name)
    assert not hasattr(ignite.handlers, name)
