import pytest
import torch
from ignite.engine import Events
from ignite.metrics import Average
from monai.data import MetaTensor
from monai.engines.utils import IterationEvents
from monai.handlers import CheckpointLoader, CheckpointSaver
from torch import nn
from torch.utils.data import DataLoader

from monai_cardiac_gan.augmentation import PatchVariation
from monai_cardiac_gan.engines import GenerativeAdversarialTrainer, TrainingOutput, prepare_images
from monai_cardiac_gan.losses import GradientPenalty, WassersteinLoss

LATENT_SIZE = 5


class TinyGenerator(nn.Module):
    """Latents to images of 8 x 8 pixels; keeps what it was given."""

    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(LATENT_SIZE, 16), nn.BatchNorm1d(16), nn.ReLU(), nn.Linear(16, 64))
        self.latents = []

    def forward(self, latents):
        self.latents.append(latents.clone())
        return self.layers(latents).tanh().reshape(-1, 1, 8, 8)


class TinyCritic(nn.Module):
    """Images to scores; keeps what it was given. The dropout draws from the global random state."""

    def __init__(self, dropout=0.0):
        super().__init__()
        self.layers = nn.Sequential(nn.Flatten(), nn.Linear(64, 16), nn.LeakyReLU(0.2), nn.Dropout(dropout))
        self.score = nn.Linear(16, 1)
        self.images = []

    def forward(self, images):
        self.images.append(images.detach())
        return self.score(self.layers(images)).flatten()


class Shift(nn.Module):
    """Latents moved by a vector that can be learnt."""

    def __init__(self, spread):
        super().__init__()
        self.spread, self.shift = spread, nn.Parameter(torch.zeros(LATENT_SIZE))

    def forward(self, latents):
        return (self.spread * latents + self.shift).reshape(-1, 1, 1, LATENT_SIZE)


def real_batches(*sizes):
    random = torch.Generator().manual_seed(9)
    return [torch.rand(size, 1, 8, 8, generator=random) * 2 - 1 for size in sizes]


def trainer_of(loader, generator=None, critic=None, optimizer=torch.optim.Adam, rate=1e-3, max_epochs=1, **options):
    torch.manual_seed(options.pop("network_seed", 0))
    generator, critic = generator or TinyGenerator(), critic or TinyCritic()
    return GenerativeAdversarialTrainer(
        device="cpu",
        max_epochs=max_epochs,
        train_data_loader=loader,
        generator=generator,
        critic=critic,
        generator_optimizer=optimizer(generator.parameters(), rate),
        critic_optimizer=optimizer(critic.parameters(), rate),
        latent_size=LATENT_SIZE,
        **{"loss": WassersteinLoss(), "gradient_penalty": GradientPenalty(), **options},
    )


def parameters_of(network):
    return [parameter.detach().clone() for parameter in network.parameters()]


def same(some, others):
    return all(torch.equal(one, other) for one, other in zip(some, others, strict=True))


def test_first_outputs_are_those_computed_by_hand():
    critic = nn.Sequential(nn.Flatten(), nn.Linear(64, 1)).double()
    generator = TinyGenerator().double()
    generator.layers[1] = nn.Identity()
    (reals,) = real_batches(4)
    trainer = trainer_of([reals.double()], generator, critic, seed=11)
    trainer.draw_latents = lambda count: torch.randn(count, LATENT_SIZE, generator=trainer.random).double()
    w1, b1, w2, b2 = (parameter.numpy() for parameter in parameters_of(generator))
    w, b = (parameter.numpy() for parameter in parameters_of(critic))
    trainer.run()

    latents = torch.randn(4, LATENT_SIZE, generator=torch.Generator().manual_seed(11)).double().numpy()
    fakes = torch.from_numpy((latents @ w1.T + b1).clip(0) @ w2.T + b2).tanh().numpy()
    real_score = (reals.double().numpy().reshape(4, 64) @ w[0] + b).mean()
    fake_score = (fakes @ w[0] + b).mean()
    norm = (w**2).sum() ** 0.5
    penalty = 10 * (norm - 1) ** 2
    assert trainer.state.output == {
        TrainingOutput.LOSS: pytest.approx(fake_score - real_score + penalty, abs=1e-12),
        TrainingOutput.WASSERSTEIN: pytest.approx(real_score - fake_score, abs=1e-12),
        TrainingOutput.PENALTY: pytest.approx(penalty, abs=1e-12),
        TrainingOutput.GRADIENT_NORM: pytest.approx(norm, abs=1e-12),
        TrainingOutput.GENERATOR_LOSS: pytest.approx(-fake_score, abs=1e-12),
    }
    assert set(TrainingOutput.ALL) == set(trainer.state.output)


