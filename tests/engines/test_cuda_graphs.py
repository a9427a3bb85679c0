"""The recorder of a GPU is not at hand in these tests: one that repeats the function itself stands for it."""

from contextlib import contextmanager
from copy import deepcopy

import pytest
import torch
from torch import nn

from monai_cardiac_gan.augmentation import DifferentiableAugmentation
from monai_cardiac_gan.engines import GenerativeAdversarialTrainer, InpaintingGanTrainer
from monai_cardiac_gan.engines.adversarial_state import AdversarialEvents
from monai_cardiac_gan.engines.cuda_graphs import WARM_UP, GraphedUpdates, capturable
from monai_cardiac_gan.inferers import RandomHoles
from monai_cardiac_gan.losses import RelativisticLoss, ZeroCentredPenalty
from monai_cardiac_gan.networks.nets import ComodulatedGenerator, ResidualCritic, ResidualGenerator

RATE, BATCHES = 1e-2, 13  # Adam would make a step of the rounding of a gradient near zero
SIZES = [4] * 6 + [3] + [4] * 5 + [3]


class RepeatingRecorder:
    """Keeps weights and optimisers as they were while a function is recorded, and repeats the function."""

    def __init__(self, trainer):
        self.trainer, self.captured, self.replayed = trainer, 0, 0

    def capture(self, function, optimizers):
        buffers, self.captured = list(self.trainer.draws._buffers), self.captured + 1
        parts = [*optimizers, self.trainer.generator, self.trainer.critic]
        before = [deepcopy(part.state_dict()) for part in parts]
        random = torch.get_rng_state()
        function()
        torch.set_rng_state(random)
        for part, state in zip(parts, before, strict=True):
            part.load_state_dict(state)

        def replay():
            self.replayed += 1
            with self.trainer.draws.from_buffers(buffers):
                function()

        return replay

    @contextmanager
    def apart(self):
        yield


def gan(images, **arguments):
    torch.manual_seed(0)
    generator, critic = (kind(width=2, max_channels=8, size=16) for kind in (ResidualGenerator, ResidualCritic))
    return GenerativeAdversarialTrainer(
        generator=generator,
        critic=critic,
        augment=DifferentiableAugmentation(0.1, probability=0.5),
        **common(images[:, :, :16, :16], generator, critic, **arguments),
    )


def inpainting_gan(images, **arguments):
    torch.manual_seed(0)
    generator, critic = (
        ComodulatedGenerator(width=2, max_channels=8),
        ResidualCritic(width=2, max_channels=8, channels=2),
    )
    return InpaintingGanTrainer(
        generator=generator,
        critic=critic,
        holes=RandomHoles(),
        **common(images, generator, critic, **arguments),
    )


def common(images, generator, critic, **arguments):
    batches = list(images.split(SIZES))
    optimizers = {
        f"{name}_optimizer": torch.optim.SGD(network.parameters(), RATE, 0.5)
        for name, network in (("generator", generator), ("critic", critic))
    }
    return (
        {
            "device": "cpu",
            "max_epochs": 1,
            "train_data_loader": batches,
            "loss": RelativisticLoss(),
            "gradient_penalty": ZeroCentredPenalty(0.5),
            "penalty_every": 4,
            "n_critic": 1,
        }
        | optimizers
        | arguments
    )


@pytest.fixture(scope="module")
def images():
    return torch.rand(sum(SIZES), 1, 128, 128, generator=torch.Generator().manual_seed(1)) * 2 - 1


def followed(trainer):
    """Numbers of all iterations, and the events between."""
    numbers, events = [], []
    trainer.add_event_handler("ITERATION_COMPLETED", lambda engine: numbers.append(dict(engine.state.output)))
    for event in AdversarialEvents:
        trainer.add_event_handler(event, lambda engine, name=event.name: events.append(name))
    trainer.run()
    return numbers, events


@pytest.mark.parametrize("make", [gan, inpainting_gan])
@pytest.mark.parametrize("n_critic", [1, 2])
def test_recorded_updates_are_the_usual_ones(images, make, n_critic):
    usual = make(images, n_critic=n_critic)
    numbers, events = followed(usual)
    recorded = make(images, n_critic=n_critic)  # begins with the same global random state
    recorder = RepeatingRecorder(recorded)
    recorded.graphs = GraphedUpdates(
        recorder, recorded.draws, [recorded.critic_optimizer, recorded.generator_optimizer]
    )
    again, same_events = followed(recorded)
    assert recorder.replayed >= 3  # two warm-ups of each kind come first
    assert same_events == events
    for each, same in zip(numbers, again, strict=True):  # other places in memory, other orders of summation
        assert {name: value.item() for name, value in same.items()} == pytest.approx(
            {name: value.item() for name, value in each.items()}, abs=1e-5
        )
    for network in ("generator", "critic"):
        pairs = zip(getattr(usual, network).parameters(), getattr(recorded, network).parameters(), strict=True)
        assert all(torch.allclose(one, other, atol=1e-4) for one, other in pairs)
    assert torch.equal(usual.random.get_state(), recorded.random.get_state())


def test_each_kind_of_update_is_recorded_once_after_its_warm_up(images):
    trainer = gan(images, max_epochs=2)
    recorder = RepeatingRecorder(trainer)
    trainer.graphs = GraphedUpdates(recorder, trainer.draws, [trainer.critic_optimizer, trainer.generator_optimizer])
    trainer.run()
    # of 26 updates those before 0, 4, 8 ... have a penalty; two in 13 have three images
    kinds = [(number % 4 == 0, SIZES[number % BATCHES]) for number in range(2 * BATCHES)]
    counts = {kind: kinds.count(kind) for kind in set(kinds)}
    assert recorder.captured == sum(count > WARM_UP for count in counts.values())
    assert recorder.replayed == sum(max(0, count - WARM_UP) for count in counts.values())


def test_another_learning_rate_is_another_kind(images):
    trainer = gan(images)
    before = trainer._host_settings()
    trainer.critic_optimizer.param_groups[0]["lr"] = RATE / 2
    assert trainer._host_settings() != before
    trainer.critic_optimizer.param_groups[0]["lr"] = RATE
    trainer.augment.probability = 0.25
    assert trainer._host_settings() != before


def test_optimisers_are_capturable_inside_alone():
    optimizer = torch.optim.Adam(nn.Linear(1, 1).parameters())
    with capturable([optimizer]):
        assert optimizer.param_groups[0]["capturable"] is True
    assert optimizer.param_groups[0]["capturable"] is False
