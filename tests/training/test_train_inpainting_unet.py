import json

import pytest
import torch
from torch import nn

from monai_cardiac_gan.augmentation import PatchVariation
from monai_cardiac_gan.inferers.random_masks import random_rectangles
from monai_cardiac_gan.keys import Field
from monai_cardiac_gan.losses import masked_l1
from monai_cardiac_gan.networks.nets import InpaintingUNet
from monai_cardiac_gan.training import TrainInpaintingUNet
from monai_cardiac_gan.training.one_cycle import stacked

SIDE = 128


def items(count, seed=0):
    """Bright or dark as a whole: what is hidden follows from what is not."""
    bright = torch.rand(count, generator=torch.Generator().manual_seed(seed)) < 0.5
    return [{Field.IMAGE: torch.full((1, SIDE, SIDE), 0.6 if one else -0.6)} for one in bright]


def training(tmp_path, **settings):
    usual = {
        "dataset": items(64), "test_dataset": items(10, 1), "path": str(tmp_path / "filling.pt"),
        "network": lambda: InpaintingUNet((4, 8, 16, 16, 16)), "epochs": 8, "batch_size": 8, "learning_rate": 1e-2,
    }  # fmt: skip
    return TrainInpaintingUNet(**(usual | settings))


def test_it_learns_to_continue(tmp_path):
    application = training(tmp_path)
    report = application.run()
    assert report.inside < 0.15  # 0.6 for who does not look
    loaded = InpaintingUNet((4, 8, 16, 16, 16))
    loaded.load_state_dict(torch.load(tmp_path / "filling.pt", weights_only=True))
    assert application.measure(loaded) == report
    assert json.loads((tmp_path / "filling.json").read_text()) == {"inside": report.inside}


def test_the_loss_is_the_difference_inside_the_masks(tmp_path):
    class Zero(nn.Module):
        def forward(self, patches, masks):
            return torch.zeros_like(patches)

    patches, valid = stacked(items(6))
    assert bool(valid.all())
    valid[:, :, :60] = False
    masks = random_rectangles(6, (SIDE, SIDE), torch.Generator().manual_seed(3))
    for seen in (torch.ones_like(valid), valid):
        loss = training(tmp_path).loss(Zero(), patches, seen, torch.Generator().manual_seed(3))
        expected = masked_l1(torch.zeros_like(patches), patches, masks & seen).mean()
        assert loss.item() == pytest.approx(expected.item())


@pytest.mark.parametrize("batch_size", [0, 65])
def test_a_batch_that_cannot_be_filled_is_refused(tmp_path, batch_size):
    with pytest.raises(ValueError, match=f"batch_size is {batch_size} and there are 64 training patches"):
        training(tmp_path, batch_size=batch_size)


def test_padding_counts_for_nothing(tmp_path):
    """Weights and report are those of any other padding; a mask that is padding altogether leaves no NaN."""
    reports, weights = [], []
    for padding in (-1.0, 0.5):
        padded = []
        for number, item in enumerate(items(24)):
            valid = torch.ones(1, SIDE, SIDE, dtype=torch.bool)
            valid[:, :, 70 if number else 2 :] = False
            # what the network sees is the same, so that only the loss could tell
            padded.append({Field.IMAGE: item[Field.IMAGE] * valid, Field.VALID: valid, "padding": padding})

        class Blind(InpaintingUNet):
            def forward(self, patches, masks):
                return super().forward(patches * (torch.arange(SIDE) < 70), masks)

        for entry in padded:
            entry[Field.IMAGE] = torch.where(entry[Field.VALID], entry[Field.IMAGE], entry.pop("padding"))
            if not entry[Field.VALID][0, 0, 30]:
                entry[Field.IMAGE] = torch.zeros(1, SIDE, SIDE)
        settings = {"dataset": padded, "test_dataset": padded[1:], "epochs": 1, "network": lambda: Blind((4, 8))}
        reports.append(training(tmp_path / str(padding), **settings).run())
        weights.append(torch.load(tmp_path / str(padding) / "filling.pt", weights_only=True))
    assert reports[0] == reports[1]
    for name, value in weights[0].items():
        assert bool(torch.isfinite(value).all())
        assert torch.equal(value, weights[1][name])


def test_a_network_of_an_earlier_training_is_replaced_only_when_told_to(tmp_path):
    path = tmp_path / "filling.pt"
    path.write_bytes(b"of an earlier training")
    with pytest.raises(FileExistsError, match=r"filling\.pt: an earlier training wrote this"):
        training(tmp_path, epochs=1).run()
    assert path.read_bytes() == b"of an earlier training"
    training(tmp_path, epochs=1, overwrite=True).run()
    InpaintingUNet((4, 8, 16, 16, 16)).load_state_dict(torch.load(path, weights_only=True))


def test_varied_patches_are_painted_as_varied(tmp_path):
    """What is outside the varied patch does not count, and the truth is varied, too."""

    class Zero(nn.Module):
        def forward(self, patches, masks):
            self.seen = patches
            return torch.zeros_like(patches)

    patches, valid = stacked(items(6))
    valid[:, :, :60] = False
    variation, network = PatchVariation(0, 0, 0.3, 0.1, (0.8, 1.1)), Zero()
    loss = training(tmp_path, variation=variation).loss(network, patches, valid, torch.Generator().manual_seed(3))
    random = torch.Generator().manual_seed(3)
    varied, inside = variation(patches, valid, torch.rand(6, variation.draws, generator=random))
    masks = random_rectangles(6, (SIDE, SIDE), random)
    assert torch.equal(network.seen, varied)
    assert loss.item() == pytest.approx(masked_l1(torch.zeros_like(varied), varied, masks & inside).mean().item())


def test_impossible_sides_are_refused(tmp_path):
    with pytest.raises(ValueError, match=r"hole_sides are \(9, 5\), expected 1 <= least <= greatest"):
        training(tmp_path, hole_sides=(9, 5))