@pytest.mark.parametrize("n_critic", [1, 2, 3, 5])
def test_generator_moves_after_each_nth_update_of_the_critic_over_all_epochs(n_critic):
    trainer = trainer_of(real_batches(4, 4, 4, 4), max_epochs=3, n_critic=n_critic)
    moves = []
    trainer.critic_optimizer.register_step_post_hook(lambda *_: moves.append("critic"))
    trainer.generator_optimizer.register_step_post_hook(lambda *_: moves.append("generator"))
    trainer.run()
    expected = [("critic",) + ("generator",) * (update % n_critic == 0) for update in range(1, 13)]
    assert moves == [move for iteration in expected for move in iteration]
    assert (trainer.critic_updates, trainer.generator_updates) == (12, 12 // n_critic)


def test_each_update_sees_images_and_latents_of_its_own():
    batches = real_batches(4, 4, 4, 4)
    trainer = trainer_of(batches, n_critic=2)
    seen = {"reals": [], "latents": trainer.generator.latents}
    trainer.gradient_penalty.register_forward_hook(lambda _, inputs, __: seen["reals"].append(inputs[1]))
    trainer.run()
    assert same(seen["reals"], batches)
    assert len(seen["latents"]) == 4 + 2
    assert len({tuple(latents.flatten().tolist()) for latents in seen["latents"]}) == 6


def test_a_seed_means_the_same_latents_whatever_the_global_state():
    def latents(seed, network_seed):
        trainer = trainer_of(real_batches(4, 4), seed=seed, network_seed=network_seed)
        trainer.run()
        return trainer.generator.latents

    assert same(latents(1, 0), latents(1, 7))
    assert not same(latents(1, 0), latents(2, 0))


def test_the_step_of_the_generator_leaves_the_critic_alone():
    trainer = trainer_of(real_batches(4, 4), n_critic=1)
    frozen = next(trainer.critic.parameters()).requires_grad_(False)
    critic, noted = trainer.critic, []

    def note(*_):
        noted.append((parameters_of(critic), [p.grad.clone() for p in critic.parameters() if p.grad is not None]))

    trainer.critic_optimizer.register_step_post_hook(note)
    trainer.add_event_handler(Events.ITERATION_COMPLETED, note)
    before = parameters_of(trainer.generator)
    trainer.run()
    assert not same(before, parameters_of(trainer.generator))
    for after_critic, after_generator in (noted[0:2], noted[2:4]):
        assert same(after_critic[0], after_generator[0])
        assert same(after_critic[1], after_generator[1])
    moving = [parameter.requires_grad for parameter in critic.parameters()]
    assert not frozen.requires_grad
    assert all(moving[1:])


def test_the_update_of_the_critic_gives_the_generator_no_gradient():
    trainer = trainer_of(real_batches(4, 4), n_critic=5)
    before = parameters_of(trainer.generator)
    trainer.run()
    assert same(before, parameters_of(trainer.generator))
    assert all(parameter.grad is None for parameter in trainer.generator.parameters())


def test_a_short_last_batch_draws_as_few_latents():
    trainer = trainer_of(real_batches(4, 4, 1), critic=TinyCritic(), n_critic=5, max_epochs=1)
    trainer.generator.layers[1] = nn.Identity()
    trainer.run()
    assert [len(latents) for latents in trainer.generator.latents] == [4, 4, 1]
    assert trainer.critic_updates == 3


def test_both_networks_are_put_into_training_mode():
    trainer = trainer_of(real_batches(4))
    trainer.generator.eval()
    trainer.critic.eval()
    trainer.run()
    assert trainer.generator.training
    assert trainer.critic.training


def test_dictionaries_meta_tensors_and_tensors_train_alike():
    images = real_batches(4, 4)
    forms = [images, [{"image": image} for image in images], [{"image": MetaTensor(image)} for image in images]]
    trainers = [trainer_of(form, n_critic=1) for form in forms]
    for trainer in trainers:
        trainer.run()
        assert {type(seen) for seen in trainer.critic.images} == {torch.Tensor}
        assert same(parameters_of(trainers[0].generator), parameters_of(trainer.generator))


def test_events_fire_in_order_and_metrics_are_computed():
    key_metric = {"loss": Average(output_transform=lambda output: output["loss"])}
    trainer = trainer_of(real_batches(4, 4), key_train_metric=key_metric, metric_cmp_fn=lambda new, best: new < best)
    fired, losses = [], []
    for event in IterationEvents:
        if event in trainer._allowed_events:
            trainer.add_event_handler(event, lambda _, name=event.name: fired.append(name))
    trainer.add_event_handler(
        Events.ITERATION_COMPLETED, lambda engine: losses.append(float(engine.state.output["loss"]))
    )
    trainer.run()
    assert fired == ["FORWARD_COMPLETED", "LOSS_COMPLETED", "BACKWARD_COMPLETED", "MODEL_COMPLETED"] * 2
    assert trainer.state.metrics["loss"] == pytest.approx(sum(losses) / 2, rel=1e-6)
    assert trainer.state.best_metric_epoch == 1


def test_the_generator_finds_the_mean_of_the_reals():
    """It circles around the mean, so that its way is averaged: over 50 seeds 0.09 (deviation 0.025), at most 0.153."""
    mean = torch.linspace(-0.5, 0.5, LATENT_SIZE)
    reals = [0.1 * torch.randn(32, 1, 1, LATENT_SIZE) + mean for _ in range(10)]
    critic = nn.Sequential(nn.Flatten(), nn.Linear(LATENT_SIZE, 32), nn.LeakyReLU(0.2), nn.Linear(32, 1))
    adam = lambda parameters, rate: torch.optim.Adam(parameters, rate, betas=(0.0, 0.9))  # noqa: E731
    trainer = trainer_of(reals, Shift(0.1), critic, adam, rate=5e-3, max_epochs=100)
    shifts = []
    trainer.add_event_handler("EPOCH_COMPLETED", lambda: shifts.append(trainer.generator.shift.detach().clone()))
    trainer.run()
    distance = (torch.stack(shifts[50:]).mean(0) - mean).norm()
    assert mean.norm() > 0.7  # the distance at the start
    assert distance < 0.25  # six deviations


class WorseAndWorse(WassersteinLoss):
    def generator(self, fake_scores, real_scores=None):
        return super().generator(fake_scores) * float("inf")


def test_values_that_are_not_finite_stop_the_training_before_they_reach_the_weights():
    batches = real_batches(4, 4, 4)
    batches[1][2, 0, 3, 3] = float("nan")
    trainer = trainer_of(batches)
    with pytest.raises(RuntimeError, match=r"critic's loss is nan at iteration 2 \(epoch 1\).*lower the learning rate"):
        trainer.run()
    assert all(parameter.isfinite().all() for parameter in trainer.critic.parameters())
    with pytest.raises(RuntimeError, match=r"generator's loss is -?inf at iteration 1 .*check the patches"):
        trainer_of(real_batches(4), n_critic=1, loss=WorseAndWorse()).run()


def test_a_critic_that_mixes_samples_is_refused_at_the_start():
    critic = nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.Conv2d(2, 1, 6), nn.Flatten(0))
    trainer = trainer_of(real_batches(4), critic=critic)
    before = parameters_of(critic)
    with pytest.raises(ValueError, match="BatchNorm2d at 1"):
        trainer.run()
    assert same(before, parameters_of(critic))


