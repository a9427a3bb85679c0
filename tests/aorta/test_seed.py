import numpy as np
import pytest

from monai_cardiac_gan.aorta import AortaTrack
from monai_cardiac_gan.aorta.seed import check_seed_in_track, pinned_circle


def straight(first=10, last=59):
    count = last - first + 1
    return AortaTrack(np.arange(first, last + 1), np.full((count, 2), 50.0), np.full(count, 22.0), np.ones(count), 0.9)


@pytest.mark.parametrize("seed", [(50, 50, 60), (61, 50, 60), (50, 38.5, 118), (68, 50, 135), (50, 50, 2)])
def test_seeds_inside_and_a_little_beyond_the_ends_are_taken(seed):
    check_seed_in_track(straight(), np.array(seed, dtype=float), 2.0, 100)


@pytest.mark.parametrize(
    ("seed", "message"),
    [
        ((63, 50, 60), "found is 13 mm beside and 0 mm above or below it; give a point inside the descending aorta"),
        ((50, 50, 140), "found is 0 mm beside and 22 mm above or below"),
        ((71, 50, 134), "found is 21 mm beside and 16 mm"),
    ],
)
def test_a_track_that_does_not_pass_the_seed_is_refused(seed, message):
    with pytest.raises(ValueError, match=message):
        check_seed_in_track(straight(), np.array(seed, dtype=float), 2.0, 100)


def test_an_empty_track_is_refused():
    with pytest.raises(ValueError, match="no vessel lies at the seed: no round, bright cross-section is seen there"):
        check_seed_in_track(AortaTrack.empty(), np.zeros(3), 1.0, 100)


def test_a_scrap_is_refused_and_the_vessel_of_a_thin_slab_is_not():
    scrap = straight(10, 13)
    with pytest.raises(
        ValueError, match="no vessel lies at the seed: what is round and bright there is 8 mm long; give a point"
    ):
        check_seed_in_track(scrap, np.array([50.0, 50.0, 22.0]), 2.0, 100)
    check_seed_in_track(scrap, np.array([50.0, 50.0, 22.0]), 2.0, 8)


def test_the_best_circle_around_the_seed_is_pinned():
    rows, columns = np.ogrid[:64, :64]
    plane = np.maximum(np.hypot(rows - 20, columns - 22) < 7, 2.0 * (np.hypot(rows - 44, columns - 44) < 9))
    found = pinned_circle(plane.astype(np.float32), np.array([24.0, 22.0]), 1.5, np.arange(4, 12))
    assert np.abs(found.centres - [20, 22]).max() <= 1
    assert abs(found.radii[0] - 7) <= 1
    assert found.scores.tolist() == [1000.0]
