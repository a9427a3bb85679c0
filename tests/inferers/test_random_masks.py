import pytest
import torch

from monai_cardiac_gan.inferers.random_masks import random_rectangles

SIDE = 128


@pytest.mark.parametrize("least_and_greatest", [(15, 45), (15, 65)])
def test_rectangles_hide_the_middle_and_vary(least_and_greatest):
    masks = random_rectangles(600, (SIDE, SIDE), torch.Generator().manual_seed(0), least_and_greatest)[:, 0]
    heights, widths = masks.any(2).sum(1), masks.any(1).sum(1)
    assert torch.equal(masks.flatten(1).sum(1), heights * widths)  # each a rectangle
    for sides in (heights, widths):
        assert (sides.min(), sides.max()) == least_and_greatest
    middles = masks.any(2).float().argmax(1) + heights // 2 - 64
    assert middles.min() >= -10
    assert middles.max() <= 10
