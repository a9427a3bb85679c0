import pytest
import torch
from ignite.engine import Events
from torch import nn

from monai_cardiac_gan.augmentation import DifferentiableAugmentation
from monai_cardiac_gan.engines import Execution, GenerativeAdversarialTrainer
from monai_cardiac_gan.losses import GradientPenalty, RelativisticLoss, WassersteinLoss, ZeroCentredPenalty

LATENT_SIZE = 5


def generator():
    return nn.Sequential(
        nn.Linear(LATENT_SIZE, 32), nn.ReLU(), nn.Unflatten(1, (2, 4, 4)), nn.ConvTranspose2d(2, 1, 4, 2, 1), nn.Tanh()
    )


class Critic(nn.Module):
    """Convolutions; keeps the type and the layout of what they put out."""

    def __init__(self):
        super().__init__()
        self.first = nn.Conv2d(1, 4, 3, padding=1)
        self.layers = nn.Sequential(nn.LeakyReLU(0.2), nn.Conv2d(4, 1, 8))
        self.seen = []

    def forward(self, images):
        features = self.first(images)
        self.seen.append((features.dtype, features.is_contiguous(memory_format=torch.channels_last)))
        return self.layers(features).flatten()


def trained(batches, execution=None, optimizer=torch.optim.SGD, rate=0.05, **options):
    torch.manual_seed(0)
    networks = generator(), Critic()
    trainer = GenerativeAdversarialTrainer(
        device="cpu",
        max_epochs=1,
        train_data_loader=batches,
        generator=networks[0],
        critic=networks[1],
        generator_optimizer=optimizer(networks[0].parameters(), rate),
        critic_optimizer=optimizer(networks[1].parameters(), rate),
        latent_size=LATENT_SIZE,
        n_critic=options.pop("n_critic", 1),
        execution=execution,
        **{"loss": WassersteinLoss(), "gradient_penalty": GradientPenalty(), **options},
    )
    trainer.run()
    return trainer


def images(*sizes):
    random = torch.Generator().manual_seed(4)
    return [torch.rand(size, 1, 8, 8, generator=random) * 2 - 1 for size in sizes]


def weights(trainer):
    return torch.cat([p.detach().flatten() for n in (trainer.generator, trainer.critic) for p in n.parameters()])


OBJECTIVES = [
    (WassersteinLoss(), GradientPenalty(10.0), None),
    (RelativisticLoss(), ZeroCentredPenalty(1.0), DifferentiableAugmentation(probability=0.5)),
]


@pytest.mark.parametrize(("loss", "penalty", "augment"), OBJECTIVES)
@pytest.mark.parametrize("micro_batch", [1, 2, 3, 4, 6])
def test_a_batch_in_parts_gives_the_gradients_of_the_whole_batch(loss, penalty, augment, micro_batch):
    options = {"loss": loss, "gradient_penalty": penalty, "augment": augment}
    whole = trained(images(6, 6, 5), **options)
    parts = trained(images(6, 6, 5), Execution(micro_batch=micro_batch), **options)
    torch.testing.assert_close(weights(parts), weights(whole), rtol=0, atol=2e-6)
    for name, value in whole.state.output.items():
        assert float(parts.state.output[name]) == pytest.approx(float(value), abs=2e-5), name


def test_no_more_images_than_allowed_go_through_the_critic_at_once():
    largest = []
    trainer = trained(images(6), Execution(micro_batch=2))
    trainer.critic.register_forward_pre_hook(lambda _, inputs: largest.append(len(inputs[0])))
    trainer.state.max_epochs = 2
    trainer.run()
    assert max(largest) == 4  # two reals and two fakes in one pass


def test_a_clipped_step_of_gradient_descent_is_as_long_as_the_clip():
    start = weights(trained(images(4), rate=0.0))
    stepped = weights(trained(images(4), Execution(clip_norm=1e-3), rate=1.0, n_critic=5))
    assert (stepped - start).norm().item() == pytest.approx(1e-3, rel=1e-3)


