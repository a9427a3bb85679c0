import json

import numpy as np
import pytest
import torch
from monai.bundle import ConfigParser
from monai.data import MetaTensor
from torch import nn

from monai_cardiac_gan.inferers import LatentInpaintingInferer, gradient_descent_search, square_mask
from monai_cardiac_gan.inferers.latent_optimizer import evenly_spaced
from monai_cardiac_gan.inferers.traces import StopReason

SIDE, LATENT = 16, 6
MASK = square_mask(5, shape=(SIDE, SIDE))[None, None]


class Linear(nn.Module):
    """G(z) = A z, or tanh(A z): smooth columns of about one third each."""

    def __init__(self, squash: bool = False) -> None:
        super().__init__()
        source = torch.Generator().manual_seed(1)
        self.weight = nn.Parameter(0.2 * torch.randn(SIDE * SIDE, LATENT, generator=source))
        self.dropout = nn.Dropout(0.5)  # any slip out of evaluation mode shows
        self.squash = squash

    def forward(self, latents: torch.Tensor) -> torch.Tensor:
        images = self.dropout(latents @ self.weight.to(latents.dtype).T).reshape(-1, 1, SIDE, SIDE)
        return images.tanh() if self.squash else images


class Critic(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.normalise = nn.BatchNorm2d(1)
        self.weight = nn.Parameter(torch.linspace(-0.1, 0.1, SIDE * SIDE))

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return self.normalise(images).flatten(1) @ self.weight


@pytest.fixture(autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def inferer(**settings):
    usual = {
        "critic": Critic(), "latent_size": LATENT, "start_batches": 3, "start_batch_size": 7, "iterations": 20,
        "step_size": 0.05, "perceptual_weight": 0.1, "snapshots": 5, "progress": False,
    }  # fmt: skip
    return gradient_descent_search(**(usual | settings))


def patches(count: int, seed: int = 3) -> torch.Tensor:
    return torch.rand(count, 1, SIDE, SIDE, generator=torch.Generator().manual_seed(seed)) * 1.6 - 0.8


def critic_of(search: LatentInpaintingInferer) -> nn.Module:
    return search.loss.networks()[0]


def start_latents(search: LatentInpaintingInferer) -> torch.Tensor:
    source = torch.Generator().manual_seed(search.seed)
    return torch.cat([torch.randn(7, LATENT, generator=source) for _ in range(3)])


@pytest.mark.parametrize("squash", [False, True])
@pytest.mark.parametrize(("optimiser", "step"), [("sgd", 0.02), ("adam", 0.01)])
def test_an_image_that_the_generator_makes_is_found_also_inside_the_mask(squash, optimiser, step):
    network = Linear(squash).eval()
    truth = 0.5 * torch.randn(2, LATENT, generator=torch.Generator().manual_seed(5))
    targets = network(truth).detach()
    search = inferer(perceptual_weight=0.0, iterations=1500, step_size=step, optimiser=optimiser, starts=2)
    result = search.search(targets.clamp(-1, 1), MASK, network)
    assert result.losses.max() < 0.02
    torch.testing.assert_close(result.latents, truth[:, None].expand_as(result.latents), rtol=0, atol=0.08)
    torch.testing.assert_close(result.best_inpainted(), targets, rtol=0, atol=0.08)


def test_the_starts_are_the_lowest_of_all_candidates():
    network, search, inputs = Linear(), inferer(starts=3, iterations=0), patches(4)
    result = search.search(inputs, MASK, network)
    images = (start_latents(search) @ network.weight.detach().T).reshape(-1, SIDE, SIDE).numpy()
    known = ~MASK[0, 0].numpy()
    losses = np.array([[np.abs(image - patch)[known].mean() for image in images] for patch in inputs[:, 0].numpy()])
    order = losses.argsort(1)[:, :3]
    starts = result.initial_images
    assert starts.count == 21
    np.testing.assert_array_equal(starts.chosen_indices, order)
    np.testing.assert_allclose(starts.chosen_losses, np.take_along_axis(losses, order, 1), rtol=1e-5)
    np.testing.assert_allclose(starts.tried_losses, losses[:, :7], rtol=1e-5)
    np.testing.assert_allclose(starts.tried[0, :, 0], images[:7], atol=1e-6)
    np.testing.assert_allclose(starts.chosen[:, :, 0], images[order], atol=1e-6)
    torch.testing.assert_close(result.latents, start_latents(search)[torch.tensor(order)])


def test_first_losses_equal_numpy():
    network, search, inputs = Linear(), inferer(), patches(2)
    result = search.search(inputs, MASK, network)
    images = result.initial_images.chosen[:, 0, 0].numpy()
    contextual = [np.abs(i - p)[~MASK[0, 0].numpy()].mean() for i, p in zip(images, inputs[:, 0].numpy(), strict=True)]
    weights = critic_of(search).weight.detach().numpy()
    perceptual = -images.reshape(2, -1) @ weights / np.sqrt(1 + 1e-5)  # batch normalisation's initial statistics
    np.testing.assert_allclose(result.traces.terms["contextual"][0, :, 0], contextual, rtol=1e-5)
    np.testing.assert_allclose(result.traces.terms["perceptual"][0, :, 0], perceptual, rtol=1e-4, atol=1e-6)
    expected = np.array(contextual) + 0.1 * perceptual
    np.testing.assert_allclose(result.traces.total[0, :, 0], expected, rtol=1e-4, atol=1e-6)


def test_a_step_goes_down_the_gradient_worked_out_by_hand():
    network, search = Linear(), inferer(iterations=1, step_size=0.03)
    result = search.search(patches(1), MASK, network)
    start = start_latents(search)[result.initial_images.chosen_indices[0, 0]].numpy()
    A, known = network.weight.detach().numpy(), ~MASK.numpy().reshape(-1)
    signs = np.where(known, np.sign(A @ start - result.patches.numpy().reshape(-1)), 0.0) / known.sum()
    slope = A.T @ (signs - 0.1 * critic_of(search).weight.detach().numpy() / np.sqrt(1 + 1e-5))
    assert result.traces.total[1, 0, 0] < result.traces.total[0, 0, 0]
    np.testing.assert_allclose(result.latents[0, 0], start - 0.03 * slope, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("optimiser", ["sgd", "adam"])
def test_a_batch_gives_what_its_patches_give_one_by_one(optimiser):
    network, search, inputs = Linear(squash=True), inferer(starts=2, optimiser=optimiser), patches(3)
    masks = torch.cat([square_mask(5, (6 + n, 7), (SIDE, SIDE))[None, None] for n in range(3)])
    together = search.search(inputs, masks, network)
    for n in range(3):
        alone = search.search(inputs[n : n + 1], masks[n : n + 1], network)
        torch.testing.assert_close(alone.latents[0], together.latents[n], rtol=1e-4, atol=1e-5)
        torch.testing.assert_close(alone.traces.total[:, 0], together.traces.total[:, n], rtol=1e-4, atol=1e-5)
        torch.testing.assert_close(alone.inpainted[0], together.inpainted[n], rtol=1e-4, atol=1e-5)


def test_known_pixels_stay_bit_by_bit_and_hidden_ones_are_generated():
    network, search, inputs = Linear(), inferer(starts=2), patches(3)
    result = search.search(inputs, MASK, network)
    outside = ~MASK.expand(3, 1, SIDE, SIDE)
    for start in range(2):
        assert torch.equal(result.inpainted[:, start][outside], inputs[outside])
        assert torch.equal(result.inpainted[:, start][~outside], result.generated[:, start][~outside])
    painted = search(inputs, network, MASK)
    assert torch.equal(painted, result.inpainted[torch.arange(3), result.losses.argmin(1)])


def test_what_is_hidden_does_not_matter():
    network, search, inputs = Linear(), inferer(), patches(2)
    other = torch.where(MASK, -inputs, inputs)
    assert torch.equal(search.search(inputs, MASK, network).generated, search.search(other, MASK, network).generated)


def test_the_best_iterate_is_returned_even_when_the_steps_are_too_long():
    result = inferer(step_size=30.0, iterations=9).search(patches(4), MASK, Linear())
    assert (result.losses <= result.traces.total[0]).all()
    torch.testing.assert_close(result.losses, result.traces.total.min(0).values)
    assert torch.equal(result.best(), result.losses.argmin(1))


def test_traces_and_snapshots_have_their_shapes_and_are_evenly_spaced():
    network = Linear()
    result = inferer(starts=2, snapshots=5).search(patches(3), MASK, network)
    assert {trace.shape for trace in [*result.traces.terms.values(), result.traces.total]} == {(21, 3, 2)}
    assert (result.evaluations == 21).all()
    assert result.stops == ((StopReason.ITERATIONS,) * 2,) * 3
    assert result.snapshot_iterations.tolist() == [0, 5, 10, 15, 20]
    assert result.snapshots.shape == (5, 3, SIDE, SIDE)
    starts = result.initial_images.chosen[torch.arange(3), result.best(), 0]
    expected = ((starts.clamp(-1, 1) + 1) * 127.5).round().to(torch.uint8)
    assert torch.equal(result.snapshots[0], expected)


@pytest.mark.parametrize(("iterations", "count", "expected"), [(8000, 100, 100), (3, 100, 4), (0, 2, 1), (10, 4, 4)])
def test_snapshot_iterations(iterations, count, expected):
    kept = evenly_spaced(iterations, count)
    assert len(set(kept.tolist())) == len(kept) == expected
    assert (kept[0], kept[-1]) == (0, iterations)
    assert np.ptp(np.diff(kept)) <= 1 if len(kept) > 1 else True


@pytest.mark.parametrize("mode", [torch.no_grad, torch.inference_mode])
def test_parameters_and_flags_are_as_before(mode):
    network, search = Linear().train(), inferer()
    network.weight.requires_grad_(False)
    critic_of(search).normalise.eval()
    before = [value.clone() for part in (network, critic_of(search)) for value in part.state_dict().values()]
    with mode():
        result = search.search(patches(2), MASK, network)
    after = [value for part in (network, critic_of(search)) for value in part.state_dict().values()]
    assert all(map(torch.equal, before, after))
    assert (network.training, network.dropout.training) == (True, True)
    assert (critic_of(search).training, critic_of(search).normalise.training) == (True, False)
    assert (network.weight.requires_grad, critic_of(search).weight.requires_grad) == (False, True)
    assert critic_of(search).weight.grad is None
    assert not result.latents.requires_grad


def test_flags_are_restored_after_an_error():
    class Broken(Linear):
        def forward(self, latents):
            raise RuntimeError("broken")

    network = Broken().train()
    with pytest.raises(RuntimeError, match="broken"):
        inferer().search(patches(1), MASK, network)
    assert network.training
    assert network.weight.requires_grad


def test_same_seed_same_result_whatever_torch_drew_before():
    results = []
    for seed in (4, 4, 5):
        torch.rand(seed)
        results.append(inferer(seed=seed).search(patches(2), MASK, Linear()))
    assert torch.equal(results[0].latents, results[1].latents)
    assert torch.equal(results[0].snapshots, results[1].snapshots)
    assert not torch.equal(results[0].initial_images.tried, results[2].initial_images.tried)
    assert [result.seed for result in results] == [4, 4, 5]


def test_metatensors_and_a_missing_mask():
    inputs = torch.zeros(1, 1, 32, 32)
    network = nn.Sequential(nn.Linear(LATENT, 1024), nn.Unflatten(1, (1, 32, 32)))
    search = inferer(critic=nn.Sequential(nn.Flatten(), nn.Linear(1024, 1), nn.Flatten(0)), iterations=2)
    result = search.search(MetaTensor(inputs), None, network)
    assert type(result.patches) is torch.Tensor
    assert torch.equal(result.masks[0, 0], square_mask(shape=(32, 32)))


def test_lost_searches_are_reported_and_their_start_returned():
    search = inferer(step_size=1e30, iterations=4, latent_size=1, seed=2)
    with pytest.warns(RuntimeWarning, match="1 of 1 searches left the finite numbers.*make step_size smaller"):
        result = search.search(torch.ones(1, 1, SIDE, SIDE), MASK, Growing())
    assert torch.isfinite(result.losses).all()


class Growing(nn.Module):
    """Squares its latent: a search with a huge step leaves the range of float32."""

    def forward(self, latents):
        return latents.square().sum(1).reshape(-1, 1, 1, 1).expand(-1, 1, SIDE, SIDE)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"latent_size": 0}, "latent_size is 0: expected at least 1"),
        ({"start_batches": 0}, "start_batches is 0: expected at least 1"),
        ({"start_batch_size": 0}, "start_batch_size is 0: expected at least 1"),
        ({"iterations": -1}, "iterations is -1: expected at least 0"),
        ({"starts": 22}, "starts is 22: expected 1 to 21"),
        ({"starts": 0}, "starts is 0: expected 1 to 21"),
        ({"snapshots": 1}, "snapshots is 1: expected at least 2"),
        ({"autocast": "float16"}, "autocast is 'float16', .*: take 'bfloat16'"),
        ({"optimiser": "lbfgs"}, "optimiser is 'lbfgs': expected one of sgd, adam"),
        ({"step_size": 0.0}, "step_size is 0.0: expected a finite step above 0"),
        ({"perceptual_weight": -1.0}, "'perceptual': -1.0.*: expected at least one term"),
    ],
)
def test_settings_that_make_no_sense_are_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        inferer(**settings)


