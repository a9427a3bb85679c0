import pytest
import torch

from monai_cardiac_gan.losses import LatentNormPrior


@pytest.mark.parametrize(("scale", "expected"), [(0.0, 1.0), (1.0, 0.0), (1.5, 0.25), (3.0, 4.0)])
def test_relative_distance_from_the_shell(scale, expected):
    latents = torch.ones(2, 64) * scale
    torch.testing.assert_close(LatentNormPrior()(None, latents, None, None), torch.full((2,), expected))


def test_standard_normals_lie_on_it():
    latents = torch.randn(4000, 100, generator=torch.Generator().manual_seed(0))
    # the norm spreads by 1 / sqrt(2), a relative 1 / (10 sqrt 2), squared 1 / 200
    assert LatentNormPrior()(None, latents, None, None).mean().item() == pytest.approx(1 / 200, rel=0.1)
