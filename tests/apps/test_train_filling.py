import json

import pytest
import torch
from torch import nn

from monai_cardiac_gan.apps import TrainFillingNetwork
from monai_cardiac_gan.apps.one_cycle import stacked
from monai_cardiac_gan.apps.random_holes import rectangles
from monai_cardiac_gan.keys import Field
from monai_cardiac_gan.losses import masked_l1
from monai_cardiac_gan.networks.nets import FillingUNet

SIDE = 128


def items(count, seed=0):
    """Slopes: what is hidden follows from what is not."""
    slopes = torch.rand(count, 2, generator=torch.Generator().manual_seed(seed)) - 0.5
    axis = torch.linspace(-1, 1, SIDE)
    return [{Field.IMAGE: (a * axis[:, None] + b * axis)[None]} for a, b in slopes]


def training(tmp_path, **settings):
    usual = {
        "dataset": items(64), "test_dataset": items(10, 1), "path": str(tmp_path / "filling.pt"),
        "network": lambda: FillingUNet((4, 8, 16, 16)), "epochs": 8, "batch_size": 8, "learning_rate": 1e-2,
    }  # fmt: skip
    return TrainFillingNetwork(**(usual | settings))


def test_it_learns_to_continue(tmp_path):
    application = training(tmp_path)
    untrained = application.measure(application.network())
    report = application.run()
    assert report.inside < 0.4 * untrained.inside
    loaded = FillingUNet((4, 8, 16, 16))
    loaded.load_state_dict(torch.load(tmp_path / "filling.pt", weights_only=True))
    assert application.measure(loaded) == report
    assert json.loads((tmp_path / "filling.json").read_text()) == {"inside": report.inside}


def test_the_loss_is_the_difference_inside_the_holes(tmp_path):
    class Zero(nn.Module):
        def forward(self, patches, holes):
            return torch.zeros_like(patches)

    patches = stacked(items(6))
    loss = training(tmp_path).loss(Zero(), patches, torch.Generator().manual_seed(3))
    holes = rectangles(6, (SIDE, SIDE), torch.Generator().manual_seed(3))
    assert loss.item() == pytest.approx(masked_l1(torch.zeros_like(patches), patches, holes).mean().item())


@pytest.mark.parametrize("batch_size", [0, 65])
def test_a_batch_that_cannot_be_filled_is_refused(tmp_path, batch_size):
    with pytest.raises(ValueError, match=f"batch_size is {batch_size} and there are 64 training patches"):
        training(tmp_path, batch_size=batch_size)
