import numpy as np
import pytest
import torch
from scipy.stats import ks_2samp

from monai_cardiac_gan.metrics import AortaGeometryMetric, aorta_geometry, aorta_geometry_distance

PARTS = {
    "aorta_diameter_ks",
    "aorta_row_ks",
    "aorta_column_ks",
    "aorta_found_difference",
    "aorta_found_generated",
    "aorta_found_real",
}


def discs(diameters, offsets=(0.0, 0.0), side=128, pixel_mm=1.0, noise=0.05):
    """Bright discs with soft rims, (N, 1, side, side); offsets of rows and columns from the middle, mm."""
    diameters = np.asarray(diameters, dtype=float)
    offsets = np.broadcast_to(offsets, (len(diameters), 2))
    grid = (np.arange(side) - (side - 1) / 2) * pixel_mm
    rng = np.random.default_rng(0)
    images = []
    for diameter, (row, column) in zip(diameters, offsets, strict=True):
        distance = np.hypot(grid[:, None] - row, grid[None, :] - column)
        share = np.clip(0.5 + (diameter / 2 - distance) / pixel_mm, 0, 1)
        images.append(1.4 * share - 0.7 + rng.normal(0, noise, share.shape))
    return torch.from_numpy(np.stack(images)[:, None]).float()


@pytest.mark.parametrize(("side", "pixel_mm"), [(128, 1.0), (64, 1.0), (64, 2.0)])
def test_drawn_discs_are_measured(side, pixel_mm):
    diameters = np.linspace(18, 30, 7)
    offsets = np.stack([np.linspace(-8, 8, 7), np.linspace(6, -3, 7)], axis=1)
    geometry = aorta_geometry(discs(diameters, offsets, side, pixel_mm), pixel_mm)
    assert geometry.found_share == 1
    assert geometry.diameters_mm == pytest.approx(diameters, abs=0.5 * pixel_mm)
    assert geometry.centres_mm == pytest.approx(offsets, abs=0.3 * pixel_mm)


def test_images_without_a_disc_are_counted_and_left_out():
    images = discs([20, 22, 24, 26])
    images[[1, 3]] = torch.randn(2, 1, 128, 128, generator=torch.Generator().manual_seed(0))
    geometry = aorta_geometry(images)
    assert geometry.found.tolist() == [True, False, True, False]
    assert geometry.found_share == 0.5
    assert geometry.diameters_mm == pytest.approx([20, 24], abs=0.5)
    assert geometry.centres_mm.shape == (2, 2)


def test_share_of_larger_diameters_is_the_statistic():
    """Three of five generated diameters are larger than every real one, the others as the real ones."""
    real = discs([18, 19, 20, 21, 22])
    generated = discs([18.01, 22.01, 28, 29, 30])
    result = aorta_geometry_distance(generated, real)
    assert result["aorta_diameter_ks"] == pytest.approx(0.6)
    assert result.keys() == PARTS


@pytest.mark.parametrize(("axis", "name"), [(0, "aorta_row_ks"), (1, "aorta_column_ks")])
def test_a_move_shows_along_its_axis_alone(axis, name):
    diameters, offsets = np.full(5, 22.0), np.zeros((5, 2))
    offsets[:, 1 - axis] = [-4, -2, 0, 2, 4]
    moved = offsets.copy()
    moved[:, axis] += 6
    result = aorta_geometry_distance(discs(diameters, moved, noise=0), discs(diameters, offsets, noise=0))
    assert result[name] == 1.0
    other = "aorta_column_ks" if axis == 0 else "aorta_row_ks"
    assert result[other] <= 0.2  # rounding may put one of five on the other side of its twin
    assert result["aorta_diameter_ks"] < 1


def test_statistics_of_distributions_with_a_known_one():
    """Uniform diameters on 18..26 and on 20..28 mm: the distribution functions are 2 / 8 apart."""
    count = 40
    low, high = (np.linspace(start, start + 8, count) for start in (18, 20))
    result = aorta_geometry_distance(discs(high, side=64), discs(low, side=64))
    assert result["aorta_diameter_ks"] == pytest.approx(2 / 8, abs=2 / count)
    assert ks_2samp(high, low).statistic == pytest.approx(2 / 8, abs=1 / count)


def test_a_generator_without_any_aorta_is_as_far_as_can_be():
    result = aorta_geometry_distance(torch.zeros(3, 1, 128, 128), discs([20, 22]))
    assert {result[f"aorta_{name}_ks"] for name in ("diameter", "row", "column")} == {1.0}
    assert result["aorta_found_difference"] == result["aorta_found_real"] == 1.0
    assert result["aorta_found_generated"] == 0.0


def test_found_shares_differ_by_their_absolute_difference():
    images = discs([20, 22, 24, 26])
    images[0] = 0
    assert aorta_geometry_distance(images, images[1:])["aorta_found_difference"] == 0.25
    assert aorta_geometry_distance(images[1:], images)["aorta_found_difference"] == 0.25


def test_the_metric_keeps_measures_in_millimetres():
    generated, real = (discs(sizes, side=64, pixel_mm=2.0) for sizes in ([20, 24, 28], [20, 22]))
    metric = AortaGeometryMetric(pixel_mm=2.0)
    metric(y_pred=generated, y=real)
    assert [tuple(buffer.shape) for buffer in metric.get_buffer()] == [(3, 3), (2, 3)]
    assert metric.get_buffer()[0][:, 0].numpy() == pytest.approx([20, 24, 28], abs=1.0)
    assert metric.aggregate() == aorta_geometry_distance(generated, real, pixel_mm=2.0)


def test_real_images_without_any_aorta_are_refused():
    with pytest.raises(ValueError, match="no aorta was found in any of 2 real images: check the side of a pixel"):
        aorta_geometry_distance(discs([20]), torch.zeros(2, 1, 128, 128))


def test_a_pixel_without_size_is_refused():
    with pytest.raises(ValueError, match=r"pixel 0.0 mm.*expected positive lengths"):
        aorta_geometry(discs([20]), pixel_mm=0.0)
