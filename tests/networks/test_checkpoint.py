from pathlib import Path

import pytest
import torch
from torch import nn

from monai_cardiac_gan.networks import find_weights, load_network


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


def test_weights_are_found_in_the_first_folder_that_has_them(tmp_path):
    for folder in ("mine", "shipped"):
        (tmp_path / folder).mkdir()
    folders = [str(tmp_path / "mine"), str(tmp_path / "shipped")]
    assert find_weights("features.pt", folders) == str(tmp_path / "mine" / "features.pt")  # to be refused by name
    for folder in reversed(folders):
        (Path(folder) / "features.pt").touch()
        assert find_weights("features.pt", folders) == str(Path(folder) / "features.pt")
