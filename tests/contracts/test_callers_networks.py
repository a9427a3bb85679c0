"""One law for all that uses a caller's network: modes and flags of each of its parts are as before."""

import pytest
import torch
from torch import nn

from monai_cardiac_gan.inferers import (
    EncoderInpainter,
    LatentBank,
    NetworkInpainter,
    fill_latent_bank,
    sample_patches,
)
from monai_cardiac_gan.training import TrainLatentEncoder

PATCHES = torch.zeros(2, 1, 8, 8)
MASKS = torch.zeros(2, 1, 8, 8, dtype=torch.bool)
MASKS[..., 3:5, 3:5] = True


class Answers(nn.Module):
    """Takes patches and masks, gives latents or patches."""

    def __init__(self, count):
        super().__init__()
        self.layer, self.drop = nn.Linear(64, count), nn.Dropout(0.5)
        self.shape = (-1, 3) if count == 3 else (-1, 1, 8, 8)

    def forward(self, patches, masks):
        return self.drop(self.layer((patches * ~masks).flatten(1))).reshape(self.shape)


def generator():
    return nn.Sequential(nn.Linear(3, 64), nn.BatchNorm1d(64), nn.Unflatten(1, (1, 8, 8)))


USES = {
    "a bank": (generator, lambda network, folder: LatentBank(3, 5, 4).fill(network)),
    "a bank's file": (generator, lambda network, folder: fill_latent_bank(LatentBank(3, 5, 4), network, folder / "bank.pt")),
    "samples": (generator, lambda network, folder: sample_patches(network, 4, 3)),
    "a network that inpaints": (lambda: Answers(64), lambda network, folder: NetworkInpainter(network)(PATCHES, MASKS)),
    "an encoder": (lambda: Answers(3), lambda network, folder: EncoderInpainter(network, generator())(PATCHES, MASKS)),
    "an encoder's generator": (
        generator, lambda network, folder: EncoderInpainter(Answers(3), network)(PATCHES, MASKS),
    ),
    "the training of an encoder": (
        generator, lambda network, folder: TrainLatentEncoder([{}] * 8, [], network, str(folder / "e.pt"), batch_size=2),
    ),
}  # fmt: skip


@pytest.mark.parametrize("use", USES)
def test_a_callers_network_is_as_it_was(tmp_path, use):
    build, call = USES[use]
    network = build()
    next(iter(network.children())).eval()  # a part that its owner keeps out of the training
    next(network.parameters()).requires_grad_(False)
    before = {name: value.clone() for name, value in network.state_dict().items()}
    modes = [part.training for part in network.modules()]
    flags = [weight.requires_grad for weight in network.parameters()]
    call(network, tmp_path)
    assert [part.training for part in network.modules()] == modes
    assert [weight.requires_grad for weight in network.parameters()] == flags
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())
