import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from torch import nn

from monai_cardiac_gan.augmentation import DifferentiableAugmentation
from monai_cardiac_gan.engines import WganGpTrainer

MIDDLE = 0.5
MOST_SAFE = 0.8
"""Probability up to which nothing leaks (Karras et al. 2020, ADA, section 2.2)."""


def only(**kinds):
    """An augmentation of which everything is off but what is named."""
    return DifferentiableAugmentation(**({"translation": 0, "cutout": 0, "brightness": 0, "contrast": 0} | kinds))


def numbers(count, **places):
    """Draws in the middle, of which some are given; all kinds are chosen."""
    drawn = torch.full((count, DifferentiableAugmentation.draws), MIDDLE, dtype=torch.float64)
    drawn[:, :3] = 0
    names = {"brightness": 3, "contrast": 4, "down": 5, "right": 6, "row": 7, "column": 8}
    for name, values in places.items():
        drawn[:, names[name]] = torch.as_tensor(values, dtype=torch.float64)
    return drawn


def random_images(count, side=8, channels=1):
    return torch.rand(count, channels, side, side, dtype=torch.float64, generator=torch.Generator().manual_seed(count))


def random_numbers(count, seed=0):
    source = torch.Generator().manual_seed(seed)
    return torch.rand(count, DifferentiableAugmentation.draws, dtype=torch.float64, generator=source)


def step_of(pixels, most):
    """A draw in the middle of those that mean this shift."""
    return (pixels + most + 0.5) / (2 * most + 1)


def moved(image, down, right):
    """The image moved by numpy, its border repeated."""
    most = max(abs(down), abs(right), 1)
    padded = np.roll(np.pad(image, most, mode="edge"), (down, right), (0, 1))
    return padded[most:-most, most:-most]


def test_nothing_happens_with_all_draws_in_the_middle():
    images = random_images(3, 9, channels=2)
    torch.testing.assert_close(only(translation=0.5, brightness=0.7, contrast=1)(images, numbers(3)), images)


@pytest.mark.parametrize("count", [1, 5])
def test_images_that_the_probability_leaves_out_are_the_same(count):
    images, drawn = random_images(count), random_numbers(count)
    assert DifferentiableAugmentation(probability=0)(images, drawn) is images
    drawn[:, :3] = torch.tensor([0.3, 0.31, 0.999])
    torch.testing.assert_close(DifferentiableAugmentation(probability=0.3)(images, drawn), images, rtol=0, atol=1e-15)
    assert (DifferentiableAugmentation(probability=0.4)(images, drawn) - images).abs().max() > 0.01


def test_each_kind_has_its_own_chance():
    images, probability = random_images(1).expand(4000, 1, 8, 8), 0.3
    for kind in ({"brightness": 0.5}, {"translation": 0.5}, {"cutout": 0.5}):
        for seed in (0, 1):
            changed = only(**kind, probability=probability)(images, random_numbers(4000, seed)) != images
            share = changed.flatten(1).any(1).double().mean().item()
            # a shift by no pixel, one in 9 x 9, shows nothing
            expected = probability * (80 / 81 if "translation" in kind else 1)
            assert share == pytest.approx(expected, abs=4 * np.sqrt(0.3 * 0.7 / 4000))


@pytest.mark.parametrize(
    ("place", "kind"), [(0, {"brightness": 0.5, "contrast": 0.5}), (1, {"translation": 0.125}), (2, {"cutout": 0.5})]
)
def test_each_kind_is_chosen_by_a_number_of_its_own(place, kind):
    images, drawn = random_images(4), random_numbers(4)
    drawn[:, :3] = 0.9
    drawn[:, place] = 0.1
    result = DifferentiableAugmentation(probability=0.5)(images, drawn)
    torch.testing.assert_close(result, only(**kind, probability=0.5)(images, drawn), rtol=0, atol=1e-15)
    assert (result - images).abs().max() > 0.1


@given(which=st.integers(0, 4), seed=st.integers(0, 50))
@settings(deadline=None, max_examples=30)
def test_an_image_depends_on_its_own_row_alone(which, seed):
    augment, images, drawn = DifferentiableAugmentation(probability=0.7), random_images(5), random_numbers(5, seed)
    alone = augment(images[which : which + 1], drawn[which : which + 1])
    others = torch.arange(5) != which
    images[others], drawn[others] = random_images(4), random_numbers(4, seed + 1)
    assert torch.equal(augment(images, drawn)[which : which + 1], alone)


def test_the_global_random_state_is_not_used():
    state = torch.get_rng_state()
    DifferentiableAugmentation()(random_images(3), random_numbers(3))
    assert torch.equal(torch.get_rng_state(), state)


@pytest.mark.parametrize("down", [-2, -1, 0, 1, 2])
@pytest.mark.parametrize("right", [-4, 0, 3])
def test_translation_is_a_shift_with_repeated_border(down, right):
    image = np.random.default_rng(0).normal(size=(8, 16))
    drawn = numbers(1, down=step_of(down, 2), right=step_of(right, 4))
    result = only(translation=0.25)(torch.from_numpy(image)[None, None], drawn)[0, 0].numpy()
    np.testing.assert_array_equal(result, moved(image, down, right))


