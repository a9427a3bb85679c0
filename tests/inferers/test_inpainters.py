import sys

import numpy as np
import pytest
import torch
from torch import nn

from monai_cardiac_gan.inferers.inpainters import (
    BiharmonicInpainter,
    MeanPatchInpainter,
    NearestPatchInpainter,
    NetworkInpainter,
    OpenCVInpainter,
)
from monai_cardiac_gan.networks.nets import InpaintingUNet

TRAIN = torch.rand(30, 1, 12, 12, generator=torch.Generator().manual_seed(0)) * 2 - 1
PATCHES = torch.rand(4, 1, 12, 12, generator=torch.Generator().manual_seed(1)) * 2 - 1
MASKS = torch.zeros(4, 1, 12, 12, dtype=torch.bool)
for number in range(4):
    MASKS[number, :, 3 : 6 + number, 4:8] = True


def unet():
    torch.manual_seed(0)
    return InpaintingUNet((4, 8, 8))


@pytest.mark.parametrize(
    "inpainter",
    [MeanPatchInpainter(TRAIN), NearestPatchInpainter(TRAIN), BiharmonicInpainter(), NetworkInpainter(unet())],
)
def test_only_the_hole_changes_and_what_it_hid_does_not_matter(inpainter):
    painted = inpainter(PATCHES, MASKS)
    assert torch.equal(painted[~MASKS], PATCHES[~MASKS])
    assert painted.abs().max() <= 1
    other = torch.where(MASKS, -PATCHES, PATCHES)
    torch.testing.assert_close(inpainter(other, MASKS), painted)


def test_a_network_fills_by_what_it_answers_in_evaluation_mode():
    class Half(nn.Module):
        def __init__(self):
            super().__init__()
            self.value = nn.Parameter(torch.tensor(0.5))
            self.dropout = nn.Dropout(0.9)

        def forward(self, patches, masks):
            return self.dropout(self.value.expand_as(patches))

    assert torch.equal(NetworkInpainter(Half().train())(PATCHES, MASKS), torch.where(MASKS, 0.5, PATCHES))


def test_the_mean_is_the_mean():
    torch.testing.assert_close(
        MeanPatchInpainter(TRAIN)(PATCHES, MASKS)[MASKS], TRAIN.mean(0, keepdim=True).expand(4, 1, 12, 12)[MASKS]
    )


def test_the_nearest_is_that_of_numpy():
    painted = NearestPatchInpainter(TRAIN)(PATCHES, MASKS)
    for image, patch, mask in zip(painted[:, 0].numpy(), PATCHES[:, 0].numpy(), MASKS[:, 0].numpy(), strict=True):
        distances = [np.abs(train - patch)[~mask].mean() for train in TRAIN[:, 0].numpy()]
        np.testing.assert_array_equal(image[mask], TRAIN[int(np.argmin(distances)), 0].numpy()[mask])


def test_the_nearest_does_not_look_at_padding():
    valid = torch.ones_like(MASKS)
    valid[:, :, :, 9:] = False
    padded = torch.where(valid, PATCHES, -1.0)
    painted = NearestPatchInpainter(TRAIN)(padded, MASKS, valid)
    for image, patch, mask in zip(painted[:, 0].numpy(), PATCHES[:, 0].numpy(), MASKS[:, 0].numpy(), strict=True):
        seen = ~mask[:, :9]
        distances = [np.abs(train - patch)[:, :9][seen].mean() for train in TRAIN[:, 0].numpy()]
        np.testing.assert_array_equal(image[mask], TRAIN[int(np.argmin(distances)), 0].numpy()[mask])


def test_a_plane_is_continued():
    plane = (torch.arange(12.0)[:, None] + 2 * torch.arange(12.0)).expand(1, 1, 12, 12) / 40 - 0.4
    torch.testing.assert_close(BiharmonicInpainter()(plane, MASKS[:1]), plane, rtol=0, atol=1e-3)


@pytest.mark.parametrize("method", ["telea", "navier-stokes"])
def test_opencv_fills_from_the_rim_and_does_not_look_into_the_mask(method):
    pytest.importorskip("cv2")
    inpainter = OpenCVInpainter(method)
    half = torch.full((1, 1, 12, 12), 0.5)
    for grey in (half, -half):  # both round on 8 bits
        painted = inpainter(torch.where(MASKS[:1], 0.1, grey), MASKS[:1])
        torch.testing.assert_close(painted, grey, rtol=0, atol=4 / 255)
    painted = inpainter(PATCHES, MASKS)
    assert torch.equal(painted[~MASKS], PATCHES[~MASKS])
    assert torch.equal(painted, inpainter(torch.where(MASKS, -PATCHES, PATCHES), MASKS))


def test_opencv_that_is_missing_and_methods_that_it_lacks_are_told(monkeypatch):
    with pytest.raises(ValueError, match="the method is 'poisson': expected one of telea, navier-stokes"):
        OpenCVInpainter("poisson")
    monkeypatch.setitem(sys.modules, "cv2", None)
    with pytest.raises(ImportError, match="this inpainter needs OpenCV: pip install opencv-python-headless"):
        OpenCVInpainter()
