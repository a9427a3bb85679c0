import numpy as np
import pytest
import torch
from typical_answer import NONE, TYPICAL, WHOLE, row, single_images

from monai_cardiac_gan.inferers import square_mask
from monai_cardiac_gan.networks.nets import ComodulatedGenerator


@torch.no_grad()
def test_images_are_what_their_names_say():
    torch.manual_seed(0)
    network = ComodulatedGenerator(latent_size=5, width=2, max_channels=8).eval()
    for block in network.up:
        for noise in block.noise:
            torch.nn.init.constant_(noise.weight, 0.3)
    patches = torch.rand(18, 1, 128, 128, generator=torch.Generator().manual_seed(1)) * 2 - 1
    masks = square_mask(41).expand_as(patches)
    images = single_images(network, patches, masks, 4)
    assert {each.shape for each in images.values()} == {patches.shape}
    seen = network.encode(patches[17:], masks[17:])
    torch.testing.assert_close(
        images[TYPICAL][17:], network.decode_typical(seen, network.draw_noise([1])), atol=1e-5, rtol=1e-4
    )
    middle = (images[WHOLE] + images[NONE]) / 2  # nearly: tanh is no line
    hidden = masks[0, 0]
    assert (images[TYPICAL] - middle)[..., hidden].abs().mean() < 0.2 * (images[WHOLE] - images[NONE])[
        ..., hidden
    ].abs().mean()
    mean, nearest = images["mean of 4 answers"], images["the answer nearest to the mean of 4"]
    away = [((each - mean).abs() * masks).flatten(1).sum(1) for each in (nearest, images["one answer"])]
    assert (away[0] <= away[1] + 1e-4).all()


def test_a_row_has_the_errors_of_discs():
    rows, columns = np.ogrid[:128, :128]

    def disc(diameter, centre=63.5):
        return torch.tensor(np.clip(diameter / 2 + 0.5 - np.hypot(rows - centre, columns - 63.5), 0, 1) * 1.4 - 0.7)

    patches = torch.stack([disc(20.0), disc(24.0)])[:, None].float()
    images = torch.stack([disc(22.0), disc(24.0, 65.5)])[:, None].float()
    masks = square_mask(41).expand_as(patches)
    cells = row("x", images, patches, masks, torch.ones_like(masks), ["ann", "bob"]).split("|")
    assert float(cells[3]) == pytest.approx(1.0, abs=0.2)  # centres 0 and 2 mm off
    assert float(cells[4]) == pytest.approx(1.0, abs=0.2)  # diameters 2 and 0
    l1 = ((images - patches).abs() * masks).sum((1, 2, 3)) / 41**2
    assert float(cells[2]) == pytest.approx(l1.mean().item(), abs=1e-3)
