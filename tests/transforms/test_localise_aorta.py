import numpy as np
import pytest
import torch
from monai.data import MetaTensor
from monai.transforms import Orientation

from monai_cardiac_gan.transforms import LoadVolume, LocaliseAorta

AFFINE = np.array([[1.5, 0, 0, -40], [0, 1.5, 0, 25], [0, 0, 3.0, -10], [0, 0, 0, 1.0]])


@pytest.fixture(scope="module")
def two_tubes(tube):
    left, right = (
        tube((90, 90, 30), (1.5, 1.5, 3.0), lambda z, x=x: np.stack([x + 0 * z, 60 + 0 * z]), 24.0) for x in (35, 95)
    )
    return np.maximum(left, right)


def as_image(volume, affine=AFFINE):
    return MetaTensor(torch.as_tensor(volume)[None], affine=torch.as_tensor(affine))


@pytest.mark.parametrize("x", [35.0, 95.0])
def test_a_seed_in_scanner_millimetres_chooses_the_tube(two_tubes, x):
    track = LocaliseAorta()(as_image(two_tubes), seed=(x - 40, 60 + 25, 45 - 10))
    np.testing.assert_allclose(track.centres_mm.mean(0), [x, 60], atol=0.3)


@pytest.mark.parametrize("x", [35.0, 95.0])
def test_a_seed_in_voxels_of_the_file_chooses_the_tube_after_turning(two_tubes, x, tmp_path):
    import nibabel

    turned = np.ascontiguousarray(two_tubes[::-1].transpose(2, 0, 1))  # axes S, L, A
    affine = AFFINE @ np.array([[0, -1, 0, 89], [0, 0, 1, 0], [1, 0, 0, 0], [0, 0, 0, 1.0]])
    nibabel.save(nibabel.Nifti1Image(turned, affine), tmp_path / "turned.nii")
    image = Orientation("RAS", labels=None)(LoadVolume()(tmp_path / "turned.nii"))
    track = LocaliseAorta(seed_unit="voxel")(image, seed=(15, 89 - x / 1.5, 40))
    np.testing.assert_allclose(track.centres_mm.mean(0), [x, 60], atol=0.3)


def test_a_label_map_wins(two_tubes):
    labels = np.zeros(two_tubes.shape, dtype=np.float32)
    labels[20:40, 50:60, 5:20] = 3
    track = LocaliseAorta(label_value=3)(as_image(two_tubes), label=as_image(labels))
    assert track.slices.tolist() == list(range(5, 20))
    np.testing.assert_allclose(track.centres_mm[0], [29.5 * 1.5, 54.5 * 1.5])


def test_tracks_below_the_smallest_confidence_are_not_found(two_tubes):
    image = as_image(two_tubes)
    confidence = LocaliseAorta()(image).track_confidence
    assert len(LocaliseAorta(min_track_confidence=confidence + 0.01)(image)) == 0
    assert len(LocaliseAorta(min_track_confidence=confidence - 0.01)(image)) > 25


def test_a_label_map_on_another_grid_is_brought_to_that_of_the_image(two_tubes):
    """Voxels of 3 x 3 x 3 mm that begin 30 mm before the image does; the label is a box of known place."""
    labels = np.zeros((60, 60, 40), dtype=np.float32)
    labels[20:28, 30:38, 15:30] = 1  # x 60 to 84 less 30, and so on
    affine = np.diag([3.0, 3.0, 3.0, 1.0])
    affine[:3, 3] = AFFINE[:3, 3] - 30
    track = LocaliseAorta()(as_image(two_tubes), label=as_image(labels, affine))
    np.testing.assert_allclose(track.centres_mm, [[23.5 * 3 - 30, 33.5 * 3 - 30]] * len(track), atol=0.8)
    heights = track.slices * 3.0
    assert 14.5 * 3 - 30 - 1.6 <= heights[0] <= 16 * 3 - 30
    assert 28 * 3 - 30 <= heights[-1] <= 29.5 * 3 - 30 + 1.6


def test_a_label_value_that_is_not_there_is_named_beside_those_that_are(two_tubes):
    labels = np.zeros(two_tubes.shape, dtype=np.float32)
    labels[20:40, 50:60, 5:20] = 52
    with pytest.raises(
        ValueError, match="holds no voxel of the value 1 inside the image, but 0, 52: expected the aorta's; give"
    ):
        LocaliseAorta()(as_image(two_tubes), label=as_image(labels))


