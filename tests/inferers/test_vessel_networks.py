import os
import pickle
from functools import partial

import pytest
import torch
from tiny_networks import LATENT, MADE, TinyGenerator, write_networks

from monai_cardiac_gan.inferers import AmortisedNetworks, VesselSearch, search_digests, square_mask, vessel_networks
from monai_cardiac_gan.inferers.loaded_once import LoadedOnce
from monai_cardiac_gan.networks.nets import ComodulatedGenerator


@pytest.fixture(autouse=True)
def nothing_made():
    MADE.clear()


def touch(path, state):
    before = path.stat()
    torch.save(state, path)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns + 1_000_000))


def test_weights_are_those_of_the_files(tmp_path):
    loaded = write_networks(tmp_path).load()
    written = torch.load(tmp_path / "generator.pt", weights_only=True)
    assert torch.equal(loaded.generator.coarse.weight, written["coarse.weight"])
    inferer = loaded.search.inferer
    bank, encoder = inferer.initializer.bank, inferer.initializer.encoder
    assert torch.equal(bank.latents, torch.load(tmp_path / "bank.pt", weights_only=True)["latents"])
    assert torch.equal(encoder.latent.bias, torch.load(tmp_path / "encoder.pt", weights_only=True)["latent.bias"])
    unet = torch.load(tmp_path / "inpainting_unet.pt", weights_only=True)
    assert torch.equal(inferer.proposal.network.mix.weight, unet["mix.weight"])
    assert not any(part.training for part in (loaded.generator, bank, encoder, inferer.proposal.network))


def test_settings_reach_the_search(tmp_path):
    made = write_networks(tmp_path, starts=3, coarse_evaluations=7, evaluations=5, coupling_weight=0.4)
    search = made.load().search
    assert isinstance(search, VesselSearch)
    assert (search.coupling_weight, search.inferer.starts) == (0.4, 3)
    optimizer = search.inferer.optimizer
    assert (optimizer.coarse.evaluations, optimizer.fine.evaluations, optimizer.size) == (7, 5, 64)


def test_they_paint(tmp_path):
    loaded = write_networks(tmp_path, coarse_evaluations=3, evaluations=2).load()
    patches = torch.rand(2, 1, 128, 128, generator=torch.Generator().manual_seed(0)) - 0.5
    hole = torch.zeros(128, 128, dtype=torch.bool)
    hole[40:89, 40:89] = True
    found = loaded.search(patches, hole, loaded.generator, torch.tensor([0.0, 10.0]))
    assert found.latents.shape == (1, 2, LATENT)
    torch.testing.assert_close(found.generated[0], loaded.generator(found.latents[0]).detach())


def test_a_process_loads_once(tmp_path):
    networks = write_networks(tmp_path)
    MADE.clear()
    first = networks.load()
    assert networks.load() is first
    assert MADE == ["generator"]


def test_equal_settings_share_what_is_loaded(tmp_path):
    networks = write_networks(tmp_path)
    first = networks.load()
    assert pickle.loads(pickle.dumps(networks)).load() is first
    assert write_networks_again(networks, starts=1).load() is first
    assert write_networks_again(networks, starts=2).load() is not first


def write_networks_again(networks, **changes):
    other = pickle.loads(pickle.dumps(networks))
    vars(other).update(changes)
    return other


@pytest.mark.parametrize("name", ["generator", "critic", "bank", "encoder", "inpainting_unet"])
def test_weights_that_changed_are_loaded_anew(tmp_path, name):
    networks = write_networks(tmp_path)
    first, path = networks.load(), tmp_path / f"{name}.pt"
    touch(path, torch.load(path, weights_only=True))
    second = networks.load()
    assert second is not first
    assert networks.load() is second


def test_new_weights_count(tmp_path):
    networks = write_networks(tmp_path)
    networks.load()
    torch.manual_seed(7)
    other = TinyGenerator().state_dict()
    touch(tmp_path / "generator.pt", other)
    assert torch.equal(networks.load().generator.coarse.weight, other["coarse.weight"])


def test_in_another_process_they_are_loaded_there_once(tmp_path, monkeypatch):
    networks = write_networks(tmp_path)
    weight = networks.load().generator.coarse.weight
    travelled = pickle.dumps(networks)
    monkeypatch.setattr(vessel_networks, "_LOADED", LoadedOnce())  # nothing is loaded there yet
    MADE.clear()
    loaded = pickle.loads(travelled).load()
    assert pickle.loads(travelled).load() is loaded
    assert MADE == ["generator"]
    assert torch.equal(loaded.generator.coarse.weight, weight)
    assert len(travelled) < 2000  # settings, not weights


@pytest.mark.parametrize(
    ("changes", "parts"),
    [({"coupling_weight": 0.3}, {"coupling"}), ({"evaluations": 9}, {"optimizer"}), ({"starts": 2}, {"starts"})],
)
def test_digests_tell_what_differs(tmp_path, changes, parts):
    networks = write_networks(tmp_path)
    one, other = networks.load().digests, write_networks_again(networks, **changes).load().digests
    assert {name for name in one | other if one.get(name) != other.get(name)} == parts


def test_digests_are_those_of_the_search_and_its_coupling(tmp_path):
    loaded = write_networks(tmp_path).load()
    found = search_digests(loaded.search.inferer, loaded.generator)
    assert {name: digest for name, digest in loaded.digests.items() if name != "coupling"} == found
    assert len(loaded.digests["coupling"]) == 64


@pytest.mark.parametrize("name", ["generator", "critic", "encoder", "inpainting_unet"])
def test_weights_that_are_missing_are_asked_for(tmp_path, name):
    networks = write_networks(tmp_path)
    (tmp_path / f"{name}.pt").unlink()
    with pytest.raises(FileNotFoundError, match=rf"{name}\.pt: no weights lie here; train first"):
        networks.load()


def test_weights_of_another_network_are_refused(tmp_path):
    networks = write_networks(tmp_path)
    touch(tmp_path / "critic.pt", torch.load(tmp_path / "encoder.pt", weights_only=True))
    with pytest.raises(ValueError, match=r"critic\.pt"):
        networks.load()


def test_a_conditioned_generator_is_loaded_once_and_paints(tmp_path):
    torch.manual_seed(0)
    made = partial(ComodulatedGenerator, latent_size=5, width=2, max_channels=8)
    path = tmp_path / "amortised.pt"
    torch.save(made().state_dict(), path)
    networks = AmortisedNetworks(made, str(path), answers=3)
    loaded = networks.load()
    assert networks.load() is loaded
    assert pickle.loads(pickle.dumps(networks)).load() is loaded
    patches = torch.rand(2, 1, 128, 128, generator=torch.Generator().manual_seed(0)) - 0.5
    found = loaded.search(patches, square_mask(49), loaded.generator, torch.tensor([0.0, 10.0]))
    assert found.latents.shape == (3, 2, 5)
    wider = partial(made, spread=1.5)
    assert (
        AmortisedNetworks(wider, str(path), answers=4).load().digests == loaded.digests
    )  # typical images are the same
    other = AmortisedNetworks(made, str(path), seed=1).load().digests
    assert {name for name in other if other[name] != loaded.digests[name]} == {"seed"}
