import pytest
import torch
from torch import nn

from monai_cardiac_gan.networks import load_network


def test_weights_come_back(tmp_path):
    source, target = nn.Linear(3, 2), nn.Linear(3, 2)
    torch.save(source.state_dict(), tmp_path / "model.pt")
    assert load_network(target, tmp_path / "model.pt") is target
    assert torch.equal(source.weight, target.weight)


def test_missing_and_unfitting_weights_are_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"model\.pt: no weights lie here; train first"):
        load_network(nn.Linear(3, 2), tmp_path / "model.pt")
    torch.save(nn.Linear(4, 2).state_dict(), tmp_path / "model.pt")
    with pytest.raises(ValueError, match=r"model\.pt: the weights do not fit Linear: give the width"):
        load_network(nn.Linear(3, 2), tmp_path / "model.pt")
