"""Trainings that time or updates end, on sizes that a processor trains in seconds."""

import json
import math
from types import SimpleNamespace

import pytest
import torch

from monai_cardiac_gan.networks.nets import ComodulatedGenerator
from monai_cardiac_gan.training import gan_stages
from monai_cardiac_gan.training.bundle_stages import BundleStages
from monai_cardiac_gan.training.gan_stages import PENALTY_WEIGHTS, TRANSLATION, GanStages, ScoreFirst
from monai_cardiac_gan.training.measured_choices import TrainingChoice

CHOICE = TrainingChoice(2, 8, 4, amortised_width=2, amortised_max_channels=8)
SUBJECTS, PATCHES = {"la_1": "train", "phantom_1": "train", "b": "test"}, 8


class Recorded(BundleStages):
    """Keeps the workflows that it makes."""

    def workflow(self, names, **settings):
        made = super().workflow(names, **settings)
        self.__dict__.setdefault("made", []).append(made)
        return made


@pytest.fixture
def make_stages(request, disc_patch_set, tmp_path):
    bundle = request.config.rootpath / "bundles" / "cardiac_aorta_wgan_gp"
    disc_patch_set(tmp_path / "patch_set", SUBJECTS, PATCHES)

    def make(updates=None, choice=CHOICE, **options):
        stages = Recorded(bundle, tmp_path, torch.device("cpu"), choice)
        return GanStages(stages, 1e9, lambda: None, updates, **options)

    return make


def endless():
    return math.inf


def weights_of(trainer):
    return [each.detach().clone() for each in trainer.critic.parameters()]


@pytest.mark.parametrize("size", [64, 128])
def test_the_gan_is_trained_with_the_settings_of_its_size(make_stages, size):
    stages = make_stages(1, subject_weights={"phantom_*": 0.0})
    assert stages.train_gan(size, endless) == (1, True)
    parser = stages.stages.made[0].parser
    assert parser.get_parsed_content("penalty").weight == PENALTY_WEIGHTS[size]
    # a shift of 0.016 is one pixel of 64 and two of 128
    assert round(parser.get_parsed_content("augment").translation * size) == {64: 1, 128: 2}[size]
    assert parser.get_parsed_content("augment").translation == TRANSLATION
    shares = parser.get_parsed_content("train#dataloader").batch_sampler.shares
    assert sorted(shares) == pytest.approx([0.0] * PATCHES + [1 / PATCHES] * PATCHES)
    assert ("128" in parser.get_parsed_content("generator").blocks) is False  # painted from the features of 64


def test_the_critic_rests_while_the_score_teaches_and_joins_for_good(make_stages, monkeypatch):
    seen = []

    class Watching(ScoreFirst):
        def __call__(self, engine):
            super().__call__(engine)
            seen.append((engine.adversarial_weight, weights_of(engine)))

    monkeypatch.setattr(gan_stages, "ScoreFirst", Watching)
    stages = make_stages(6)
    assert stages.train_amortised(endless, lambda: True, {}) == (6, True)  # updates decide, not the time
    assert [weight for weight, _ in seen] == [0.0] * 4 + [0.05] * 2
    moved = [any(not torch.equal(a, b) for a, b in zip(seen[i][1], seen[i + 1][1], strict=True)) for i in range(5)]
    assert moved == [False] * 4 + [True]
    network = ComodulatedGenerator(width=2, max_channels=8, output_filter=13)
    network.load_state_dict(torch.load(stages.stages.models / "amortised.pt", weights_only=True))
    # all patches, whatever the GAN has
    assert stages.stages.made[0].parser.get_parsed_content("train#dataloader").batch_sampler.shares is None


def test_time_lets_the_critic_join_once_and_a_later_call_remembers(make_stages):
    kept, left = {}, iter([1.0] * 4 + [0.0])
    over = iter([False, False, True])  # asked before each update until it is time
    stages = make_stages()
    assert stages.train_amortised(lambda: next(left), lambda: next(over), kept) == (5, True)
    assert kept == {"amortised_score_updates": 2}
    again = iter([1.0, 0.0])
    assert stages.train_amortised(lambda: next(again), lambda: pytest.fail("it is known"), kept) == (7, True)
    trainer = stages.stages.made[-2].parser.get_parsed_content("train#trainer")  # the last one fitted the filter
    assert trainer.adversarial_weight == 0.05


def test_a_handler_tells_when_it_was_time():
    told = []
    handler = ScoreFirst(0.3, None, lambda: True, told.append)
    trainer = SimpleNamespace(critic_updates=7, adversarial_weight=0.0)
    handler(trainer)
    handler(trainer)
    assert (told, trainer.adversarial_weight) == ([7], 0.3)


def test_both_generators_get_the_band_limit_of_their_patches(make_stages):
    stages = make_stages(1)
    stages.train_gan(128, endless)
    stages.train_amortised(endless, lambda: False, {})
    for name in ("model", "amortised"):
        kernel = torch.load(stages.stages.models / f"{name}.pt", weights_only=True)["output_filter.kernel"]
        assert kernel.shape == (1, 1, 13, 13)
        report = json.loads((stages.stages.models / f"{name}.filter.json").read_text())
        assert report["after"] < report["before"]


@pytest.mark.parametrize(("seconds", "shown"), [(0.0, 5), (1.0, 15), (20.0, 5)])
def test_curves_come_each_minute_and_not_before_the_fifth_epoch(make_stages, seconds, shown):
    """Sixteen patches are four batches."""
    intervals = make_stages(choice=TrainingChoice(2, 8, 4, seconds=seconds))._intervals()
    assert intervals["show_every_epochs"] == shown
    assert intervals["metrics_every_epochs"] == 2 * shown
