import pytest
import torch
from torch import nn

SIDE, LATENT = 16, 6


class Painter(nn.Module):
    """G(z) = tanh(A z); smaller images are the means of the whole one's pixels."""

    def __init__(self):
        super().__init__()
        source = torch.Generator().manual_seed(1)
        self.weight = nn.Parameter(0.2 * torch.randn(SIDE * SIDE, LATENT, generator=source))

    def forward(self, latents, size=None):
        images = (latents @ self.weight.T).tanh().reshape(-1, 1, SIDE, SIDE)
        return images if size is None else nn.functional.avg_pool2d(images, SIDE // size)


class Judge(nn.Module):
    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.linspace(-0.1, 0.1, SIDE * SIDE))

    def forward(self, images):
        return images.flatten(1) @ self.weight


@pytest.fixture
def painter():
    return Painter().requires_grad_(False).eval()


@pytest.fixture
def judge():
    return Judge().requires_grad_(False).eval()


@pytest.fixture
def mask():
    mask = torch.zeros(1, 1, SIDE, SIDE, dtype=torch.bool)
    mask[..., 6:10, 5:9] = True
    return mask
