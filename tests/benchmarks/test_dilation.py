import json
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from dilation import (
    FITTED,
    PATCH_FACTORS,
    Kept,
    dilated,
    dilated_stretch,
    leak_table,
    painted_diameters,
    vessel_table,
)
from monai.data import MetaTensor
from torch import nn

from monai_cardiac_gan.aorta import AortaTrack, measure_disc
from monai_cardiac_gan.inferers import square_mask

HOLES = ["25 px", "33 px", "41 px", "49 px", "57 px", FITTED]


def disc(diameter, centre=(64.0, 64.0), side=128):
    rows, columns = np.ogrid[:side, :side]
    return np.clip(diameter / 2 + 0.5 - np.hypot(rows - centre[0], columns - centre[1]), 0, 1).astype(np.float32)


@pytest.mark.parametrize("factor", PATCH_FACTORS)
def test_a_vessel_becomes_wider_by_the_factor_where_it_lies(factor):
    image = disc(20, (60.3, 66.0))
    found = measure_disc(dilated(image, np.ones(2), np.array([60.3, 66.0]), 20.0, factor))
    assert found.diameter_mm == pytest.approx(factor * measure_disc(image).diameter_mm, rel=0.02)
    assert found.centre.tolist() == pytest.approx([60.3, 66.0], abs=0.2)


def test_voxels_need_not_be_of_one_millimetre():
    image = disc(20)[:, ::2]
    found = dilated(image, np.array([1.0, 2.0]), np.array([64.0, 64.0]), 20.0, 1.5)
    assert found.sum() / image.sum() == pytest.approx(1.5**2, rel=0.03)


def test_a_stretch_of_a_volume_is_widened_and_fades_along_the_vessel():
    spacing, middle = 2.0, 30
    volume = MetaTensor(
        torch.from_numpy(disc(20))[None, ..., None].repeat(1, 1, 1, 60), affine=torch.diag(torch.tensor([1.0, 1, 2, 1]))
    )
    track = AortaTrack(np.arange(5, 60), np.full((55, 2), 64.0), np.full(55, 20.0), np.ones(55), 1.0)
    changed = dilated_stretch(volume, track, middle, 1.4)
    torch.testing.assert_close(changed.affine, volume.affine.double())
    sizes = np.sqrt(changed[0].sum((0, 1)) / volume[0].sum((0, 1)))
    heights = np.arange(60) * spacing - middle * spacing
    expected = 1 + 0.4 * 0.5 ** (heights / 25.0) ** 2  # half of it 25 mm from the middle
    expected[:5] = 1.0  # no track
    np.testing.assert_allclose(sizes, expected, rtol=0.01)
    assert float(volume[0, ..., middle].sum()) == pytest.approx(float(disc(20).sum()))


def follower(share):
    """Networks that paint a disc whose diameter follows the hidden one's by a share; nothing in the last patch."""

    def painted(pixels):
        areas = pixels[:, 0].add(1).div(2).sum((1, 2)).numpy()
        sizes = 20 + share * (2 * np.sqrt(areas / np.pi) - 20)
        images = np.stack([disc(size) for size in sizes])[:, None] * 2 - 1
        images[-1] = -1.0
        return torch.from_numpy(images)

    class Unet(nn.Module):
        def forward(self, pixels, masks):
            return painted(pixels)

    inferer = SimpleNamespace(
        search=lambda pixels, masks, generator, valid: SimpleNamespace(best_inpainted=lambda: painted(pixels))
    )
    return SimpleNamespace(search=SimpleNamespace(inferer=inferer), generator=None), Unet()


def test_the_table_says_what_share_of_a_dilation_is_followed():
    results = {}
    for factor in PATCH_FACTORS:
        pixels = torch.from_numpy(np.stack([disc(20 * factor), disc(20 * factor), disc(20 * factor)]))[:, None] * 2 - 1
        for hole in HOLES:
            networks, unet = follower({"25 px": 0.5, FITTED: 1.0}.get(hole, 0.0))
            masks = square_mask(57).expand_as(pixels)
            found = painted_diameters(pixels, torch.ones_like(masks), masks, networks, "search", unet)
            results[f"search: one, x {factor}, {hole}"] = found
            assert found["search"][-1] is None
    rows = [line.split(" | ") for line in leak_table(results).splitlines()[2:]]
    assert [row[0] for row in rows] == [f"| {hole}" for hole in HOLES for _ in range(2)]
    assert [row[1] for row in rows[:2]] == ["U-Net", "search"]
    shares = np.array([[float(share.strip(" %")) for share in row[6].split("/")] for row in rows]) / 100
    np.testing.assert_allclose(shares[1], 0.5, atol=0.04)
    np.testing.assert_allclose(shares[2:-2], 0, atol=0.01)
    np.testing.assert_allclose(shares[-1], 1, atol=0.01)
    assert rows[1][7:] == ["4 of 12", "2 |"]


def test_a_result_that_is_kept_is_not_measured_again(tmp_path):
    path = tmp_path / "kept.json"
    assert Kept(path).get("a", lambda: [1.5]) == [1.5]
    assert json.loads(path.read_text()) == {"a": [1.5]}
    assert Kept(path).get("a", lambda: pytest.fail("measured again")) == [1.5]


def test_a_row_says_what_is_too_wide_and_where():
    row = {"acquired_mm": 28.0, "painted_mm": 23.0, "expected_mm": 22.0, "std_mm": 1.0, "z": 6.0, "limit": 4.2}
    row |= {"wide": [-3.8, 6.2], "narrow": [], "displaced": [16.2]}
    last = vessel_table({"search: one, x 1.3": row}).splitlines()[-1]
    assert last == "| one, x 1.3 | 28.0 | 23.0 | 22.0 ± 1.0 | +6.0 (4.2) | -4, 6 | displaced: [16.2] |"