def test_the_weight_of_the_penalty_can_be_chosen():
    trainer = trainer_of(real_batches(4), gradient_penalty=GradientPenalty(0.0))
    trainer.run()
    output = trainer.state.output
    assert output["penalty"] == 0
    assert float(output["loss"]) == pytest.approx(-float(output["wasserstein"]), abs=1e-6)


def objects_of(trainer):
    return {
        "trainer": trainer,
        "generator": trainer.generator,
        "critic": trainer.critic,
        "generator_optimizer": trainer.generator_optimizer,
        "critic_optimizer": trainer.critic_optimizer,
    }


@pytest.mark.parametrize("shuffle", [False, True])
def test_four_and_four_iterations_equal_eight_bit_for_bit(tmp_path, shuffle):
    records = [{"image": image} for image in real_batches(5)[0]]

    def new_trainer(max_epochs, seed):
        loader = DataLoader(records, batch_size=3, shuffle=shuffle)  # batches of 3 and 2: four iterations in two epochs
        torch.manual_seed(seed)
        critic = TinyCritic(dropout=0.3)
        return trainer_of(loader, critic=critic, max_epochs=max_epochs, n_critic=3, seed=seed, network_seed=seed)

    whole = new_trainer(4, seed=1)
    whole.run()
    first = new_trainer(2, seed=1)
    CheckpointSaver(str(tmp_path), objects_of(first), save_final=True, final_filename="half.pt").attach(first)
    first.run()
    second = new_trainer(4, seed=2)
    CheckpointLoader(str(tmp_path / "half.pt"), objects_of(second)).attach(second)
    second.run()

    assert first.critic_updates == 4
    assert second.critic_updates == whole.critic_updates == second.state.iteration == 8
    assert second.state.output == whole.state.output
    for name in ("generator", "critic"):
        resumed, straight = (getattr(trainer, name).state_dict() for trainer in (second, whole))
        assert same(resumed.values(), straight.values())


