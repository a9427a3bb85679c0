import pytest
import torch

from monai_cardiac_gan.inferers import (
    LatentBank,
    gradient_descent_search,
    inpainting_search,
    lbfgs_search,
    metric_inverse,
    preset_for_weights,
)


@pytest.fixture
def bank(painter):
    return LatentBank(latent_size=6, count=300, side=8).fill(painter, metric_samples=4)


def test_the_published_numbers_are_the_defaults(judge):
    search = gradient_descent_search(judge)
    assert (search.initializer.batches, search.initializer.batch_size) == (20, 49)
    assert (search.optimizer.iterations, search.optimizer.optimiser) == (8000, "sgd")
    assert (search.snapshots, search.initializer.latent_size) == (100, 100)


def test_the_lbfgs_search_comes_lower_with_a_hundredth_of_the_gradients(painter, judge, bank, mask):
    patches = painter(torch.randn(6, 6, generator=torch.Generator().manual_seed(8)))
    patches = (patches + 0.1 * torch.randn(patches.shape, generator=torch.Generator().manual_seed(9))).clamp(-1, 1)
    as_published = gradient_descent_search(judge, latent_size=6, iterations=2000, step_size=0.05, progress=False)
    fast = lbfgs_search(judge, bank, coarse_size=8, progress=False)
    slow, quick = (search.search(patches, mask, painter) for search in (as_published, fast))
    published = [quick.traces.terms[name][-1] for name in ("contextual", "perceptual")]
    assert (published[0] + 1e-3 * published[1] <= slow.losses + 2e-3).all()
    assert quick.evaluations.max() <= 80


def test_both_are_called_by_name(judge, bank):
    assert inpainting_search("gradient_descent", critic=judge, iterations=3).optimizer.iterations == 3
    assert inpainting_search("lbfgs", critic=judge, bank=bank, nearest=2).initializer.nearest == 2


def test_weights_that_are_loaded_later_count(judge, painter, bank):
    late = LatentBank(latent_size=6, count=300, side=8)
    search = lbfgs_search(judge, late, coarse_size=None)
    late.load_state_dict(bank.state_dict())
    torch.testing.assert_close(search.optimizer.preconditioner(), metric_inverse(bank.metric))


def test_other_names_are_refused(judge):
    with pytest.raises(
        ValueError, match="search_preset is 'quick': expected one of amortised, gradient_descent, lbfgs"
    ):
        inpainting_search("quick", critic=judge)


def gan(folder):
    return [f"{folder}/{name}.pt" for name in ("model", "critic", "bank", "encoder")]


@pytest.mark.parametrize(
    ("paths", "amortised", "preset"),
    [
        (gan("shipped"), "shipped/amortised.pt", "amortised"),
        ([*gan("shipped")[:3], None], "shipped/amortised.pt", "amortised"),
        (gan("own/models"), "shipped/amortised.pt", "lbfgs"),  # trained by train.json alone
        (gan("own/models"), "own/models/amortised.pt", "amortised"),
        (["own/checkpoints/last.pt", *gan("shipped")[1:]], "own/../shipped/amortised.pt", "lbfgs"),
        (["shipped/wide.pt", *gan("shipped")[1:]], "shipped/amortised.pt", "lbfgs"),
        ([*gan("shipped")[:3], "own/encoder.pt"], "shipped/amortised.pt", "lbfgs"),
        (gan("shipped"), "own/models/amortised.pt", "amortised"),
    ],
)
def test_the_weights_that_a_user_named_are_asked(tmp_path, monkeypatch, caplog, paths, amortised, preset):
    (tmp_path / "own" / "models").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    assert preset_for_weights(paths, amortised, str(tmp_path / "shipped")) == preset
    assert caplog.text == ""


def test_weights_of_two_folders_are_told_apart(tmp_path, monkeypatch, caplog):
    monkeypatch.chdir(tmp_path)
    paths = ["other/epoch5.pt", *gan("own")[1:]]
    assert preset_for_weights(paths, "own/amortised.pt", "shipped") == "amortised"
    assert "own/amortised.pt answers, and other/epoch5.pt are not asked: give --search_preset lbfgs" in caplog.text


def test_a_generator_of_one_size_is_searched_at_that_size(painter, judge, bank, mask):
    def one_size(latents):
        return painter(latents)

    network = torch.nn.Module()
    network.forward = one_size
    found = lbfgs_search(judge, bank, coarse_size=None, progress=False).search(torch.zeros(1, 1, 16, 16), mask, network)
    assert found.losses <= found.traces.total[0]
