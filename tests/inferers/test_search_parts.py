import pytest
import torch
from torch import nn

from monai_cardiac_gan.inferers import LatentBank, fill_latent_bank, load_search_parts


@pytest.fixture
def generator():
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(3, 64), nn.Unflatten(1, (1, 8, 8)))


@pytest.fixture
def encoder(tmp_path):
    torch.save(nn.Linear(2, 3).state_dict(), tmp_path / "encoder.pt")
    return nn.Linear(2, 3)


def bank():
    return LatentBank(latent_size=3, count=20, side=4)


def test_what_was_written_is_loaded(generator, encoder, tmp_path, caplog):
    fill_latent_bank(bank(), generator, str(tmp_path / "new" / "bank.pt"), seed=4)
    loaded = bank()
    path = str(tmp_path / "encoder.pt")
    load_search_parts("lbfgs", generator, loaded, str(tmp_path / "new" / "bank.pt"), encoder.train(), path)
    assert torch.equal(loaded.latents, bank().fill(generator, seed=4).latents)
    assert torch.equal(encoder.weight, torch.load(path, weights_only=True)["weight"])
    assert not encoder.training
    assert "filling one" not in caplog.text


@pytest.mark.parametrize("count", [5, 60])
def test_a_bank_becomes_as_large_as_the_one_in_the_file(generator, tmp_path, count, caplog):
    """Such as the smaller one of a short training."""
    stored = LatentBank(latent_size=3, count=count, side=4)
    fill_latent_bank(stored, generator, str(tmp_path / "bank.pt"), seed=4)
    loaded = bank()
    load_search_parts("lbfgs", generator, loaded, str(tmp_path / "bank.pt"))
    assert loaded.count == count
    assert torch.equal(loaded.images, stored.images)
    assert loaded.belongs_to(generator)
    assert "filling one" not in caplog.text


def test_a_bank_that_lies_there_is_replaced_only_when_told_to(generator, tmp_path):
    path = str(tmp_path / "bank.pt")
    fill_latent_bank(bank(), generator, path, seed=4)
    before = (tmp_path / "bank.pt").read_bytes()
    with pytest.raises(FileExistsError, match=r"bank\.pt: holds a bank: write into another folder.*--overwrite True"):
        fill_latent_bank(bank(), generator, path, seed=5)
    assert (tmp_path / "bank.pt").read_bytes() == before
    fill_latent_bank(bank(), generator, path, seed=5, overwrite=True)
    assert torch.equal(torch.load(path, weights_only=True)["latents"], bank().fill(generator, seed=5).latents)


@pytest.mark.parametrize("there", [False, True])
def test_a_bank_that_is_missing_or_of_another_generator_is_filled_anew(generator, encoder, tmp_path, caplog, there):
    path = str(tmp_path / "bank.pt")
    if there:
        fill_latent_bank(bank(), nn.Sequential(nn.Linear(3, 64), nn.Unflatten(1, (1, 8, 8))), path)
    filled = bank()
    load_search_parts("lbfgs", generator, filled, path, encoder, None)
    assert filled.belongs_to(generator)
    assert f"{path} holds no bank of this generator: filling one" in caplog.text


def test_the_publications_search_needs_nothing(generator, encoder, tmp_path):
    empty = bank()
    load_search_parts(
        "gradient_descent", generator, empty, str(tmp_path / "no.pt"), encoder, str(tmp_path / "neither.pt")
    )
    assert not empty.digest.any()


def test_an_encoder_that_is_not_there_is_refused(generator, encoder, tmp_path):
    with pytest.raises(FileNotFoundError, match=r"no\.pt: no weights lie here; train first"):
        load_search_parts("lbfgs", generator, bank(), str(tmp_path / "bank.pt"), encoder, str(tmp_path / "no.pt"))


def test_a_unet_that_proposes_is_loaded_too(generator, tmp_path):
    trained = nn.Linear(4, 4)
    torch.save(trained.state_dict(), tmp_path / "unet.pt")
    unet = nn.Linear(4, 4).train()
    load_search_parts(
        "lbfgs",
        generator,
        bank().fill(generator),
        str(tmp_path / "bank.pt"),
        inpainting_unet=unet,
        inpainting_unet_path=str(tmp_path / "unet.pt"),
    )
    assert torch.equal(unet.weight, trained.weight)
    assert not unet.training


def test_a_bank_stays_where_its_owner_has_it(generator, tmp_path):
    mine, moved = bank(), []
    mine._apply = lambda *arguments, **options: moved.append(arguments)
    fill_latent_bank(mine, generator, str(tmp_path / "bank.pt"))
    assert moved == []
    assert torch.load(tmp_path / "bank.pt", weights_only=True)["latents"].device.type == "cpu"
