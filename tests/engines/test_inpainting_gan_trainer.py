import pytest
import torch
from torch import nn

from monai_cardiac_gan.augmentation import PatchVariation
from monai_cardiac_gan.engines import Execution, InpaintingGanTrainer
from monai_cardiac_gan.keys import Field
from monai_cardiac_gan.losses import RelativisticLoss, ZeroCentredPenalty, pyramid_crps

LATENT_SIZE, SIDE = 3, 32


class TinyPainter(nn.Module):
    """A whole patch from a latent and the mean of what is known."""

    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(LATENT_SIZE + 1, SIDE**2)

    def encode(self, patches, masks):
        return [torch.where(masks, 0.0, patches).flatten(1).mean(1, keepdim=True)]

    def decode(self, seen, latents):
        return self.layer(torch.cat([seen[0], latents], 1)).tanh().view(-1, 1, SIDE, SIDE)

    def forward(self, latents, patches, masks):
        return self.decode(self.encode(patches, masks), latents)


class PairCritic(nn.Module):
    """Scores pairs; keeps what it was given."""

    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(
            nn.Flatten(), nn.Linear(2 * SIDE**2, 4), nn.LeakyReLU(0.2), nn.Linear(4, 1), nn.Flatten(0)
        )
        self.seen = []

    def forward(self, pairs):
        self.seen.append(pairs.detach().clone())
        return self.layers(pairs)


def middle(count, shape, random):
    holes = torch.zeros(count, 1, *shape, dtype=torch.bool)
    holes[:, :, 8:20, 10:24] = True
    return holes


def trainer_of(batches, seed=0, **options):
    torch.manual_seed(1)
    generator, critic = TinyPainter(), PairCritic()
    return InpaintingGanTrainer(
        holes=options.pop("holes", middle),
        device="cpu",
        max_epochs=1,
        train_data_loader=batches,
        generator=generator,
        critic=critic,
        generator_optimizer=torch.optim.SGD(generator.parameters(), options.pop("rate", 1e-2)),
        critic_optimizer=torch.optim.SGD(critic.parameters(), 1e-2),
        loss=RelativisticLoss(),
        gradient_penalty=ZeroCentredPenalty(),
        latent_size=LATENT_SIZE,
        n_critic=1,
        seed=seed,
        **options,
    )


def batches(*sizes):
    random = torch.Generator().manual_seed(2)
    return [torch.rand(size, 1, SIDE, SIDE, generator=random) * 2 - 1 for size in sizes]


def test_the_critic_sees_reals_with_their_holes_and_fakes_that_differ_only_there():
    (reals,) = data = batches(4)
    trainer = trainer_of(data)
    trainer.run()
    pairs = next(seen for seen in trainer.critic.seen if len(seen) == 8)  # the update of the critic
    holes = middle(4, (SIDE, SIDE), None)
    torch.testing.assert_close(pairs[:4, :1], reals)
    for half in (pairs[:4], pairs[4:]):
        assert torch.equal(half[:, 1:], holes.float())
        assert torch.equal(half[:, :1][~holes], reals[~holes])
    assert not (pairs[4:, :1] == reals)[holes].any()


def test_the_generator_s_step_is_down_the_slope_of_the_score():
    (reals,) = data = batches(4)
    trainer = trainer_of(data, adversarial_weight=0.0, score_weight=3.0, rate=0.5)
    before = {name: value.clone() for name, value in trainer.generator.named_parameters()}
    trainer.run()
    torch.manual_seed(1)
    painter, holes = TinyPainter(), middle(4, (SIDE, SIDE), None)
    random = torch.Generator().manual_seed(0)
    answers = [
        torch.where(holes, painter(torch.randn(4, LATENT_SIZE, generator=random), reals, holes), reals)
        for _ in range(2)
    ]
    score = pyramid_crps(answers, reals, holes).mean()
    (3 * score).backward()
    for name, value in painter.named_parameters():
        torch.testing.assert_close(before[name], value)
        torch.testing.assert_close(trainer.generator.get_parameter(name), value - 0.5 * value.grad)
    assert trainer.state.output["score"].item() == pytest.approx(score.item())
    assert trainer.critic.seen[1:] == []  # one look, whether it mixes samples


