import os
import pickle

import pytest
import torch
from tiny_networks import MADE, TinyTexture
from torch import nn

from monai_cardiac_gan.inferers import Familiarity, ScanRater, textures_of


@pytest.fixture
def rater(tmp_path):
    torch.manual_seed(0)
    network, known = TinyTexture(), Familiarity()
    source = torch.Generator().manual_seed(1)
    known.fit({f"s{k}": texture_like(source) for k in range(12)})
    known.belong_to(network)
    torch.save(network.state_dict(), tmp_path / "features.pt")
    torch.save(known.state_dict(), tmp_path / "familiarity.pt")
    MADE.clear()
    return ScanRater(TinyTexture, tmp_path / "features.pt", tmp_path / "familiarity.pt")


def texture_like(source):
    size = Familiarity().mean.numel()
    return torch.randn(1, size, generator=source) + torch.randn(8, size, generator=source)


@pytest.fixture
def patches():
    return torch.rand(5, 1, 16, 16, generator=torch.Generator().manual_seed(3)) * 2 - 1


def touch(path):
    before = path.stat()
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns + 1_000_000))


def test_a_scan_is_rated_by_what_was_learnt(rater, patches, tmp_path):
    network, known = TinyTexture(), Familiarity()
    network.load_state_dict(torch.load(tmp_path / "features.pt", weights_only=True))
    known.load_state_dict(torch.load(tmp_path / "familiarity.pt", weights_only=True))
    valid = torch.ones_like(patches, dtype=torch.bool)
    assert rater(patches, valid) == known.rate(textures_of(patches, valid, network))


def test_networks_are_loaded_once_and_shared_by_equal_settings(rater, patches):
    valid = torch.ones_like(patches, dtype=torch.bool)
    found = [each(patches, valid) for each in (rater, rater, pickle.loads(pickle.dumps(rater)))]
    assert MADE == ["texture"]
    assert found[0] == found[1] == found[2]


@pytest.mark.parametrize("name", ["features.pt", "familiarity.pt"])
def test_what_changed_is_loaded_anew(rater, patches, tmp_path, name):
    valid = torch.ones_like(patches, dtype=torch.bool)
    rater(patches, valid)
    touch(tmp_path / name)
    rater(patches, valid)
    assert MADE == ["texture"] * 2


@pytest.mark.parametrize("name", ["features.pt", "familiarity.pt"])
def test_what_is_missing_is_asked_for(rater, patches, tmp_path, name):
    (tmp_path / name).unlink()
    with pytest.raises(FileNotFoundError, match=rf"{name}: no weights lie here"):
        rater(patches, torch.ones_like(patches, dtype=torch.bool))


def test_what_was_learnt_with_another_network_is_refused(rater, patches, tmp_path):
    torch.manual_seed(9)
    torch.save(TinyTexture().state_dict(), tmp_path / "features.pt")
    touch(tmp_path / "features.pt")
    with pytest.raises(ValueError, match=r"learnt with other weights than those of this TinyTexture: learn it again"):
        rater(patches, torch.ones_like(patches, dtype=torch.bool))


def test_weights_that_do_not_fit_are_refused(rater, patches, tmp_path):
    torch.save(nn.Linear(2, 3).state_dict(), tmp_path / "features.pt")
    with pytest.raises(ValueError, match=r"features\.pt"):
        rater(patches, torch.ones_like(patches, dtype=torch.bool))
