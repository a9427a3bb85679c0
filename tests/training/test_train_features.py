import json
import math

import numpy as np
import pytest
import torch
from monai.data import MetaTensor
from torch import nn
from torch.nn import functional as F

from monai_cardiac_gan.augmentation.corruptions import KINDS
from monai_cardiac_gan.keys import Field, PatchColumn
from monai_cardiac_gan.networks.nets.patch_features import PatchFeatures
from monai_cardiac_gan.training import train_features
from monai_cardiac_gan.training.train_features import TrainPatchFeatures, exercise, moved, stacked, task_loss

SIDE = 128
DEVICE = torch.device("cpu")


def disc_item(rng, spacing=1.0):
    """A bright disc on dark tissue, near the middle of a patch."""
    centre, diameter = 64 + rng.normal(0, 2, 2), rng.uniform(16, 32)
    rows, columns = np.ogrid[:SIDE, :SIDE]
    disc = np.clip(0.5 + diameter / 2 - np.hypot(rows - centre[0], columns - centre[1]), 0, 1)
    meta = {
        PatchColumn.CENTRE_X: spacing * centre[0],
        PatchColumn.CENTRE_Y: spacing * centre[1],
        PatchColumn.DIAMETER: spacing * diameter,
    }
    pixels = torch.from_numpy(1.4 * disc - 0.8 + rng.normal(0, 0.02, disc.shape)).float()[None]
    return {Field.IMAGE: MetaTensor(pixels, affine=torch.diag(torch.tensor([spacing] * 3 + [1.0])), meta=meta)}


def discs(count, seed=0, **options):
    rng = np.random.default_rng(seed)
    return [disc_item(rng, **options) for _ in range(count)]


def small_network():
    return PatchFeatures(size=24, width=4)


class KnowsAnswers(nn.Module):
    """Answers with the truth of the last exercise, all of it wrong by so much."""

    def __init__(self, monkeypatch, wrong=(0.0, 0.0, 0.0)):
        super().__init__()
        self.wrong = torch.tensor(wrong)

        def remembered(*arguments):
            images, self.truth = exercise(*arguments)
            return images, self.truth

        monkeypatch.setattr(train_features, "exercise", remembered)

    def forward(self, images):
        kind, strength, place = self.truth
        scores = F.one_hot(kind, len(KINDS)).float()
        return scores, scores * strength[:, None], place + self.wrong / SIDE


class MeasuredDisc(nn.Module):
    """Features that hold the disc's centre and size, and the roughness of the image."""

    def __init__(self):
        super().__init__()
        self.size = 4
        self.standard = nn.BatchNorm1d(4, affine=False)

    def forward(self, images):
        bright, axis = (images[:, 0] > 0).float(), torch.arange(SIDE)
        area = bright.sum((1, 2)).clamp(min=1)
        centres = [(bright.sum(other) * axis).sum(1) / area for other in (2, 1)]
        roughness = images.diff(dim=3).diff(dim=3).abs().flatten(1).median(1).values.clamp(min=1e-3).log()
        return self.standard(torch.stack([*centres, area.sqrt(), roughness], 1))


def test_geometry_is_told_in_shares_of_the_side_whatever_the_spacing():
    near, far = (stacked(discs(3, spacing=spacing)) for spacing in (1.0, 0.5))
    torch.testing.assert_close(near[1], far[1])
    image = near[0][0, 0].clamp(min=0)
    centroid = [(image.sum(axis) * torch.arange(SIDE)).sum() / image.sum() for axis in (1, 0)]
    told = SIDE * (near[1][0, :2] + 0.5)
    torch.testing.assert_close(told, torch.stack(centroid), rtol=0, atol=0.2)


def test_patches_move_by_whole_pixels_and_repeat_their_border():
    images = torch.arange(2.0 * 32 * 32).reshape(2, 1, 32, 32)
    result = moved(images, torch.tensor([[3, -2], [0, 0]]))
    assert torch.equal(result[0, 0, 3:, :-2], images[0, 0, :-3, 2:])
    assert torch.equal(result[0, 0, 0, :-2], images[0, 0, 0, 2:])
    assert torch.equal(result[1], images[1])


def test_answers_follow_the_moved_aorta():
    images, places = stacked(discs(64))
    exercises, (kinds, strengths, told) = exercise(
        (images, places), torch.arange(64) % 8, torch.Generator().manual_seed(0), DEVICE
    )
    clean = kinds == 0
    bright = exercises[clean, 0].clamp(min=0)
    axis = torch.arange(SIDE)
    centroids = torch.stack([(bright.sum(other) * axis).sum(1) / bright.sum((1, 2)) for other in (2, 1)], 1)
    assert clean.sum() == 8
    torch.testing.assert_close(SIDE * (told[clean, :2] + 0.5), centroids, rtol=0, atol=0.2)
    assert (SIDE * (told - places)[:, :2]).abs().max() == pytest.approx(train_features.LARGEST_SHIFT, abs=1e-3)
    assert torch.equal(told[:, 2], places[:, 2])
    assert 0 <= strengths.min() < strengths.max() <= 1


