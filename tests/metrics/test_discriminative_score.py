import pytest
import torch
from scipy.stats import norm

from monai_cardiac_gan.metrics import discriminative_floor, discriminative_score


def normal(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


NAMES = [f"person_{i // 20}" for i in range(2000)]


@pytest.mark.parametrize("shift", [0.0, 0.5, 1.0, 2.0])
def test_shifted_normals_are_told_apart_as_often_as_can_be(shift):
    """The best line lies half-way: error rate Phi(-d / 2); in a pair the wrong order has Phi(-d / sqrt 2)."""
    real = normal(2000, 3)
    generated = normal(2000, 3, seed=1)
    generated[:, 0] += shift
    found = discriminative_score(generated, real, NAMES)
    assert found.unpaired == pytest.approx(norm.cdf(-shift / 2), abs=0.03)
    assert found.paired == pytest.approx(norm.cdf(-shift / 2**0.5), abs=0.03)


def test_what_is_seen_in_pairs_alone_is_seen():
    """A person's brightness hides a small shift from the unpaired score; every pair shows it."""
    real = 100 * normal(2000, 1) + torch.tensor([0.0])
    real = torch.cat([real, normal(2000, 1, seed=1)], 1)
    found = discriminative_score(real - torch.tensor([0.0, 3.0]), real, NAMES)
    assert found.paired == 0
    assert found.unpaired == pytest.approx(norm.cdf(-1.5), abs=0.03)


def test_it_is_not_judged_by_what_it_was_trained_on():
    """Thirty pairs in a hundred dimensions can always be told apart; of people that were not seen it is a guess."""
    scores = [
        discriminative_score(normal(30, 100, seed=i), normal(30, 100, seed=i + 100), [str(n // 6) for n in range(30)])
        for i in range(20)
    ]
    for part in ("unpaired", "paired"):
        assert sum(getattr(score, part) for score in scores) / 20 == pytest.approx(0.5, abs=0.06)


def test_equal_patches_are_a_guess_and_copies_too():
    real = normal(40, 5)
    found = discriminative_score(real, real, [str(n // 10) for n in range(40)])
    assert (found.unpaired, found.paired) == (0.5, 0.5)


def test_the_floor_is_half_whatever_the_people_are_like():
    people = 5 * normal(20, 4).repeat_interleave(20, 0)
    names = [str(n // 20) for n in range(400)]
    found = discriminative_floor(people + normal(400, 4, seed=1), names, repeats=10)
    assert found.unpaired == pytest.approx(0.5, abs=0.05)
    assert found.paired == pytest.approx(0.5, abs=0.06)
    assert found == discriminative_floor(people + normal(400, 4, seed=1), names, repeats=10)


def test_no_pairs_and_a_single_person_are_refused():
    with pytest.raises(
        ValueError, match=r"there are 3 generated and 4 real samples, 4 names of 2 subjects: expected pairs"
    ):
        discriminative_score(torch.zeros(3, 2), torch.zeros(4, 2), ["a", "a", "b", "b"])
    with pytest.raises(ValueError, match=r"4 names of 1 subjects: expected .* two subjects at least"):
        discriminative_score(torch.zeros(4, 2), torch.zeros(4, 2), ["a"] * 4)
    with pytest.raises(ValueError, match="2 names of 1 subjects: expected"):
        discriminative_floor(torch.zeros(4, 2), ["a"] * 4)
