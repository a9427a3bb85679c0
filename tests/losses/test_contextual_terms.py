import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from monai_cardiac_gan.losses import DistanceWeightedL1, MaskedGradients, MaskedL1, MaskedL2, ProposalL1, masked_l1


def drawn(seed, count=3, side=12):
    source = np.random.default_rng(seed)
    images, targets = source.uniform(-1, 1, (2, count, 1, side, side))
    mask = np.zeros((count, 1, side, side), bool)
    for sample in mask:
        top, left = source.integers(1, side - 5, 2)
        sample[0, top : top + 4, left : left + 3] = True
    return torch.tensor(images), torch.tensor(targets), torch.tensor(mask)


@given(seed=st.integers(0, 2**16))
@settings(deadline=None, max_examples=20)
def test_each_term_equals_numpy(seed):
    images, targets, mask = drawn(seed)
    for x, y, m, *losses in zip(
        images[:, 0].numpy(),
        targets[:, 0].numpy(),
        (~mask)[:, 0].numpy(),
        *(
            term(images, None, targets, mask)
            for term in (MaskedL1(), MaskedL2(), DistanceWeightedL1(5), MaskedGradients(), ProposalL1())
        ),
        strict=True,
    ):
        weights = ndimage.convolve((~m).astype(float), np.ones((5, 5)) / 25, mode="constant") * m
        slopes = []
        for axis in (0, 1):
            both = np.take(m, range(11), axis) & np.take(m, range(1, 12), axis)
            slopes.append(np.abs(np.diff(x - y, axis=axis))[both].mean())
        expected = [
            np.abs(x - y)[m].mean(),
            ((x - y) ** 2)[m].mean(),
            (np.abs(x - y) * weights).sum() / weights.sum(),
            np.mean(slopes),
            np.abs(x - y)[~m].mean(),
        ]
        np.testing.assert_allclose([float(loss) for loss in losses], expected, rtol=1e-10)


def test_the_class_is_the_function():
    images, targets, mask = drawn(0)
    assert torch.equal(MaskedL1()(images, None, targets, mask), masked_l1(images, targets, ~mask))


@pytest.mark.parametrize("term", [MaskedL1(), MaskedL2(), DistanceWeightedL1(), MaskedGradients()])
def test_hidden_pixels_do_not_matter_and_one_target_serves_all(term):
    images, targets, mask = drawn(1)
    other = torch.where(mask, -targets, targets)
    assert torch.equal(term(images, None, targets, mask), term(images, None, other, mask))
    one = term(images, None, targets[:1], mask[:1])
    torch.testing.assert_close(
        one, term(images, None, targets[:1].expand(3, -1, -1, -1), mask[:1].expand(3, -1, -1, -1))
    )


def test_pixels_far_from_the_mask_have_no_weight():
    mask = torch.zeros(1, 1, 11, 11, dtype=torch.bool)
    mask[..., 5, 5] = True
    weights = DistanceWeightedL1(7).weights(mask)[0, 0]
    expected = ((torch.arange(11)[:, None] - 5).abs() <= 3) & ((torch.arange(11) - 5).abs() <= 3) & ~mask[0, 0]
    assert torch.equal(weights > 0, expected)
    torch.testing.assert_close(weights[expected], torch.full((48,), 1 / 49))


@pytest.mark.parametrize("side", [1, 4, 0])
def test_windows_without_a_middle_are_refused(side):
    with pytest.raises(ValueError, match=f"neighbourhood is {side} pixels wide: expected an odd number of at least 3"):
        DistanceWeightedL1(side)