def test_the_latest_loss_of_the_generator_survives_a_resume():
    trainer, other = trainer_of(real_batches(4, 4), n_critic=2), trainer_of(real_batches(4), n_critic=5, max_epochs=3)
    trainer.run()
    other.load_state_dict(trainer.state_dict() | {"epoch_length": 1, "max_epochs": 3})
    other.run()
    assert other.state.output["generator_loss"] == trainer.state.output["generator_loss"]


def test_the_state_of_another_trainer_is_refused():
    trainer = trainer_of(real_batches(4))
    with pytest.raises(
        ValueError, match=r"lacks critic_updates, .* load a checkpoint that a GenerativeAdversarialTrainer wrote"
    ):
        trainer.load_state_dict({"epoch_length": 1, "iteration": 1, "max_epochs": 1})


@pytest.mark.parametrize(
    ("batch", "came"),
    [
        ({"label": torch.zeros(2, 1, 8, 8)}, "NoneType"),
        ([torch.zeros(2, 1, 8, 8)], "list"),
        (torch.zeros(2, 8, 8), r"torch.float32 \[2, 8, 8\]"),
        ({"image": torch.zeros(2, 1, 8, 8, dtype=torch.uint8)}, "torch.uint8"),
    ],
)
def test_batches_without_images_are_refused(batch, came):
    with pytest.raises(ValueError, match=f"The batch holds {came}.*expected 'image' or a tensor .* of floats"):
        prepare_images(batch, torch.device("cpu"))


@pytest.mark.parametrize("option", [{"n_critic": 0}, {"n_critic": -1}])
def test_counts_below_one_are_refused(option):
    with pytest.raises(ValueError, match=r"n_critic .* must be at least 1"):
        trainer_of(real_batches(4), **option)