def test_networks_of_the_wrong_shape_are_refused():
    with pytest.raises(
        ValueError, match=r"generator makes images \(7, 1, 4, 9\) of 7 latents: expected \(7, 1, 16, 16\)"
    ):
        inferer().search(patches(1), MASK, nn.Sequential(nn.Linear(LATENT, 36), nn.Unflatten(1, (1, 4, 9))))
    with pytest.raises(ValueError, match=r"critic gives scores \(2, 256\) for 2 images: expected \(2,\)"):
        inferer(critic=nn.Flatten()).search(patches(2), MASK, Linear())


def test_a_generator_of_nan_is_refused():
    network = Linear()
    network.weight.data.fill_(torch.nan)
    with pytest.raises(ValueError, match="generator gives NaN or infinity for some starts: check the weights"):
        inferer().search(patches(1), MASK, network)


def test_a_bundle_can_configure_it():
    config = {
        "inferer": {
            "_target_": "monai_cardiac_gan.inferers.LatentInpaintingInferer",
            "loss": {
                "_target_": "monai_cardiac_gan.losses.InpaintingLoss",
                "terms": {
                    "contextual": {"_target_": "monai_cardiac_gan.losses.MaskedL2"},
                    "prior": {"_target_": "monai_cardiac_gan.losses.LatentNormPrior"},
                },
                "weights": {"prior": 0.1},
            },
            "initializer": {"_target_": "monai_cardiac_gan.inferers.RandomInitializer"},
            "optimizer": {"_target_": "monai_cardiac_gan.inferers.BatchedLBFGS", "evaluations": 30},
            "starts": 5,
        }
    }
    parser = ConfigParser(json.loads(json.dumps(config)))
    made = parser.get_parsed_content("inferer")
    assert isinstance(made, LatentInpaintingInferer)
    assert (made.starts, made.optimizer.evaluations, made.initializer.count) == (5, 30, 980)
    assert made.loss.weights == {"contextual": 1.0, "prior": 0.1}


