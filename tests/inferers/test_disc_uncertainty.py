import math

import numpy as np
import pytest
import torch

from monai_cardiac_gan.inferers import disc_uncertainty, paper_search, pixel_uncertainty


@pytest.fixture
def result(painter, judge, mask):
    patches = torch.rand(3, 1, 16, 16, generator=torch.Generator().manual_seed(0)) - 0.5
    search = paper_search(judge, latent_size=6, iterations=3, starts=5, progress=False)
    return search.search(patches, mask, painter)


def test_the_best_outside_the_hole_are_taken(result, mask):
    spread = pixel_uncertainty(result, 3)
    known = ~mask[0, 0].numpy()
    for row in range(3):
        difference = np.abs(result.generated[row, :, 0].numpy() - result.patches[row, 0].numpy())
        order = difference[:, known].mean(1).argsort()[:3]
        assert spread.ranks[row].tolist() == order.tolist()
        taken = result.inpainted[row, order, 0].numpy()
        np.testing.assert_allclose(spread.mean[row, 0], taken.mean(0), atol=1e-6)
        np.testing.assert_allclose(spread.deviation[row, 0], taken.std(0, ddof=1), atol=1e-6)
        np.testing.assert_allclose(spread.mean[row, 0][known], result.patches[row, 0][known], atol=1e-6)
    assert (spread.deviation[~mask.expand(3, 1, 16, 16)] < 1e-6).all()


@pytest.mark.parametrize("count", [1, 6])
def test_one_solution_has_no_spread(result, count):
    with pytest.raises(ValueError, match=f"{count} of 5 solutions: expected 2 to 5; search from more starts"):
        pixel_uncertainty(result, count)


def drawn(diameters, columns):
    rows, places = np.ogrid[:128, :128]
    discs = [
        np.clip(size / 2 + 0.5 - np.hypot(rows - 63, places - column), 0, 1)
        for size, column in zip(diameters, columns, strict=True)
    ]
    return torch.tensor(np.stack(discs))[:, None]


def test_drawn_discs_have_the_spread_they_were_drawn_with():
    spread = disc_uncertainty(drawn([20, 22, 27], [60, 63, 66]), pixel_mm=0.5 * 2)
    assert spread.found == 3
    assert spread.diameter_mm == pytest.approx(23, abs=0.3)
    assert spread.diameter_deviation_mm == pytest.approx(math.sqrt(13), abs=0.3)
    assert spread.perimeter_deviation_mm == pytest.approx(math.pi * math.sqrt(13), abs=1)
    assert spread.centre == pytest.approx((63, 63), abs=0.1)
    assert spread.centre_mm == pytest.approx(math.sqrt(6), abs=0.1)
    assert spread.interval_mm == pytest.approx((20.2, 26.5), abs=0.3)


def test_images_without_an_aorta_are_an_answer():
    flat = torch.zeros(1, 1, 128, 128)
    assert disc_uncertainty(flat).found == 0
    assert disc_uncertainty(flat).diameter_mm is None
    one = disc_uncertainty(torch.cat([flat, drawn([24], [64]).float()]))
    assert (one.found, one.diameter_deviation_mm) == (1, None)
    assert one.diameter_mm == pytest.approx(24, abs=0.3)
