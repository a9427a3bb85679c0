import numpy as np
import pytest
import torch
from torch.nn import functional as F

from monai_cardiac_gan.metrics import CopyDetector, closeness_to_one, highest_correlations
from monai_cardiac_gan.metrics.copies import copy_threshold
from monai_cardiac_gan.metrics.planted_copies import planted_copies


def alike(count, seed, share=0.7, side=128):
    """Images that have most of their structure in common, as patches of different people have."""
    common = torch.rand(1, 1, 8, 8, generator=torch.Generator().manual_seed(1000))
    own = torch.rand(count, 1, 8, 8, generator=torch.Generator().manual_seed(seed))
    return 2 * F.interpolate(share * common + (1 - share) * own, side, mode="bilinear") - 1


def subjects(count):
    return [f"s{number % 3}" for number in range(count)]


def test_planted_copies_are_found_and_others_are_not():
    train, held_out, fresh = alike(80, 0), alike(60, 1), alike(60, 2)
    detector = CopyDetector(train, subjects(len(train)), held_out, subjects(60), planted=100)
    assert detector.recall >= 0.95
    assert detector.usual_closeness > detector.threshold
    found = detector.find(torch.cat([planted_copies(train, 20, seed=7)[0], fresh]))
    assert len(set(found.flagged) & set(range(20))) >= 19
    assert found.share == len(found.flagged) / 80
    assert sum(number >= 20 for number in found.flagged) <= 4  # 1 % expected of 60, known from 60


def test_a_detector_that_cannot_tell_says_so():
    """Where all patches are alike, the threshold lies above what copies reach."""
    train, held_out = alike(30, 0, share=0.995), alike(30, 1, share=0.995)
    assert CopyDetector(train, subjects(len(train)), held_out, subjects(30), planted=50).recall < 0.5


def test_the_generator_does_not_move_the_threshold():
    train, held_out = alike(30, 0), alike(30, 1)
    detector = CopyDetector(train, subjects(len(train)), held_out, subjects(30), planted=10)
    before = detector.threshold
    detector.find(train)
    assert (
        detector.threshold
        == before
        == copy_threshold(closeness_to_one(highest_correlations(held_out, train), np.array(subjects(30))))
    )


def test_correlation_without_a_move_is_that_of_numpy():
    queries, train = (torch.rand(n, 1, 64, 64, generator=torch.Generator().manual_seed(n)) for n in (3, 5))
    # steep enough that no shift or size does better than none
    train[:3] = queries + 0.05 * torch.rand(3, 1, 64, 64)
    table = highest_correlations(queries, train)
    found, nearest = table.max(1), table.argmax(1)
    middle = slice(1, -1)
    blocks = [F.avg_pool2d(each, 4)[..., middle, middle].flatten(1).numpy() for each in (queries, train)]
    expected = [np.corrcoef(blocks[0][number], blocks[1][number])[0, 1] for number in range(3)]
    assert nearest.tolist() == [0, 1, 2]
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_pixels_outside_the_field_of_view_do_not_count():
    train = alike(20, 0)
    valid = torch.ones_like(train, dtype=torch.bool)
    valid[..., :40] = False
    blackened = train.masked_fill(~valid, -1.0)
    found = highest_correlations(train, blackened, None, valid)
    assert found.argmax(1).tolist() == list(range(20))
    np.testing.assert_allclose(found.max(1), 1, atol=1e-5)
    np.testing.assert_allclose(highest_correlations(blackened, train, valid, None).max(1), 1, atol=1e-5)
    assert highest_correlations(blackened, train).max() < 0.99


def test_a_pair_without_enough_in_common_has_no_correlation():
    train = alike(2, 0)
    left, right = (torch.zeros_like(train, dtype=torch.bool) for _ in range(2))
    left[..., :70], right[..., 60:] = True, True
    assert highest_correlations(train, train, left, right).tolist() == [[-1.0, -1.0]] * 2


@pytest.mark.parametrize(("count", "beyond"), [(50, 0), (100, 1), (338, 3)])
def test_at_most_one_percent_lies_beyond_the_threshold(count, beyond):
    reference = np.random.default_rng(0).permutation(count) / count
    assert (reference > copy_threshold(reference)).sum() == beyond


def test_false_alarms_are_those_of_people_that_the_threshold_does_not_know():
    train = alike(30, 0)
    strangers, kin = alike(20, 1), (0.98 * train[:20] + 0.02 * alike(20, 2))  # one person looks like the training
    detector = CopyDetector(train, subjects(30), torch.cat([strangers, kin]), ["a"] * 20 + ["b"] * 20, planted=5)
    assert detector.false_alarms == 0.5
    assert CopyDetector(train, subjects(30), strangers, ["a"] * 20, planted=5).false_alarms is None


def test_one_subject_for_each_patch_is_asked_for():
    with pytest.raises(ValueError, match="there are 5 held-out patches and 3 subjects: give one for each"):
        CopyDetector(alike(4, 0), ["t"] * 4, alike(5, 1), ["a"] * 3)
    with pytest.raises(ValueError, match="there are 4 training patches and 2 subjects: give one for each"):
        CopyDetector(alike(4, 0), ["t"] * 2, alike(5, 1), ["a"] * 5)


def test_a_patch_that_is_like_everybody_is_no_copy_however_highly_it_correlates():
    train, held_out = alike(30, 0), alike(30, 1)
    detector = CopyDetector(train, subjects(30), held_out, subjects(30), planted=10)
    mean = detector.find(train.mean(0, keepdim=True))
    assert mean.correlations[0] > highest_correlations(held_out, train).max()
    assert mean.flagged == ()


@pytest.mark.parametrize("shape", [(2, 1, 64, 64), (0, 1, 128, 128), (2, 2, 128, 128), (2, 1, 126, 126)])
def test_patches_of_another_size_are_refused(shape):
    with pytest.raises(
        ValueError, match=r"expected \(N, 1, H, W\) of one size, at least one of each, and sides that 4"
    ):
        highest_correlations(torch.zeros(shape), alike(2, 0))
