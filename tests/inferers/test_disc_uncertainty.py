import math

import numpy as np
import pytest
import torch

from monai_cardiac_gan.inferers import disc_uncertainty


def drawn(diameters, columns):
    rows, columns_of = np.ogrid[:128, :128]
    discs = [
        np.clip(size / 2 + 0.5 - np.hypot(rows - 63, columns_of - column), 0, 1)
        for size, column in zip(diameters, columns, strict=True)
    ]
    return torch.tensor(np.stack(discs))[:, None]


def test_drawn_discs_vary_as_they_were_drawn():
    found = disc_uncertainty(drawn([20, 22, 27], [60, 63, 66]), pixel_mm=0.5 * 2)
    assert found.found == 3
    assert found.diameter_mm == pytest.approx(23, abs=0.3)
    assert found.diameter_std_mm == pytest.approx(math.sqrt(13), abs=0.3)
    assert found.perimeter_std_mm == pytest.approx(math.pi * math.sqrt(13), abs=1)
    assert found.centre == pytest.approx((63, 63), abs=0.1)
    assert found.centre_std_mm == pytest.approx(math.sqrt(6), abs=0.1)
    assert found.interval_mm == pytest.approx((20.2, 26.5), abs=0.3)


def test_images_without_an_aorta_are_an_answer():
    flat = torch.zeros(1, 1, 128, 128)
    assert disc_uncertainty(flat).found == 0
    assert disc_uncertainty(flat).diameter_mm is None
    one = disc_uncertainty(torch.cat([flat, drawn([24], [64]).float()]))
    assert (one.found, one.diameter_std_mm) == (1, None)
    assert one.diameter_mm == pytest.approx(24, abs=0.3)
