import numpy as np
import pytest
import torch
from monai.data import MetaTensor
from monai.transforms import Compose

from monai_cardiac_gan.aorta import AortaTrack, measure_disc
from monai_cardiac_gan.keys import Field
from monai_cardiac_gan.transforms import LesionSimulator, LesionSimulatord
from monai_cardiac_gan.transforms.lesion_shapes import LESIONS

SLICES, SLICE_MM, DIAMETER = 70, 2.0, 20.0


@pytest.fixture(scope="module")
def volume():
    """A vertical vessel of 20 mm in noise; its track leaves out the ten lowest slices."""
    rows, columns = np.ogrid[:100, :110]
    away = np.hypot(rows - 50, columns - 55)
    disc = 100 + 500 * np.clip(DIAMETER / 2 + 0.5 - away, 0, 1)
    array = disc[..., None] + np.random.default_rng(0).normal(0, 10, (100, 110, SLICES))
    return MetaTensor(
        torch.tensor(array, dtype=torch.float32)[None], affine=torch.diag(torch.tensor([1.0, 1, SLICE_MM, 1]))
    )


@pytest.fixture(scope="module")
def track():
    count = SLICES - 10
    return AortaTrack(
        np.arange(10, SLICES), np.full((count, 2), [50.0, 55.0]), np.full(count, DIAMETER), np.ones(count), 1.0
    )


@pytest.mark.parametrize("kind", LESIONS)
def test_severity_0_changes_nothing(volume, track, kind):
    found = LesionSimulator(kind, 0.0)(volume, track)
    assert torch.equal(found.image, volume)
    assert not found.truth.any()
    assert not found.amounts.any()


@pytest.mark.parametrize("kind", LESIONS)
def test_what_is_changed_lies_along_the_track_around_its_place(volume, track, kind):
    found = LesionSimulator(kind, 0.8, length_mm=30.0, at=0.5)(volume, track)
    changed = (found.image != volume)[0].flatten(0, 1).any(0).as_tensor().numpy()
    slices = np.flatnonzero(changed)
    middle = track.slices[found.middle]
    assert abs(middle - (10 + SLICES - 1) / 2) <= 1
    reach = 15 * np.sqrt(np.log2(0.8 / 0.05))  # where a Gaussian of that width has fallen to a twentieth
    assert np.ptp(slices) * SLICE_MM == pytest.approx(2 * reach, abs=2 * SLICE_MM)
    assert slices[0] >= 10
    assert torch.equal(found.image[..., :10], volume[..., :10])
    assert not found.truth[..., ~changed].any()
    half = found.amounts >= 0.4
    assert half.sum() * SLICE_MM == pytest.approx(30, abs=2 * SLICE_MM)
    assert found.amounts.max() == found.amounts[found.middle] == 0.8
    torch.testing.assert_close(found.image.affine, volume.affine.double())


def test_a_dilated_stretch_has_its_widths(volume, track):
    found = LesionSimulator("dilation", 1.0, at=0.4)(volume, track)
    for row in np.flatnonzero(found.amounts > 0.1)[::4]:
        image = found.image[0, ..., track.slices[row]].as_tensor().numpy() / 350 - 1
        expected = DIAMETER * (1 + 0.6 * found.amounts[row])
        assert measure_disc(image).diameter_mm == pytest.approx(expected, rel=0.05)


def test_place_and_direction_are_drawn_by_the_seed(volume, track):
    one, same, other = (LesionSimulator("mass", 0.7, seed=seed)(volume, track) for seed in (3, 3, 4))
    assert torch.equal(one.image, same.image)
    assert (one.middle, one.direction) == (same.middle, same.direction) != (other.middle, other.direction)
    drawn = [LesionSimulator("mass", 0.1, seed=seed)(volume, track) for seed in range(30)]
    shares = np.array([1 - each.middle / (len(track) - 1) for each in drawn])
    assert shares.min() >= 0.24
    assert shares.max() <= 0.76
    assert np.ptp([each.direction for each in drawn]) > 4
    top = LesionSimulator("mass", 0.7, at=0.0, direction=1.0)(volume, track)
    assert (top.middle, top.direction) == (len(track) - 1, 1.0)


def test_the_dictionary_version_keeps_the_truth_beside_the_image(volume, track):
    record = {Field.IMAGE: volume, Field.AORTA: track, Field.SUBJECT: "ann"}
    changed = Compose([LesionSimulatord(Field.IMAGE, kind="flap", severity=1.0, seed=2)])(record)
    expected = LesionSimulator("flap", 1.0, seed=2)(volume, track)
    assert torch.equal(changed[Field.IMAGE], expected.image)
    assert torch.equal(changed[Field.LESION], expected.truth)
    assert changed[Field.LESION].dtype == torch.bool
    assert changed[Field.SUBJECT] == "ann"
    assert Field.LESION not in record
    assert torch.equal(record[Field.IMAGE], volume)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"kind": "tumour"}, "the kind is 'tumour': expected one of dilation, aneurysm, narrowing, flap"),
        ({"severity": 1.2}, "severity is 1.2, length_mm 50.0 and at None: expected 0 to 1"),
        ({"length_mm": 0.0}, "length_mm 0.0 and at None: expected 0 to 1, more than 0"),
        ({"at": 1.5}, "at 1.5: expected 0 to 1, more than 0, and 0 to 1 or None"),
    ],
)
def test_what_no_lesion_can_be_is_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        LesionSimulator(**({"kind": "wall", "severity": 0.5} | settings))


def test_an_empty_track_and_several_keys_are_refused(volume):
    empty = AortaTrack(np.zeros(0, int), np.zeros((0, 2)), np.zeros(0), np.zeros(0), 0.0)
    with pytest.raises(ValueError, match="the track is empty: expected the course of an aorta; localise it first"):
        LesionSimulator("wall", 0.5)(volume, empty)
    with pytest.raises(
        ValueError, match=r"the keys are \['image', 'other'\]: expected one, whose vessel's track is in 'aorta'"
    ):
        LesionSimulatord(["image", "other"], kind="wall", severity=0.5)
