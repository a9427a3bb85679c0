import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from monai.data import MetaTensor

from monai_cardiac_gan.metrics.image_pairs import canonical_order, checked_image_pair, checked_images


@settings(max_examples=30, deadline=None)
@given(order=st.permutations(range(6)), levels=st.integers(1, 4))
def test_canonical_order_is_the_same_for_every_order(order, levels):
    images = torch.randint(levels, (6, 1, 2, 2), generator=torch.Generator().manual_seed(levels)) / 4 - 0.5
    ordered = canonical_order(images)
    assert torch.equal(canonical_order(images[list(order)]), ordered)
    assert sorted(ordered.flatten(1).tolist()) == sorted(images.flatten(1).tolist())


@pytest.mark.parametrize(
    ("given_type", "checked_type"), [("bfloat16", "float32"), ("float32", "float32"), ("float64", "float64")]
)
def test_precision_is_kept_or_raised_to_single(given_type, checked_type):
    images = torch.ones(2, 1, 16, 17, dtype=getattr(torch, given_type))
    assert checked_images(images).dtype == getattr(torch, checked_type)


def test_metadata_is_left_behind():
    assert type(checked_images(MetaTensor(torch.zeros(2, 1, 16, 16)))) is torch.Tensor


@pytest.mark.parametrize("shape", [(0, 1, 32, 32), (2, 3, 32, 32), (1, 32, 32), (2, 1, 32, 15)])
def test_other_shapes_are_refused(shape):
    message = rf"the given images are \[{', '.join(map(str, shape))}\], expected \(N, 1, H, W\).*at least 16 pixels"
    with pytest.raises(ValueError, match=message):
        checked_images(torch.zeros(shape))


@pytest.mark.parametrize("value", [float("nan"), float("-inf")])
def test_values_that_are_not_finite_are_refused(value):
    images = torch.zeros(2, 1, 16, 16)
    images[1, 0, 3, 4] = value
    with pytest.raises(ValueError, match="the real images hold values that are not finite: look for where"):
        checked_image_pair(torch.zeros(2, 1, 16, 16), images)


def test_images_of_two_sizes_are_refused():
    with pytest.raises(ValueError, match=r"generated images are \[16, 32\] pixels and the real ones \[16, 16\]"):
        checked_image_pair(torch.zeros(2, 1, 16, 32), torch.zeros(2, 1, 16, 16))