def test_parts_of_a_batch_give_what_the_whole_gives():
    whole, parts = (trainer_of(batches(6, 6), execution=each) for each in (None, Execution(micro_batch=2)))
    whole.run()
    parts.run()
    for one, other in zip(whole.generator.parameters(), parts.generator.parameters(), strict=True):
        torch.testing.assert_close(one, other)


def test_pixels_outside_the_field_of_view_teach_nothing():
    (reals,) = batches(4)
    valid = torch.ones_like(reals, dtype=torch.bool)
    valid[..., 18:] = False
    results = []
    for other in (reals, torch.where(valid, reals, -reals)):
        trainer = trainer_of([{Field.IMAGE: other, Field.VALID: valid}])
        trainer.run()
        results.append(torch.cat([value.flatten() for value in trainer.generator.parameters()]))
    assert torch.equal(*results)


def test_a_hole_without_valid_pixels_teaches_nothing_and_breaks_nothing():
    (reals,) = batches(4)
    valid = torch.ones_like(reals, dtype=torch.bool)
    valid[0, :, 8:20, 10:24] = False
    trainer = trainer_of([{Field.IMAGE: reals, Field.VALID: valid}], adversarial_weight=0.0)
    trainer.run()
    assert all(value.isfinite().all() for value in trainer.generator.parameters())


def test_images_are_varied_before_they_get_holes():
    (reals,) = data = batches(4)
    trainer = trainer_of(data, variation=PatchVariation())
    trainer.run()
    uniforms = torch.rand(4, PatchVariation.draws, generator=torch.Generator().manual_seed(0))
    varied, _ = PatchVariation()(reals, torch.ones_like(reals, dtype=torch.bool), uniforms)
    pairs = next(seen for seen in trainer.critic.seen if len(seen) == 8)
    torch.testing.assert_close(pairs[:4, :1], varied)


def test_spread_is_learnt():
    # the truth is one of two greys, and nothing that is known says which
    greys = torch.where(torch.arange(64) % 2 == 0, -0.6, 0.6)[:, None, None, None]
    holes = middle(64, (SIDE, SIDE), None)
    patches = torch.where(holes, greys, torch.zeros(64, 1, SIDE, SIDE))
    torch.manual_seed(1)
    trainer = trainer_of([patches] * 300, adversarial_weight=0.0, rate=30.0)
    trainer.run()
    with torch.no_grad():
        painted = trainer.generator(torch.randn(500, LATENT_SIZE), patches[:1].expand(500, -1, -1, -1), holes[:1])
    hidden = painted[:, holes[0]]
    assert hidden.std(0).mean().item() == pytest.approx(0.6, abs=0.15)
    assert hidden.mean().item() == pytest.approx(0.0, abs=0.15)


@pytest.mark.parametrize("weights", [(0.0, 0.0), (-1.0, 1.0), (1.0, -1.0), (float("nan"), 1.0)])
def test_impossible_weights_are_refused(weights):
    with pytest.raises(ValueError, match=r"adversarial_weight is .* and score_weight .*: expected 0 or more each"):
        trainer_of(batches(2), adversarial_weight=weights[0], score_weight=weights[1])


def test_images_of_two_channels_are_refused():
    with pytest.raises(ValueError, match=r"images are \[2, 2, 8, 8\], expected \(N, 1, H, W\)"):
        trainer_of([torch.zeros(2, 2, 8, 8)]).run()


def test_a_compiled_critic_trains_as_one_that_is_not(monkeypatch):
    """The generator is called by its halves, which are left as they are."""
    compiled = []

    def trace_only(network, mode):
        compiled.append(type(network))
        compile_module(network, backend="eager")

    compile_module = nn.Module.compile
    monkeypatch.setattr(nn.Module, "compile", trace_only)
    monkeypatch.setattr(PairCritic, "forward", lambda critic, pairs: critic.layers(pairs))
    eager, traced = (trainer_of(batches(4, 4), execution=Execution(compile_mode=mode)) for mode in (None, "default"))
    for trainer in (eager, traced):
        trainer.run()
    assert compiled == [TinyPainter, PairCritic]
    for name in ("generator", "critic"):
        pairs = zip(getattr(eager, name).parameters(), getattr(traced, name).parameters(), strict=True)
        for one, other in pairs:
            torch.testing.assert_close(one, other)