@pytest.mark.parametrize("x", [35.0, 95.0])
def test_a_correction_wins_over_label_and_seed(two_tubes, x):
    labels = np.zeros(two_tubes.shape, dtype=np.float32)
    labels[20:40, 50:60, 5:20] = 1
    image = as_image(two_tubes)
    point = AFFINE[:3, :3] @ np.array([x, 60.0, 45.0]) / np.diag(AFFINE)[:3] + AFFINE[:3, 3]
    track = LocaliseAorta(seed_unit="voxel")(image, seed=(1, 1, 1), label=as_image(labels), correction=point)
    np.testing.assert_allclose(track.centres_mm.mean(0), [x, 60], atol=0.3)


@pytest.mark.parametrize(
    ("image", "message"),
    [
        (torch.zeros(1, 4, 4, 4), "plain tensor without an affine: load it as a MetaTensor"),
        (MetaTensor(torch.zeros(2, 4, 4, 4)), r"shape \(2, 4, 4, 4\): expected one channel"),
        (
            MetaTensor(torch.zeros(1, 4, 4, 4), affine=torch.diag(torch.tensor([-1.0, -1, 1, 1]))),
            "has axes LPS: expected RAS",
        ),
    ],
)
def test_images_that_are_no_ras_volume_are_refused(image, message):
    with pytest.raises(ValueError, match=message):
        LocaliseAorta()(image)


def test_odd_units_and_seeds_are_refused(two_tubes):
    with pytest.raises(ValueError, match="the seed unit is 'inch': expected one of mm, voxel"):
        LocaliseAorta(seed_unit="inch")
    with pytest.raises(ValueError, match=r"the seed is \[1, 2\]: expected three coordinates"):
        LocaliseAorta()(as_image(two_tubes), seed=[1, 2])
    with pytest.raises(
        ValueError, match=r"\[500.0, 0.0, 0.0\] mm lies outside the volume, which reaches from .* mm \(RAS\+\)"
    ):
        LocaliseAorta()(as_image(two_tubes), seed=(500, 0, 0))


def test_a_hint_counts_where_a_vessel_lies_and_is_passed_over_elsewhere(two_tubes, caplog):
    image = as_image(two_tubes)
    automatic = LocaliseAorta()(image)
    (other,) = (x for x in (35.0, 95.0) if abs(x - automatic.centres_mm[:, 0].mean()) > 10)
    hinted = LocaliseAorta()(image, hint=(other - 40, 60 + 25, 45 - 10))
    np.testing.assert_allclose(hinted.centres_mm.mean(0), [other, 60], atol=0.3)
    passed_over = LocaliseAorta()(image, hint=(65 - 40, 20 + 25, 45 - 10))
    np.testing.assert_array_equal(passed_over.centres_mm, automatic.centres_mm)
    assert "a correction that several volumes share is not for this one: no vessel lies at the seed" in caplog.text


@pytest.mark.parametrize("ends", [[None, None], [None, 50.0], [20.0, None], [20.0, 50.0]])
def test_the_track_is_cut_at_heights_in_the_scanner(two_tubes, ends):
    """In a volume that is tilted by 10 degrees a height is that of the aorta's centre, not of the slice's middle."""
    angle = np.deg2rad(10)
    tilt = np.eye(4)
    tilt[1:3, 1:3] = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
    affine = tilt @ AFFINE
    image = as_image(two_tubes, affine)
    whole, track = LocaliseAorta()(image), LocaliseAorta()(image, ends=ends)
    spacing = np.linalg.norm(affine[:3, :3], axis=0)
    places = np.column_stack([whole.centres_mm / spacing[:2], whole.slices, np.ones(len(whole))])
    heights = (affine @ places.T)[2]
    low, high = (limit if end is None else end for end, limit in zip(ends, (-np.inf, np.inf), strict=True))
    assert track.slices.tolist() == whole.slices[(heights >= low) & (heights <= high)].tolist()
    assert 0 < len(track) < len(whole) or ends == [None, None]


def test_ends_beyond_the_track_are_refused(two_tubes):
    with pytest.raises(
        ValueError, match=r"the track lies between .* mm \(z, RAS\+\), the ends are \[900, None\]: expected"
    ):
        LocaliseAorta()(as_image(two_tubes), ends=[900, None])


def test_a_label_map_s_track_is_cut_too_and_an_empty_one_stays_empty(two_tubes):
    labels = np.zeros(two_tubes.shape, dtype=np.float32)
    labels[20:28, 30:38, 5:20] = 1
    image, label = as_image(two_tubes), as_image(labels)
    whole = LocaliseAorta()(image, label=label)
    top = float(AFFINE[2, 3] + AFFINE[2, 2] * whole.slices[4])
    assert LocaliseAorta()(image, label=label, ends=[None, top]).slices.tolist() == whole.slices[:5].tolist()
    noise = as_image(np.random.default_rng(0).normal(100, 20, two_tubes.shape).astype(np.float32))
    assert len(LocaliseAorta(min_track_confidence=0.9)(noise, ends=[0, 1])) == 0