def test_padding_is_not_searched_for_whatever_it_holds():
    network, inputs = Linear(), patches(2)
    valid = torch.ones(2, 1, SIDE, SIDE, dtype=torch.bool)
    valid[0, 0, :4] = valid[1, 0, :, -3:] = False
    search = inferer(perceptual_weight=0.0, starts=2)
    found = [search.search(torch.where(valid, inputs, padding), MASK, network, valid=valid) for padding in (-1.0, 0.7)]
    torch.testing.assert_close(found[0].latents, found[1].latents, rtol=0, atol=0)
    seen = search.search(torch.where(valid, inputs, 0.7), MASK, network)
    assert (seen.latents - found[1].latents).abs().max() > 0.01
    called = search(torch.where(valid, inputs, 0.7), network, MASK, valid)
    assert torch.equal(called, found[1].best_inpainted())
    assert not torch.equal(called, seen.best_inpainted())
    hidden = MASK.expand_as(valid)
    assert torch.equal(found[1].inpainted[:, 0][~hidden], torch.where(valid, inputs, 0.7)[~hidden])


def test_a_step_with_padding_goes_down_the_gradient_of_what_is_valid():
    network, search = Linear(), inferer(perceptual_weight=0.0, iterations=1, step_size=0.03)
    valid = torch.ones(1, 1, SIDE, SIDE, dtype=torch.bool)
    valid[..., :5] = False
    result = search.search(patches(1), MASK, network, valid=valid)
    start = start_latents(search)[result.initial_images.chosen_indices[0, 0]].numpy()
    A, known = network.weight.detach().numpy(), (~MASK).numpy().reshape(-1)
    inside = known & valid.numpy().reshape(-1)
    signs = np.where(inside, np.sign(A @ start - result.patches.numpy().reshape(-1)), 0.0) / known.sum()
    np.testing.assert_allclose(result.latents[0, 0], start - 0.03 * A.T @ signs, rtol=1e-5, atol=1e-6)


def test_no_padding_costs_nothing():
    network, search, inputs = Linear(), inferer(), patches(2)
    every = search.search(inputs, MASK, network, valid=torch.ones_like(inputs, dtype=torch.bool))
    torch.testing.assert_close(every.latents, search.search(inputs, MASK, network).latents, rtol=0, atol=0)


def test_masks_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match=r"the valid pixels are torch.float32 \(2, 1, .*: expected bool"):
        inferer().search(patches(2), MASK, Linear(), valid=torch.ones_like(patches(2)))
