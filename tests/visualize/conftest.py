import pytest
import torch

from monai_cardiac_gan.inferers import InitialImages, InpaintingResult, LossTraces, PatchOrigin, square_mask
from monai_cardiac_gan.inferers.traces import StopReason

SIDE, PATCHES, STARTS, FRAMES, BATCH = 32, 2, 3, 100, 10


@pytest.fixture(scope="session")
def result() -> InpaintingResult:
    """A result of made-up numbers: the second start is best for the first patch, the third for the second."""
    source = torch.Generator().manual_seed(0)

    def images(*shape: int) -> torch.Tensor:
        return torch.rand(*shape, SIDE, SIDE, generator=source) * 2 - 1

    mask = square_mask(7, (10, 20), (SIDE, SIDE)).expand(PATCHES, 1, SIDE, SIDE)
    patches, generated = images(PATCHES, 1), images(PATCHES, STARTS, 1)
    losses = torch.tensor([[0.3, 0.1, 0.2], [0.3, 0.2, 0.1]])
    falling = torch.linspace(1, 0, 201)[:, None, None] + losses
    first = torch.rand(PATCHES, BATCH, generator=source) * 0.1 + 0.4
    first[0, 6] = 0.2
    return InpaintingResult(
        patches=patches,
        masks=mask,
        valid=torch.ones_like(mask),
        latents=torch.zeros(PATCHES, STARTS, 4),
        generated=generated,
        inpainted=torch.where(mask[:, None], generated, patches[:, None]),
        losses=losses,
        traces=LossTraces({"contextual": falling, "perceptual": -falling}, falling),
        initial_images=InitialImages(
            images(1, BATCH, 1), first, images(PATCHES, STARTS, 1), losses, losses.argsort(1), 30
        ),
        snapshots=(images(FRAMES, PATCHES)[:, :, :SIDE, :SIDE] * 127.5 + 127.5).to(torch.uint8),
        snapshot_iterations=torch.linspace(0, 200, FRAMES).round().long(),
        evaluations=torch.full((PATCHES, STARTS), 201),
        stops=((StopReason.ITERATIONS,) * STARTS,) * PATCHES,
        origins=(PatchOrigin(pixel_mm=2.0),) * PATCHES,
        seed=0,
        seconds=1.0,
    )
