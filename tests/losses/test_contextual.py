import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from monai_cardiac_gan.losses.contextual import masked_l1


@given(count=st.integers(1, 5), channels=st.integers(1, 3), seed=st.integers(0, 2**16))
@settings(deadline=None, max_examples=30)
def test_equals_numpy_over_the_known_pixels(count, channels, seed):
    source = np.random.default_rng(seed)
    images, targets = source.uniform(-1, 1, (2, count, channels, 6, 7))
    known = source.random((count, 1, 6, 7)) < 0.6
    known[:, :, 0, 0] = True
    expected = [np.abs(i - t)[:, k[0]].mean() for i, t, k in zip(images, targets, known, strict=True)]
    losses = masked_l1(torch.tensor(images), torch.tensor(targets), torch.tensor(known))
    np.testing.assert_allclose(losses, expected, rtol=1e-12)


def test_hidden_pixels_carry_no_gradient_and_known_ones_share_it():
    images, known = torch.full((2, 1, 4, 4), 0.5, requires_grad=True), torch.ones(1, 1, 4, 4, dtype=torch.bool)
    known[..., 1:3, 1:3] = False
    masked_l1(images, torch.zeros(1, 1, 4, 4), known).sum().backward()
    torch.testing.assert_close(images.grad, (known / 12.0).expand(2, 1, 4, 4))


def test_the_publications_sum_is_the_known_pixels_times_larger():
    images, known = torch.rand(1, 1, 128, 128, dtype=torch.float64), torch.ones(1, 1, 128, 128, dtype=torch.bool)
    known[..., 52:77, 52:77] = False
    total = (images * known).sum()
    assert 15759 * masked_l1(images, torch.zeros_like(images), known).item() == pytest.approx(total.item())


def test_without_a_known_pixel_the_mean_is_nan():
    images = torch.zeros(1, 1, 2, 2)
    assert masked_l1(images, images, torch.zeros(1, 1, 2, 2, dtype=torch.bool)).isnan().all()


@pytest.mark.parametrize("shape", [(2, 1, 4, 4), (3, 1, 4, 5), (3, 2, 4, 4)])
def test_targets_that_do_not_fit_are_refused(shape):
    with pytest.raises(ValueError, match=r"images \(3, 1, 4, 4\) and targets .* do not fit: expected \(N, C, H, W\)"):
        masked_l1(torch.zeros(3, 1, 4, 4), torch.zeros(shape), torch.ones(1, 1, 4, 4, dtype=torch.bool))


@pytest.mark.parametrize("shape", [(2, 1, 4, 4), (3, 1, 4, 5), (4, 4)])
def test_masks_that_do_not_fit_are_refused(shape):
    images = torch.zeros(3, 1, 4, 4)
    with pytest.raises(ValueError, match=r"pixels that count have shape .*: expected \(3, 1, H, W\) or \(1, 1, H, W\)"):
        masked_l1(images, images, torch.ones(shape, dtype=torch.bool))
