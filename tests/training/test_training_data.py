import pytest
from hypothesis import given
from hypothesis import strategies as st

from monai_cardiac_gan.data import AortaPatchDataset, ResumableBatches
from monai_cardiac_gan.training.training_data import phantoms_in_time, weights_of_share

COUNTS = st.integers(1, 50)


@given(st.floats(0, 1), COUNTS, COUNTS)
def test_acquired_patches_have_the_share_that_was_asked_for(share, acquired, phantoms):
    weights = weights_of_share(share, ["la_1"] * acquired + ["phantom_1"] * phantoms)
    parts = acquired * weights["*"], phantoms * weights["phantom_*"]
    assert parts == pytest.approx((share, 1 - share))


@pytest.mark.parametrize("share", [0.0, 0.8, 1.0])
def test_so_many_of_the_drawn_patches_are_acquired(disc_patch_set, tmp_path, share):
    dataset = AortaPatchDataset(
        disc_patch_set(tmp_path / "set", {"la_1": "train", "phantom_1": "train", "phantom_2": "train"}, 20), "train"
    )
    names = dataset.subjects()
    batches = ResumableBatches(dataset, 60, weights=dataset.weights(weights_of_share(share, names)))
    drawn = [names[index] for _ in range(50) for batch in batches for index in batch]
    # four standard deviations of a binomial share; none at 0 and 1
    tolerance = 4 * (share * (1 - share) / len(drawn)) ** 0.5
    assert drawn.count("la_1") / len(drawn) == pytest.approx(share, abs=tolerance)


@pytest.mark.parametrize(
    ("share", "names"),
    [(-0.1, ["la_1", "phantom_1"]), (1.1, ["la_1", "phantom_1"]), (0.5, ["la_1"]), (0.5, ["phantom_1"])],
)
def test_a_share_that_cannot_be_is_refused(share, names):
    with pytest.raises(
        ValueError, match=rf"real_share is {share}, of \d acquired patches and \d of phantoms: expected 0 to 1"
    ):
        weights_of_share(share, names)


def test_phantoms_are_as_many_as_the_cores_draw_in_the_time():
    assert phantoms_in_time(100, 2) == 20  # 80 s of 2 cores at 8 s each
    assert [phantoms_in_time(seconds, 16) for seconds in (1, 72)] == [4, 44]
