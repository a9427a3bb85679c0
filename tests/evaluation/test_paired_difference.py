import numpy as np
import pytest

from monai_cardiac_gan.evaluation import paired_differences
from monai_cardiac_gan.evaluation.subject_interval import subject_interval

PEOPLE = [str(i // 5) for i in range(50)]


def test_what_all_share_does_not_blur_a_difference():
    """Patches differ by 10, the two ways by 0.1 throughout: the interval is a point."""
    hard = 10 * np.random.default_rng(0).normal(size=50)
    found = paired_differences({"ours": {"l1": hard}, "theirs": {"l1": hard + 0.5}}, "theirs", PEOPLE)
    assert list(found) == ["ours"]
    assert (found["ours"]["l1"].mean, found["ours"]["l1"].low) == pytest.approx((-0.5, -0.5))
    low, high = subject_interval(hard, PEOPLE)
    assert high - low > 2


def test_patches_without_a_value_in_one_do_not_count():
    ours, theirs = np.array([1.0, np.nan, 3.0, 7.0]), np.array([0.0, 5.0, np.nan, 4.0])
    measures = {"ours": {"diameter": ours}, "theirs": {"diameter": theirs}}
    assert paired_differences(measures, "theirs", list("aabb"))["ours"]["diameter"].mean == (1 + 3) / 2
    assert paired_differences(measures, "theirs", list("aabb"), [1, 2])["ours"]["diameter"] is None
    assert paired_differences(measures, "ours", list("aabb"), [0, 1])["theirs"]["diameter"].mean == -1
