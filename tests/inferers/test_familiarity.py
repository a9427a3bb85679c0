import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from monai_cardiac_gan.inferers import Familiarity, familiarity, textures_of
from monai_cardiac_gan.networks import load_network

SIZE = 5


def subjects(count=20, patches=12, seed=0, size=SIZE):
    """Each subject has a mean of its own; its patches lie around it, correlated."""
    source = np.random.default_rng(seed)
    mix = source.normal(size=(size, size))
    draw = lambda: 2 * source.normal(size=size) + 1 + source.normal(size=(patches, size)) @ mix  # noqa: E731
    return {f"s{number}": torch.from_numpy(draw()) for number in range(count)}


def fitted(textures):
    known = Familiarity(next(iter(textures.values())).shape[1])
    return known, known.fit(textures)


class MeanAndRange(nn.Module):
    """Describes a patch by two numbers of its valid pixels."""

    def __init__(self, gain=1.0):
        super().__init__()
        self.gain = nn.Parameter(torch.tensor(gain))

    def texture(self, images, valid):
        assert not self.training
        pixels = [image[inside] for image, inside in zip(images, valid, strict=True)]
        return self.gain * torch.stack([torch.stack([each.mean(), each.max() - each.min()]) for each in pixels])


def test_distance_is_that_of_a_gaussian_with_both_covariances():
    known, _ = fitted(textures := subjects())
    means = np.array([each.mean(0).numpy() for each in textures.values()])
    within = np.mean([np.cov(each.numpy().T) for each in textures.values()], axis=0)
    scan = subjects(1, patches=7, seed=5)["s0"]

    def shrunk(square):
        return np.where(np.eye(SIZE, dtype=bool), square, (1 - familiarity.SHRINKAGE) * square)

    away = scan.mean(0).numpy() - means.mean(0)
    square = away @ np.linalg.inv(shrunk(np.cov(means.T)) + shrunk(within) / 7) @ away / SIZE
    rated = known.rate(scan)
    assert rated.distance == pytest.approx(np.sqrt(square), rel=1e-4)
    assert rated.score == pytest.approx(rated.limit / (rated.limit + np.sqrt(square)), rel=1e-4)
    assert rated.patches == 7


@pytest.mark.parametrize("name", ["s0", "s13"])
def test_a_left_out_subject_lies_where_a_reference_without_it_sees_it(name):
    textures = subjects()
    _, left_out = fitted(textures)
    without, _ = fitted({other: each for other, each in textures.items() if other != name})
    assert without.rate(textures[name]).distance == pytest.approx(left_out[name], rel=1e-4)


def test_the_farthest_left_out_subject_is_the_limit_and_scores_one_half():
    known, left_out = fitted(subjects())
    assert float(known.limit) == max(left_out.values())
    scan = subjects(1, seed=9)["s0"]
    middle = known.mean.double()
    deviation = scan - scan.mean(0)
    along = torch.ones(SIZE, dtype=torch.float64)
    unit = known.rate(middle + deviation + along).distance
    at_limit = known.rate(middle + deviation + along * float(known.limit) / unit)
    assert at_limit.score == pytest.approx(0.5, abs=1e-5)
    nearer, farther = (
        known.rate(middle + deviation + factor * along / unit * float(known.limit)) for factor in (0.99, 1.01)
    )
    assert nearer.is_familiar
    assert not farther.is_familiar
    assert nearer.score > 0.5 > farther.score
    assert known.rate(middle + deviation).score == pytest.approx(1.0, abs=1e-4)


def test_new_subjects_of_the_same_kind_are_rarely_unfamiliar():
    """At most one in K + 1, whatever they are described by: here 1 in 31, with three standard deviations of 600 draws."""
    unfamiliar = []
    for seed in range(20):
        drawn = subjects(60, seed=seed)
        names = list(drawn)
        known, _ = fitted({name: drawn[name] for name in names[:30]})
        unfamiliar += [not known.rate(drawn[name]).is_familiar for name in names[30:]]
    assert np.mean(unfamiliar) < 1 / 31 + 3 * np.sqrt(1 / 31 / len(unfamiliar))


