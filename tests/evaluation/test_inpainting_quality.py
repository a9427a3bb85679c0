import numpy as np
import pytest
import torch
from monai.metrics.regression import PSNRMetric

from monai_cardiac_gan.evaluation.inpainting_quality import find_discs, inpainting_quality, patch_errors
from monai_cardiac_gan.inferers import square_mask


def discs(diameters, columns=None):
    rows, places = np.ogrid[:128, :128]
    columns = [63.5] * len(diameters) if columns is None else columns
    images = [
        np.clip(size / 2 + 0.5 - np.hypot(rows - 63.5, places - column), 0, 1) * 1.4 - 0.7
        for size, column in zip(diameters, columns, strict=True)
    ]
    return torch.tensor(np.stack(images), dtype=torch.float32)[:, None]


MASKS = square_mask(41).expand(3, 1, 128, 128)


def test_nothing_changed_is_perfect():
    originals = discs([20, 24, 28])
    quality = inpainting_quality(originals, originals, MASKS)
    assert (quality.l1, quality.seam, quality.diameter_error_mm, quality.centre_error_mm) == (0, 0, 0, 0)
    assert quality.ssim == pytest.approx(1)
    assert (quality.found, quality.patches, quality.with_aorta) == (1, 3, 3)


def test_other_discs_are_off_by_what_they_were_drawn_with():
    quality = inpainting_quality(discs([22, 23, 28], [63.5, 65.5, 63.5]), discs([20, 24, 28]), MASKS, pixel_mm=1.0)
    assert quality.diameter_error_mm == pytest.approx((2 + 1 + 0) / 3, abs=0.15)
    assert quality.diameter_bias_mm == pytest.approx((2 - 1 + 0) / 3, abs=0.15)
    assert quality.centre_error_mm == pytest.approx(2 / 3, abs=0.1)


def test_differences_are_those_inside_the_mask():
    originals = discs([20, 24, 28])
    noise = 0.1 * torch.randn(originals.shape, generator=torch.Generator().manual_seed(0))
    painted = torch.where(MASKS, originals + noise, originals)
    quality = inpainting_quality(painted, originals, MASKS)
    assert quality.l1 == pytest.approx(noise[MASKS].abs().mean().item(), rel=1e-4)
    inside = [images[MASKS].view(3, 1, 41, 41) for images in (painted, originals)]
    psnr = PSNRMetric(max_val=2.0)(*inside)
    assert quality.psnr == pytest.approx(psnr.mean().item(), rel=1e-4)


def test_a_filling_without_an_aorta_is_not_found():
    originals = discs([20, 24, 28])
    painted = torch.where(MASKS, torch.tensor(-0.7), originals)
    quality = inpainting_quality(painted, originals, MASKS)
    assert quality.found == 0
    assert quality.diameter_error_mm is None
    nothing = inpainting_quality(torch.zeros(3, 1, 128, 128), torch.zeros(3, 1, 128, 128), MASKS)
    assert nothing.with_aorta == 0
    assert nothing.found is None


def test_some_of_the_patches_and_intervals_over_their_people():
    originals = discs([20] * 12)
    steps = torch.arange(1, 13)[:, None, None, None] / 100
    masks = MASKS[:1].expand(12, 1, 128, 128)
    painted = torch.where(masks, originals + steps, originals)
    found = find_discs(originals)
    errors = patch_errors(painted, originals, masks, found, found, 1.0)
    people = [str(i // 2) for i in range(12)]
    assert errors.quality(people, [0, 1]).l1 == pytest.approx(0.015, rel=1e-4)
    assert errors.quality(people, [0, 1]).l1_interval is None
    whole = errors.quality(people)
    means = np.arange(1.5, 12, 2) / 100
    drawn = np.random.default_rng(1).choice(means, (20_000, 6)).mean(1)
    assert whole.l1_interval == pytest.approx(np.quantile(drawn, [0.025, 0.975]), abs=0.003)
    assert whole.diameter_interval_mm == (0, 0)