def test_the_ends_of_the_draws_are_the_largest_shifts():
    image = np.random.default_rng(0).normal(size=(8, 8))
    for end, shift in ((0.0, -2), (1 - 1e-9, 2), (1.0, 2)):
        result = only(translation=0.25)(torch.from_numpy(image)[None, None], numbers(1, down=end))[0, 0].numpy()
        np.testing.assert_array_equal(result, moved(image, shift, 0))


@pytest.mark.parametrize("place", ["down", "right"])
def test_each_shift_is_as_likely(place):
    count, most = 5003, 3  # a number that the seven shifts do not divide
    images = torch.arange(24.0, dtype=torch.float64).expand(24, 24)
    images = (images if place == "right" else images.T).expand(count, 1, 24, 24)
    grid = (torch.arange(count, dtype=torch.float64) + 0.5) / count
    result = only(translation=most / 24)(images, numbers(count, **{place: grid}))
    shifts = 12 - result[:, 0, 12, 12]
    values, observed = shifts.unique(return_counts=True)
    assert values.tolist() == list(range(-most, most + 1))
    assert stats.chisquare(observed.numpy()).statistic < 0.02  # a grid has less scatter than chance: one each at most


@pytest.mark.parametrize(("height", "width"), [(8, 8), (8, 16)])
@pytest.mark.parametrize("row", [0.0, 0.03, 0.31, 0.5, 0.77, 0.999])
def test_cutout_sets_exactly_a_rectangle_to_zero(height, width, row):
    share, column = 0.5, 0.4
    images = 1 + torch.rand(1, 2, height, width, dtype=torch.float64)
    result = only(cutout=share)(images, numbers(1, row=row, column=column))
    middles = [np.abs(np.arange(side) + 0.5 - side * at) for side, at in ((height, row), (width, column))]
    mask = (middles[0][:, None] < share * height / 2) & (middles[1] < share * width / 2)
    np.testing.assert_array_equal(result.numpy(), np.where(mask, 0, images.numpy()))


@given(row=st.floats(0.26, 0.74), column=st.floats(0.26, 0.74))
@settings(deadline=None, max_examples=50)
def test_a_square_inside_has_exactly_its_area(row, column):
    nudged = (np.array([row, column]) * 64).round() / 64 + 1 / 128  # no border on the middle of a pixel
    result = only(cutout=0.5)(torch.ones(1, 1, 16, 16), numbers(1, row=nudged[0], column=nudged[1]))
    assert (result == 0).sum() == 8 * 8