def test_loss_by_hand():
    kind = torch.tensor([0, KINDS.index("blur"), KINDS.index("warp")])
    strength, place = torch.tensor([0.9, 0.5, 0.5]), torch.zeros(3, 3)
    scores = torch.zeros(3, len(KINDS))  # every kind alike
    strengths = torch.full((3, len(KINDS)), 0.7)
    loss = task_loss((scores, strengths, torch.full((3, 3), 0.01)), (kind, strength, place))
    # without a defect there is no strength, and a warp leaves no geometry
    by_hand = math.log(8) + (0.2 + 0.2) / 3 + 20 * (0.01 + 0.01) / 3
    assert loss.item() == pytest.approx(by_hand, rel=1e-6)


def test_measures_of_a_network_that_knows_the_answers(monkeypatch, tmp_path):
    training = TrainPatchFeatures(discs(30), discs(70), str(tmp_path / "features.pt"), batch_size=30)
    report = training.measure(KnowsAnswers(monkeypatch))
    assert report.kind_accuracy == 1
    assert set(report.accuracy_of_kind.values()) == {1.0}
    assert (report.strength_error, report.centre_error, report.diameter_error) == pytest.approx((0, 0, 0), abs=1e-5)
    wrong = training.measure(KnowsAnswers(monkeypatch, wrong=(3.0, 4.0, -2.0)))
    assert wrong.centre_error == pytest.approx(5, abs=1e-4)
    assert wrong.diameter_error == pytest.approx(2, abs=1e-4)
    # shifts are uniform on -10..10 along both axes: that far from their mean, on average
    assert wrong.centre_error_of_mean == pytest.approx(8.0, abs=2.5)


def test_training_lets_the_features_answer(tmp_path):
    path = tmp_path / "features.pt"
    training = TrainPatchFeatures(
        discs(64), discs(64, seed=1), str(path), MeasuredDisc, epochs=20, batch_size=16, learning_rate=0.05
    )
    report = training.run()
    assert json.loads(path.with_suffix(".json").read_text())["kind_accuracy"] == report.kind_accuracy
    assert report.centre_error < 0.6 * report.centre_error_of_mean
    assert report.diameter_error < 0.5 * report.diameter_error_of_mean
    assert report.kind_accuracy > 2 / len(KINDS)


def test_the_seed_makes_the_weights_repeatable(tmp_path):
    states = []
    for name, seed in (("first", 1), ("again", 1), ("other", 2)):
        path = tmp_path / name / "features.pt"
        TrainPatchFeatures(discs(8), discs(8), str(path), small_network, epochs=2, batch_size=4, seed=seed).run()
        states.append(torch.load(path, weights_only=True))
    first, again, other = states
    small_network().load_state_dict(first)
    assert all(torch.equal(value, again[name]) for name, value in first.items())
    assert not torch.equal(first["output.weight"], other["output.weight"])


@pytest.mark.parametrize(
    ("train", "test", "message"), [(7, 8, "7 training patches, expected at least 8"), (8, 7, "7 test")]
)
def test_too_few_patches_are_refused(tmp_path, train, test, message):
    with pytest.raises(ValueError, match=f"there are {message}.*prepare more, or train with smaller batches"):
        TrainPatchFeatures(discs(train), discs(test), str(tmp_path / "f.pt"), batch_size=8)


def test_other_random_numbers_are_left_alone(tmp_path):
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    TrainPatchFeatures(discs(4), discs(8), str(tmp_path / "f.pt"), small_network, epochs=1, batch_size=2).run()
    assert torch.equal(torch.rand(3), expected)


def test_features_of_an_earlier_training_are_replaced_only_when_told_to(tmp_path):
    path = tmp_path / "f.pt"
    path.write_bytes(b"of an earlier training")
    usual = (discs(4), discs(8), str(path), small_network)
    with pytest.raises(FileExistsError, match=r"f\.pt: an earlier training wrote this"):
        TrainPatchFeatures(*usual, epochs=1, batch_size=2).run()
    assert path.read_bytes() == b"of an earlier training"
    TrainPatchFeatures(*usual, epochs=1, batch_size=2, overwrite=True).run()
    assert set(torch.load(path, weights_only=True)) == set(small_network().state_dict())
