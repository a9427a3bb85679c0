import numpy as np
import pytest
import torch
from torch import nn

from monai_cardiac_gan.inferers import square_mask
from monai_cardiac_gan.keys import Field
from monai_cardiac_gan.losses import masked_l1
from monai_cardiac_gan.networks.nets import LatentEncoder
from monai_cardiac_gan.training import TrainLatentEncoder
from monai_cardiac_gan.training.one_cycle import stacked

SIDE, LATENT = 128, 3


class Bands(nn.Module):
    """Three horizontal bands, each as bright as one latent says."""

    def __init__(self):
        super().__init__()
        self.gain = nn.Parameter(torch.tensor(0.5))

    def forward(self, latents):
        rows = (torch.arange(SIDE) * LATENT // SIDE).to(latents.device)
        return (self.gain * latents[:, rows]).tanh()[:, None, :, None].expand(-1, 1, SIDE, SIDE)


class Reads(nn.Module):
    """Knows where the bands are."""

    def forward(self, patches, masks):
        columns = patches.expand(-1, 1, SIDE, SIDE)[:, 0, [20, 64, 110], 5]
        return columns.clamp(-0.999, 0.999).atanh() / 0.5


def items(count, seed=0):
    latents = torch.randn(count, LATENT, generator=torch.Generator().manual_seed(seed))
    return [{Field.IMAGE: image} for image in Bands()(latents).detach()]


def training(tmp_path, **settings):
    usual = {
        "dataset": items(64), "test_dataset": items(10, 1), "generator": Bands(), "path": str(tmp_path / "encoder.pt"),
        "network": lambda: LatentEncoder(LATENT, width=2), "latent_size": LATENT, "epochs": 6, "batch_size": 16,
        "learning_rate": 1e-2,
    }  # fmt: skip
    return TrainLatentEncoder(**(usual | settings))


def test_it_learns_to_see_what_is_hidden_and_what_is_not(tmp_path):
    application = training(tmp_path)
    torch.manual_seed(0)
    untrained = application.measure(application.network())
    report = application.run()
    assert report.outside < 0.6 * untrained.outside
    assert report.inside < 0.6 * untrained.inside
    loaded = LatentEncoder(LATENT, width=2)
    loaded.load_state_dict(torch.load(tmp_path / "encoder.pt", weights_only=True))
    assert application.measure(loaded) == report
    assert application.generator.gain.grad is None


def test_the_report_of_an_encoder_that_knows(tmp_path):
    report = training(tmp_path, candidates=50).measure(Reads())
    assert report.outside == pytest.approx(0, abs=1e-5)
    assert report.inside == pytest.approx(0, abs=1e-5)
    latents = torch.randn(10, LATENT, generator=torch.Generator().manual_seed(1))
    assert report.latent_length == pytest.approx((latents.norm(dim=1) / LATENT**0.5).mean().item(), rel=1e-4)
    drawn = Bands()(torch.randn(50, LATENT, generator=torch.Generator().manual_seed(0)))
    best = [
        masked_l1(drawn, patch[None], ~square_mask()[None, None]).min().item() for patch in stacked(items(10, 1))[0]
    ]
    assert report.outside_of_best_start == pytest.approx(np.mean(best), rel=1e-5)


def test_the_loss_of_an_encoder_that_knows_is_the_prior_alone(tmp_path):
    application = training(tmp_path)
    random = torch.Generator().manual_seed(2)
    patches, masks, latents = application.examples(stacked(items(8))[0], random)
    assert patches.shape == masks.shape == (16, 1, SIDE, SIDE)
    assert torch.equal(patches[8:], Bands()(latents).detach())
    found = Reads()(patches, masks)
    shell = (found.norm(dim=1) / LATENT**0.5 - 1).square().mean()
    loss = application.loss(Reads(), patches, masks, latents, torch.ones_like(masks))
    assert loss.item() == pytest.approx(0.02 * shell.item(), rel=1e-3)


def test_padding_counts_for_nothing(tmp_path):
    """Whatever lies beyond the field of view: same loss, same report."""
    application = training(tmp_path)
    patches, masks, latents = application.examples(stacked(items(8))[0], torch.Generator().manual_seed(2))
    valid = torch.ones_like(masks)
    valid[:, :, :, 80:] = False
    losses = [
        application.loss(Reads(), torch.where(valid, patches, padding), masks, latents, valid).item()
        for padding in (-1.0, 0.3)
    ]
    assert losses[0] == pytest.approx(losses[1], rel=1e-6)
    reports = []
    for padding in (-1.0, 0.3):
        padded = [
            {Field.IMAGE: torch.where(valid[0], item[Field.IMAGE], padding), Field.VALID: valid[0]}
            for item in items(10, 1)
        ]
        reports.append(training(tmp_path, test_dataset=padded, candidates=20).measure(Reads()))
    assert reports[0] == reports[1]
    assert reports[0].outside == pytest.approx(0, abs=1e-5)


@pytest.mark.parametrize("settings", [{"batch_size": 15}, {"batch_size": 0}, {"batch_size": 130}])
def test_batches_that_cannot_be_halved_or_filled_are_refused(tmp_path, settings):
    with pytest.raises(ValueError, match="expected an even number and at least half as many patches"):
        training(tmp_path, **settings)


def test_weights_of_an_earlier_training_are_replaced_only_when_told_to(tmp_path):
    path = tmp_path / "encoder.pt"
    path.write_bytes(b"of an earlier training")
    with pytest.raises(FileExistsError, match=r"encoder\.pt: an earlier training wrote this"):
        training(tmp_path, epochs=1).run()
    assert path.read_bytes() == b"of an earlier training"
    training(tmp_path, epochs=1, overwrite=True).run()
    LatentEncoder(LATENT, width=2).load_state_dict(torch.load(path, weights_only=True))