@given(brightness=st.floats(0, 2), contrast=st.floats(0, 1), draws=st.tuples(st.floats(0, 1), st.floats(0, 1)))
@settings(deadline=None, max_examples=50)
def test_intensity_by_its_formula(brightness, contrast, draws):
    images = random_images(2, 4, channels=2)
    result = only(brightness=brightness, contrast=contrast)(images, numbers(2, brightness=draws[0], contrast=draws[1]))
    pixels = images.numpy()
    mean = pixels.mean((1, 2, 3), keepdims=True)
    shift, factor = (2 * draws[0] - 1) * brightness, 1 + (2 * draws[1] - 1) * contrast
    np.testing.assert_allclose(result.numpy(), (pixels - mean) * factor + mean + shift, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_gradients_agree_with_finite_differences(seed):
    images = random_images(2, 4).requires_grad_()
    drawn = random_numbers(2, seed)
    assert torch.autograd.gradcheck(lambda pixels: DifferentiableAugmentation()(pixels, drawn), images)
    assert torch.autograd.gradgradcheck(lambda pixels: DifferentiableAugmentation()(pixels, drawn), images)


@given(seed=st.integers(0, 10_000))
@settings(deadline=None, max_examples=50)
def test_nothing_is_ever_flipped(seed):
    ramps = torch.stack(torch.meshgrid(torch.arange(16.0), torch.arange(16.0), indexing="ij")).double()[:, None]
    augment = DifferentiableAugmentation(translation=0.25, cutout=0, brightness=0.5, contrast=0.9)
    down, right = augment(ramps, random_numbers(2, seed))[:, 0]
    assert down.diff(dim=0).min() >= 0
    assert right.diff(dim=1).min() >= 0
    assert torch.stack([down[-1, 0] - down[0, 0], right[0, -1] - right[0, 0]]).min() > 1


def smallest_singular_value(side, probability):
    """Of the matrix of chances that a column of pixels, bright at one place, is seen as this or that column."""
    most, repeats = side // 8, 20
    steps = [step_of(shift, most) for shift in range(-most, most + 1)]
    drawn = numbers(len(steps) * repeats, down=np.repeat(steps, repeats))
    drawn[:, 1] = (torch.arange(repeats).repeat(len(steps)) + 0.5) / repeats  # whether a column moves
    augment, columns = only(translation=0.125, probability=probability), torch.eye(side)
    seen = [augment(column.expand(len(drawn), 1, side).mT[:, None], drawn)[:, 0, :, 0] for column in columns[:, None]]
    kinds, which = torch.cat(seen).unique(dim=0, return_inverse=True)
    chances = np.stack([np.bincount(row, minlength=len(kinds)) / len(drawn) for row in which.numpy().reshape(side, -1)])
    return np.linalg.svd(chances, compute_uv=False)[-1]


def flattest_share(most):
    """Least value of the Dirichlet kernel, the share in which a shift by up to `most` pixels passes a wave on."""
    waves = np.linspace(0, np.pi, 10_001)
    return ((1 + 2 * np.cos(np.outer(np.arange(1, most + 1), waves)).sum(0)) / (2 * most + 1)).min()


@pytest.mark.parametrize(
    ("side", "probability"), [(8, 0.1), (8, 0.4), (8, 0.7), (16, 0.7), (32, 0.1), (32, 0.4), (32, 0.6), (32, MOST_SAFE)]
)
def test_translation_can_be_undone_in_distribution(side, probability):
    """A wave keeps at least this share of its size, so that no two distributions of places look alike."""
    share = 1 - probability + probability * flattest_share(side // 8)
    assert share > 0.01
    assert smallest_singular_value(side, probability) > share


def test_translation_of_all_images_cannot_be_undone():
    assert smallest_singular_value(32, 1.0) < 1e-3


@pytest.mark.parametrize(("most", "limit"), [(1, 0.75), (2, 0.80), (16, 0.82)])
def test_the_limits_of_the_docstring(most, limit):
    assert 1 / (1 - flattest_share(most)) == pytest.approx(limit, abs=0.005)


class LevelAndSpread(nn.Module):
    """Paints plain images of one learnt level with a learnt spread."""

    def __init__(self):
        super().__init__()
        self.level, self.spread = nn.Parameter(torch.tensor(-0.2)), nn.Parameter(torch.tensor(0.5))

    def forward(self, latents):
        return (self.level + self.spread * latents[:, :1])[:, :, None, None].expand(-1, 1, 2, 2)


def test_a_generator_learns_the_reals_and_not_their_augmentation():
    """The median over epochs, for it still oscillates: over 50 seeds at most 0.027 off the level, a spread of at most 0.053."""
    level, spread, batches, size = 0.3, 0.05, 16, 64
    reals = level + spread * torch.randn(batches, size, 1, 1, 1).expand(-1, -1, 1, 2, 2)
    generator = LevelAndSpread()
    critic = nn.Sequential(
        *[nn.Conv2d(1, 32, 2), nn.LeakyReLU(0.2), nn.Conv2d(32, 32, 1), nn.LeakyReLU(0.2), nn.Conv2d(32, 1, 1)]
    )
    levels = []
    trainer = WganGpTrainer(
        device="cpu",
        max_epochs=14,
        train_data_loader=list(reals),
        generator=generator,
        critic=critic,
        generator_optimizer=torch.optim.Adam(generator.parameters(), 2e-2, betas=(0.0, 0.9)),
        critic_optimizer=torch.optim.Adam(critic.parameters(), 1e-2, betas=(0.0, 0.9)),
        latent_size=1,
        n_critic=2,
        augment=only(brightness=0.5, probability=MOST_SAFE),
    )
    follow = [generator.level, generator.spread]
    trainer.add_event_handler("EPOCH_COMPLETED", lambda _: levels.append([parameter.item() for parameter in follow]))
    trainer.run()
    settled = np.array(levels[7:])
    augmented_spread = np.sqrt(spread**2 + MOST_SAFE * 0.5**2 / 3)
    assert augmented_spread == pytest.approx(0.263, abs=1e-3)
    assert settled[:, 0].mean() == pytest.approx(level, abs=0.05)
    assert np.median(np.abs(settled[:, 1])) < augmented_spread / 3


def test_the_probability_is_saved():
    source, target = DifferentiableAugmentation(probability=0.25), DifferentiableAugmentation()
    target.load_state_dict(source.state_dict())
    assert target.probability == 0.25


@pytest.mark.parametrize("name", ["translation", "cutout", "contrast", "probability"])
@pytest.mark.parametrize("value", [-0.1, 1.1, float("nan")])
def test_shares_out_of_range_are_refused(name, value):
    with pytest.raises(ValueError, match=rf"{name} is {value}, expected 0 to 1: give it as a share"):
        DifferentiableAugmentation(**{name: value})


@pytest.mark.parametrize("value", [-0.1, float("nan")])
def test_negative_brightness_is_refused(value):
    with pytest.raises(ValueError, match=rf"brightness is {value}, expected 0 or more: give half the range"):
        DifferentiableAugmentation(brightness=value)


@pytest.mark.parametrize("shape", [(3, 9), (2, 8), (2,), (2, 9, 1)])
@pytest.mark.parametrize("probability", [0, 1])
def test_numbers_of_another_shape_are_refused(shape, probability):
    with pytest.raises(ValueError, match=r"uniforms are \[.*\], expected \[2, 9\]: draw that many per image"):
        DifferentiableAugmentation(probability=probability)(torch.zeros(2, 1, 8, 8), torch.zeros(shape))
