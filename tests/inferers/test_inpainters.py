import sys

import numpy as np
import pytest
import torch
from monai_cardiac_gan.inferers.baselines import (
    BiharmonicInpainter,
    MeanPatchInpainter,
    NearestPatchInpainter,
    NetworkInpainter,
    OpenCVInpainter,
)
from torch import nn

from monai_cardiac_gan.networks.nets import InpaintingUNet

TRAIN = torch.rand(30, 1, 12, 12, generator=torch.Generator().manual_seed(0)) * 2 - 1
PATCHES = torch.rand(4, 1, 12, 12, generator=torch.Generator().manual_seed(1)) * 2 - 1
HOLES = torch.zeros(4, 1, 12, 12, dtype=torch.bool)
for place in range(4):
    HOLES[place, :, 3 : 6 + place, 4:8] = True


def unet():
    torch.manual_seed(0)
    return InpaintingUNet((4, 8, 8))


@pytest.mark.parametrize(
    "filling",
    [MeanPatchInpainter(TRAIN), NearestPatchInpainter(TRAIN), BiharmonicInpainter(), NetworkInpainter(unet())],
)
def test_only_the_hole_changes_and_what_it_hid_does_not_matter(filling):
    painted = filling(PATCHES, HOLES)
    assert torch.equal(painted[~HOLES], PATCHES[~HOLES])
    assert painted.abs().max() <= 1
    other = torch.where(HOLES, -PATCHES, PATCHES)
    torch.testing.assert_close(filling(other, HOLES), painted)


def test_a_network_fills_by_what_it_answers_in_evaluation_mode():
    class Half(nn.Module):
        def __init__(self):
            super().__init__()
            self.value = nn.Parameter(torch.tensor(0.5))
            self.dropout = nn.Dropout(0.9)

        def forward(self, patches, masks):
            return self.dropout(self.value.expand_as(patches))

    assert torch.equal(NetworkInpainter(Half().train())(PATCHES, HOLES), torch.where(HOLES, 0.5, PATCHES))


def test_the_mean_is_the_mean():
    torch.testing.assert_close(
        MeanPatchInpainter(TRAIN)(PATCHES, HOLES)[HOLES], TRAIN.mean(0, keepdim=True).expand(4, 1, 12, 12)[HOLES]
    )


def test_the_nearest_is_that_of_numpy():
    painted = NearestPatchInpainter(TRAIN)(PATCHES, HOLES)
    for image, patch, mask in zip(painted[:, 0].numpy(), PATCHES[:, 0].numpy(), HOLES[:, 0].numpy(), strict=True):
        distances = [np.abs(train - patch)[~mask].mean() for train in TRAIN[:, 0].numpy()]
        np.testing.assert_array_equal(image[mask], TRAIN[int(np.argmin(distances)), 0].numpy()[mask])


def test_the_nearest_does_not_look_at_padding():
    valid = torch.ones_like(HOLES)
    valid[:, :, :, 9:] = False
    padded = torch.where(valid, PATCHES, -1.0)
    painted = NearestPatchInpainter(TRAIN)(padded, HOLES, valid)
    for image, patch, mask in zip(painted[:, 0].numpy(), PATCHES[:, 0].numpy(), HOLES[:, 0].numpy(), strict=True):
        seen = ~mask[:, :9]
        distances = [np.abs(train - patch)[:, :9][seen].mean() for train in TRAIN[:, 0].numpy()]
        np.testing.assert_array_equal(image[mask], TRAIN[int(np.argmin(distances)), 0].numpy()[mask])


def test_a_plane_is_continued():
    plane = (torch.arange(12.0)[:, None] + 2 * torch.arange(12.0)).expand(1, 1, 12, 12) / 40 - 0.4
    torch.testing.assert_close(BiharmonicInpainter()(plane, HOLES[:1]), plane, rtol=0, atol=1e-3)


@pytest.mark.parametrize("method", ["telea", "navier-stokes"])
def test_opencv_fills_from_the_rim_and_does_not_look_into_the_mask(method):
    pytest.importorskip("cv2")
    filling = OpenCVInpainter(method)
    half = torch.full((1, 1, 12, 12), 0.5)
    for grey in (half, -half):  # both round on 8 bits
        painted = filling(torch.where(HOLES[:1], 0.1, grey), HOLES[:1])
        torch.testing.assert_close(painted, grey, rtol=0, atol=4 / 255)
    painted = filling(PATCHES, HOLES)
    assert torch.equal(painted[~HOLES], PATCHES[~HOLES])
    assert torch.equal(painted, filling(torch.where(HOLES, -PATCHES, PATCHES), HOLES))


def test_opencv_that_is_missing_and_methods_that_it_lacks_are_told(monkeypatch):
    with pytest.raises(ValueError, match="the method is 'poisson': expected one of telea, navier-stokes"):
        OpenCVInpainter("poisson")
    monkeypatch.setitem(sys.modules, "cv2", None)
    with pytest.raises(ImportError, match="this filling needs OpenCV: pip install opencv-python-headless"):
        OpenCVInpainter()
