import numpy as np
import pytest
import torch
from monai.data import MetaTensor
from monai.transforms import ScaleIntensityRangePercentiles

from monai_cardiac_gan.keys import PatchColumn
from monai_cardiac_gan.transforms import ScaleByPercentiles

IMAGE = torch.tensor(np.random.default_rng(0).gamma(2.0, 300.0, (1, 12, 10, 8)), dtype=torch.float32)


def test_agrees_with_monai_and_turns_back():
    image = MetaTensor(IMAGE.clone())
    scaled = ScaleByPercentiles(2.0, 98.0)(image)
    expected = ScaleIntensityRangePercentiles(2.0, 98.0, -1.0, 1.0, clip=True)(IMAGE)
    np.testing.assert_allclose(scaled.numpy(), expected.numpy(), atol=1e-5)
    assert torch.equal(image.as_tensor(), IMAGE)
    low, high = scaled.meta[PatchColumn.INTENSITY_LOW], scaled.meta[PatchColumn.INTENSITY_HIGH]
    inside = (low < IMAGE) & (high > IMAGE)
    back = low + (scaled.as_tensor() + 1) / 2 * (high - low)
    np.testing.assert_allclose(back[inside].numpy(), IMAGE[inside].numpy(), rtol=1e-4, atol=0.1)


def test_odd_percentiles_and_flat_volumes_are_refused():
    with pytest.raises(ValueError, match="the percentiles are 60 and 40: expected 0 <= lower < upper <= 100"):
        ScaleByPercentiles(60, 40)
    flat = torch.zeros(1, 5, 5, 50)
    flat[0, 0, 0, 0] = 1
    with pytest.raises(
        ValueError, match=r"percentiles 0\.5 and 99\.5 of the brightness are both 0: the volume is nearly"
    ):
        ScaleByPercentiles()(MetaTensor(flat))


@pytest.mark.parametrize("value", [-1024.0, -32768.0])
@pytest.mark.parametrize("share", [0.001, 0.3])
def test_padding_does_not_take_the_range_of_the_image(value, share):
    image = IMAGE.clone()
    padded = image.flatten()
    count = int(share * padded.numel())
    padded[:count] = value
    scanned = padded[count:]
    scaled = ScaleByPercentiles()(MetaTensor(padded.view(IMAGE.shape)))
    low, high = np.percentile(scanned.numpy(), [0.5, 99.5])
    assert scaled.meta[PatchColumn.INTENSITY_LOW] == pytest.approx(low, abs=0.07 * (high - low))
    assert scaled.meta[PatchColumn.INTENSITY_HIGH] == pytest.approx(high, rel=0.02)
    assert bool((scaled.flatten()[:count] == -1).all())


def test_bright_padding_is_black_and_does_not_take_the_range_of_the_image():
    padded = IMAGE.clone()
    padded[:, :3] = 32767
    low, high = np.percentile(IMAGE[:, 3:].numpy(), [0.5, 99.5])
    scaled = ScaleByPercentiles()(MetaTensor(padded))
    assert scaled.meta[PatchColumn.INTENSITY_LOW] == pytest.approx(low, rel=1e-5)
    assert scaled.meta[PatchColumn.INTENSITY_HIGH] == pytest.approx(high, rel=1e-5)
    assert bool((scaled[:, :3] == -1).all())
    assert scaled[:, 3:].max() == 1
