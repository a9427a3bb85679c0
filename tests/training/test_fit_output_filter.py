import json

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from monai_cardiac_gan.keys import Field
from monai_cardiac_gan.metrics import power_spectrum_distance
from monai_cardiac_gan.networks.nets import OutputFilter
from monai_cardiac_gan.training import FitOutputFilter

SIDE, COUNT = 128, 30


def soft(images):
    return F.avg_pool2d(F.pad(images, [1] * 4, mode="reflect"), 3, 1)


class Noise(nn.Module):
    """Paints white noise by its latents."""

    latent_size = 4

    def __init__(self):
        super().__init__()
        self.output_filter = OutputFilter(5)

    def forward(self, latents):
        seed = int(latents.abs().sum() * 1000)
        images = torch.randn(len(latents), 1, SIDE, SIDE, generator=torch.Generator().manual_seed(seed))
        return self.output_filter((0.2 * images).clamp(-1, 1))


class NoiseInHoles(Noise):
    def forward(self, latents, patches, masks):
        painted = super().forward(latents)
        return torch.where(masks, painted, patches)

    def decode(self):
        raise NotImplementedError


def items(valid=True):
    images = soft(0.2 * torch.randn(COUNT, 1, SIDE, SIDE, generator=torch.Generator().manual_seed(1)))
    inside = torch.ones(1, SIDE, SIDE, dtype=torch.bool)
    if not valid:
        inside[:, :40] = False
    return [{Field.IMAGE: image, Field.VALID: inside} for image in images]


@pytest.mark.parametrize("network", [Noise, NoiseInHoles])
def test_painted_patches_get_the_spectrum_of_the_training_patches(tmp_path, network):
    generator = network()
    generator.output_filter.kernel.mul_(0.5)  # what an earlier fit left does not count
    report = FitOutputFilter(items(), generator, str(tmp_path / "model.pt")).run()
    assert report.before > 5
    assert report.after < 0.3 * report.before
    again = network()
    again.load_state_dict(torch.load(tmp_path / "model.pt", weights_only=True))
    assert torch.equal(again.output_filter.kernel, generator.output_filter.kernel)
    assert again.output_filter.kernel.sum().item() == pytest.approx(1, abs=1e-5)
    assert json.loads((tmp_path / "model.filter.json").read_text()) == {"before": report.before, "after": report.after}


def test_the_report_is_the_distance_of_what_is_painted(tmp_path):
    application = FitOutputFilter(items(), Noise(), str(tmp_path / "model.pt"))
    report = application.run()
    real = torch.stack([item[Field.IMAGE] for item in items()])
    assert power_spectrum_distance(application._painted(real), real) == pytest.approx(report.after)


def test_padded_patches_are_not_compared_but_their_whole_holes_are(tmp_path):
    with pytest.raises(ValueError, match="none of 30 training patches lies inside its field of view"):
        FitOutputFilter(items(valid=False), Noise(), str(tmp_path / "model.pt")).run()
    hole = FitOutputFilter(items(valid=False), NoiseInHoles(), str(tmp_path / "model.pt"), hole_side=33)
    assert hole._compared(hole._patches()).shape == (COUNT, 1, 33, 33)
    with pytest.raises(ValueError, match="expected some, with nothing padded"):
        FitOutputFilter(items(valid=False), NoiseInHoles(), str(tmp_path / "model.pt"), hole_side=65).run()


def test_a_generator_without_a_filter_is_refused(tmp_path):
    with pytest.raises(ValueError, match="the Linear has no output filter: expected one that was built with it"):
        FitOutputFilter(items(), nn.Linear(1, 1), str(tmp_path / "model.pt"))