def test_few_patches_do_not_make_a_scan_unfamiliar():
    """The mean of two patches strays farther than that of twelve, and is forgiven as much."""
    known, _ = fitted(subjects())
    drawn = subjects(300, seed=0).values()  # the same covariance as the reference
    few, many = (np.mean([known.rate(each[:count]).distance ** 2 for each in drawn]) for count in (2, 12))
    assert few == pytest.approx(many, rel=0.2)


@settings(max_examples=20, deadline=None)
@given(st.lists(st.floats(0.5, 2.0), min_size=SIZE, max_size=SIZE), st.floats(-5, 5))
def test_units_of_the_textures_do_not_matter(scales, shift):
    factor = torch.tensor(scales, dtype=torch.float64)
    textures, scan = subjects(), subjects(1, seed=3)["s0"]
    plain, _ = fitted(textures)
    scaled, _ = fitted({name: factor * each + shift for name, each in textures.items()})
    assert scaled.rate(factor * scan + shift).distance == pytest.approx(plain.rate(scan).distance, rel=1e-3)


def test_what_was_learnt_is_saved_and_loaded_as_weights(tmp_path):
    known, _ = fitted(subjects())
    torch.save(known.state_dict(), tmp_path / "familiarity.pt")
    loaded = load_network(Familiarity(SIZE), str(tmp_path / "familiarity.pt"))
    scan = subjects(1, seed=3)["s0"]
    assert loaded.rate(scan) == known.rate(scan)


def test_only_pixels_inside_the_field_of_view_are_described():
    patches, valid = torch.full((3, 1, 4, 4), -1.0), torch.zeros(3, 1, 4, 4, dtype=torch.bool)
    patches[..., :2, :] = torch.tensor([0.5, 0.25, 0.5, 0.25])
    valid[..., :2, :] = True
    network = MeanAndRange().train()
    torch.testing.assert_close(textures_of(patches, valid, network), torch.tensor([[0.375, 0.25]] * 3))
    assert network.training


def test_patches_are_rated_by_the_network_that_the_reference_was_learnt_with():
    network, source = MeanAndRange(), torch.Generator().manual_seed(0)
    draw = lambda gain: gain * torch.rand(6, 1, 8, 8, generator=source)  # noqa: E731
    valid = torch.ones(6, 1, 8, 8, dtype=torch.bool)
    known = Familiarity(2)
    known.fit({str(number): textures_of(draw(0.9 + 0.01 * number), valid, network) for number in range(12)})
    known.belong_to(network)
    assert known.rate_patches(draw(0.95), valid, network).is_familiar
    assert not known.rate_patches(1 - draw(0.3), valid, network).is_familiar
    with pytest.raises(ValueError, match=r"learnt with other weights than those of this MeanAndRange: learn it again"):
        known.rate_patches(draw(0.95), valid, MeanAndRange(gain=1.1))


@pytest.mark.parametrize(
    ("textures", "message"),
    [
        (subjects(7), r"7 subjects with 12 patches and more: expected at least 8 subjects with 2 patches"),
        (subjects(9, patches=1), r"9 subjects with 1 patches and more"),
        (subjects(9, size=4), r"textures are \(12, 4\): expected \(n, 5\)"),
    ],
)
def test_a_reference_of_too_few_is_refused(textures, message):
    with pytest.raises(ValueError, match=message):
        Familiarity(SIZE).fit(textures)


def test_nothing_is_rated_before_something_is_known_or_without_patches():
    with pytest.raises(ValueError, match="nothing is known yet: fit it, or load"):
        Familiarity(SIZE).rate(torch.zeros(3, SIZE))
    known, _ = fitted(subjects())
    with pytest.raises(ValueError, match=r"textures are \(0, 5\): expected \(n, 5\) of at least one patch"):
        known.rate(torch.zeros(0, SIZE))
    with pytest.raises(ValueError, match=r"size is 0: expected at least 1"):
        Familiarity(0)
