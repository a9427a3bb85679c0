from pathlib import Path

import pytest
import torch
from torch import nn

from monai_cardiac_gan.inferers import LatentBank
from monai_cardiac_gan.networks import find_weights, load_network
from monai_cardiac_gan.networks.nets import ResidualCritic, ResidualGenerator


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


def network(**settings):
    return ResidualGenerator(**{"latent_size": 4, "width": 2, "max_channels": 8, "size": 16, **settings})


def prefixed(state, prefix):
    return {prefix + name: value for name, value in state.items()}


def compiled(state):
    """As ``torch.compile`` of a part, and of the whole, names them."""
    return prefixed({name.replace("blocks.8.", "blocks.8._orig_mod."): v for name, v in state.items()}, "_orig_mod.")


CRITIC = ResidualCritic(width=2, max_channels=8, size=16)
SHAPES_OF_FILES = {
    "flat": lambda state: state,
    "parallel": lambda state: prefixed(state, "module."),
    "compiled": compiled,
    "compiled and parallel": lambda state: prefixed(state, "module._orig_mod."),
    "wrapped": lambda state: {"state_dict": state, "epoch": 3},
    "wrapped and parallel": lambda state: {"epoch": 3, "model": prefixed(state, "module.")},
    "among the networks of a module": lambda state: {
        "state_dict": prefixed(state, "generator.") | prefixed(CRITIC.state_dict(), "critic.")
    },
    "averaged": lambda state: {"n_averaged": torch.tensor(7), **prefixed(state, "module.")},
    "a training": lambda state: {"generator": state, "critic": CRITIC.state_dict(), "trainer": {"iteration": 3}},
    "a training with an average": lambda state: {
        "generator": network().state_dict(), "critic": {}, "ema": {"network": state, "updates": 3},
    },
    "twice the same": lambda state: {"generator": state, "best": {"network": state}},
}  # fmt: skip


@pytest.mark.parametrize("content", SHAPES_OF_FILES.values(), ids=SHAPES_OF_FILES)
def test_weights_are_found_in_files_of_other_shapes(tmp_path, content):
    source, target = network(), network()
    torch.save(content(source.state_dict()), tmp_path / "any.pt")
    load_network(target, tmp_path / "any.pt")
    for name, value in source.state_dict().items():
        assert torch.equal(target.state_dict()[name], value)


def test_a_network_that_is_wrapped_itself_takes_plain_weights(tmp_path):
    source, target = network(), nn.DataParallel(network())
    torch.save(source.state_dict(), tmp_path / "model.pt")
    load_network(target, tmp_path / "model.pt")
    assert all(torch.equal(target.module.state_dict()[name], value) for name, value in source.state_dict().items())


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (lambda: {"a": network().state_dict(), "b": network().state_dict()}, r"several networks that fit .* \(a, b\)"),
        (lambda: network(latent_size=5).state_dict(), r"give the width and the latent size.* is \(.*5.*\), expected"),
        (
            lambda: {"state_dict": prefixed(network(width=4, max_channels=16).state_dict(), "module.")},
            r"give the width and",
        ),
        (
            lambda: network(size=8).state_dict(),
            r"they lack blocks\.16\..*give what of latent_size, width, max_channels, size",
        ),
        (
            lambda: {"g": network(size=32).state_dict()},
            r"the weights in g are of .*they lack nothing, and have blocks\.32\.",
        ),
        (
            lambda: {"epoch": 3, "best": None},
            r"holds no weights \(epoch, best\): expected the state_dict\(\) of a Residual",
        ),
        (lambda: [torch.zeros(2)], r"holds no weights \(list\)"),
        (lambda: {}, r"holds no weights \(nothing\)"),
        (
            lambda: {"net": nn.Linear(2, 1).state_dict()},
            r"weights of another network in net \(bias, weight\): expected those",
        ),
        (lambda: nn.Linear(2, 1), r"cannot be read as weights \(UnpicklingError\): expected a complete file"),
    ],
)
def test_the_true_cause_is_named(tmp_path, content, message):
    torch.save(content(), tmp_path / "any.pt")
    with pytest.raises(ValueError, match=rf"any\.pt: .*{message}"):
        load_network(network(), tmp_path / "any.pt")


@pytest.mark.parametrize("content", [b"", b"hello", b"PK\x03\x04 half of an archive"])
def test_a_file_that_is_damaged_is_not_told_to_have_other_settings(tmp_path, content):
    (tmp_path / "any.pt").write_bytes(content)
    with pytest.raises(ValueError, match=r"any\.pt: cannot be read as weights"):
        load_network(network(), tmp_path / "any.pt")


def test_a_bank_of_another_size_is_told_its_own_settings(tmp_path):
    torch.save(LatentBank(latent_size=4, count=8).state_dict(), tmp_path / "bank.pt")
    with pytest.raises(ValueError, match=r"do not fit LatentBank: .*what else of latent_size, count, side"):
        load_network(LatentBank(latent_size=4, count=9), tmp_path / "bank.pt")