def padded_batches(padding, count=10):
    """Reals whose first two rows lie outside the field of view and hold the padding."""
    valid = torch.ones(4, 1, 8, 8, dtype=torch.bool)
    valid[:, :, :2] = False
    return [{"image": torch.where(valid, images, padding), "valid": valid} for images in real_batches(*[4] * count)]


def test_what_the_padding_holds_changes_nothing():
    trainers = [trainer_of(padded_batches(padding)) for padding in (-1.0, 0.6)]
    for trainer in trainers:
        trainer.run()
    for name in ("generator", "critic"):
        assert same(*(parameters_of(getattr(trainer, name)) for trainer in trainers))


def test_the_padding_is_learnt_when_asked_for():
    trainers = [trainer_of(padded_batches(padding), mask_invalid=False) for padding in (-1.0, 0.6)]
    for trainer in trainers:
        trainer.run()
    assert not same(*(parameters_of(trainer.critic) for trainer in trainers))


def test_the_generator_learns_nothing_where_no_patch_is_valid():
    """The last layer has a row of weights for each pixel; plain descent moves those alone that get a gradient."""
    trainer = trainer_of(padded_batches(-1.0), optimizer=torch.optim.SGD, rate=0.1)
    before = trainer.generator.layers[-1].weight.detach().clone().view(8, 8, 16)
    trainer.run()
    after = trainer.generator.layers[-1].weight.detach().view(8, 8, 16)
    assert torch.equal(before[:2], after[:2])
    assert ((before[2:] - after[2:]).abs().amax(2) > 0).all()


def test_reals_and_fakes_are_black_at_the_same_places():
    trainer = trainer_of(padded_batches(0.3, count=2))
    trainer.run()
    for images in trainer.critic.images:
        if len(images) == 8:  # reals and fakes of an update of the critic
            assert (images[:, :, :2] == -1).all()
            assert (images[:, :, 2:] != -1).all()


def test_masks_that_fit_every_pixel_change_nothing():
    plain, masked = (
        trainer_of([batch if key is None else {"image": batch, "valid": torch.ones_like(batch, dtype=torch.bool)}
                    for batch in real_batches(*[4] * 10)])
        for key in (None, "valid")
    )  # fmt: skip
    plain.run()
    masked.run()
    assert same(parameters_of(plain.generator), parameters_of(masked.generator))


@pytest.mark.parametrize(
    ("valid", "came"),
    [
        (torch.ones(4, 1, 8, 8), r"torch.float32 \[4, 1, 8, 8\]"),
        (torch.ones(4, 1, 8, 7, dtype=torch.bool), r"torch.bool \[4, 1, 8, 7\]"),
        ("all", "str"),
    ],
)
def test_masks_that_do_not_fit_are_refused(valid, came):
    with pytest.raises(ValueError, match=rf"'valid' of the batch is {came}: expected bool \[4, 1, 8, 8\]"):
        trainer_of([{"image": real_batches(4)[0], "valid": valid}]).run()


def test_the_critic_sees_varied_reals_and_black_where_they_were_not_seen():
    (reals,) = real_batches(4)
    variation = PatchVariation(rotation=40.0)
    trainer = trainer_of([reals], variation=variation)
    trainer.run()
    uniforms = torch.rand(4, variation.draws, generator=torch.Generator().manual_seed(0))
    varied, valid = variation(reals, torch.ones_like(reals, dtype=torch.bool), uniforms)
    assert not valid.all()
    seen = next(images for images in trainer.critic.images if len(images) == 8)
    torch.testing.assert_close(seen[:4], torch.where(valid, varied, -1.0))
    assert (seen[4:][~valid] == -1).all()  # and so do the fakes


def test_varied_reals_whose_corners_are_not_masked_are_refused():
    with pytest.raises(
        ValueError, match=r"there is a variation and mask_invalid is False: .* expected mask_invalid=True"
    ):
        trainer_of(real_batches(2), variation=PatchVariation(), mask_invalid=False)