def test_sixteen_bits_stay_out_of_weights_penalty_and_loss():
    class Noting(GradientPenalty):
        def forward(self, critic, reals, fakes, generator=None, epsilon=None):
            before = [dtype for dtype, _ in critic.seen]
            critic.seen.clear()
            result = super().forward(critic, reals, fakes, generator, epsilon)
            noted.append((before, [dtype for dtype, _ in critic.seen], result[0].dtype))
            return result

    noted = []
    half = trained(images(8), Execution(autocast="bfloat16"), gradient_penalty=Noting(), n_critic=5)
    assert noted == [([torch.bfloat16], [torch.float32], torch.float32)]
    full = trained(images(8), n_critic=5)
    assert {p.dtype for p in half.critic.parameters()} == {torch.float32}
    # bfloat16 has eight bits of precision: 2 ** -8 of values up to about 1, summed over reals and fakes
    assert float(half.state.output["wasserstein"]) != float(full.state.output["wasserstein"])
    first = trained(images(8), Execution(autocast="bfloat16"), n_critic=5).state.output
    assert float(first["wasserstein"]) == pytest.approx(float(full.state.output["wasserstein"]), abs=2**-6)
    assert float(first["penalty"]) == pytest.approx(float(full.state.output["penalty"]), rel=2**-6)


def test_features_have_the_channels_last_where_asked_for():
    assert not any(last for _, last in trained(images(4)).critic.seen)
    trainer = trained(images(4), Execution(channels_last=True), augment=DifferentiableAugmentation())
    assert all(last for _, last in trainer.critic.seen)
    torch.testing.assert_close(
        weights(trained(images(4), Execution(channels_last=True))), weights(trained(images(4))), rtol=0, atol=1e-6
    )


def test_compiled_networks_train_alike():
    eager, compiled = trained(images(4, 4)), trained(images(4, 4), Execution(compile_mode="default"))
    torch.testing.assert_close(weights(compiled), weights(eager), rtol=0, atol=1e-6)


def test_a_lazy_penalty_weighs_as_many_times_more_when_it_comes():
    class Constant(nn.Module):
        def forward(self, critic, reals, fakes, generator=None, epsilon=None):
            calls.append(trainer_updates())
            return critic.first.weight.sum() * 0 + 0.5, torch.ones(len(reals))

    calls, outputs = [], []
    trainer_updates = lambda: len(outputs)  # noqa: E731
    torch.manual_seed(0)
    networks = generator(), Critic()
    trainer = GenerativeAdversarialTrainer(
        device="cpu",
        max_epochs=1,
        train_data_loader=images(4, 4, 4, 4, 4),
        generator=networks[0],
        critic=networks[1],
        generator_optimizer=torch.optim.SGD(networks[0].parameters(), 0.0),
        critic_optimizer=torch.optim.SGD(networks[1].parameters(), 0.0),
        latent_size=LATENT_SIZE,
        loss=WassersteinLoss(),
        gradient_penalty=Constant(),
        penalty_every=3,
    )
    trainer.add_event_handler(
        Events.ITERATION_COMPLETED,
        lambda engine: outputs.append({name: float(value) for name, value in engine.state.output.items()}),
    )
    trainer.run()
    assert calls == [0, 3]
    extra = [output["loss"] + output["wasserstein"] for output in outputs]
    assert extra == pytest.approx([1.5, 0, 0, 1.5, 0], abs=1e-6)
    assert [output["penalty"] for output in outputs] == pytest.approx([0.5] * 5)


def test_losses_are_looked_at_now_and_then_and_always_at_the_end_of_an_epoch():
    broken = images(4, 4, 4, 4)
    broken[1][0] = float("nan")
    with pytest.raises(RuntimeError, match="iteration 3"):
        trained(broken, Execution(check_every=3))
    with pytest.raises(RuntimeError, match="iteration 4"):
        trained(broken, Execution(check_every=100))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"autocast": "float8"}, "autocast is 'float8', expected 'bfloat16' or None: take 'bfloat16'"),
        ({"autocast": "float16"}, r"autocast is 'float16', .* \(float16 needs a gradient scaler.*\): take 'bfloat16'"),
        ({"micro_batch": 0}, "micro_batch 0 must be at least 1"),
        ({"check_every": 0}, "check_every 0 and micro_batch None must be at least 1"),
        ({"clip_norm": 0.0}, "clip_norm is 0.0, expected above 0"),
    ],
)
def test_settings_that_make_no_sense_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        Execution(**arguments)
