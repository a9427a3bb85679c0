"""One law for every adversarial loss: which way critic and generator push the scores, and what it looks at."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import monai_cardiac_gan.losses as room

OTHERS = {"InpaintingLoss", "AdversarialLoss"}
"""The loss of a search, and the protocol."""
LOSSES = sorted(
    (kind for name, kind in vars(room).items() if name.endswith("Loss") and name not in OTHERS),
    key=lambda kind: kind.__name__,
)
FLATTEST = 0.19
"""Scores in [-0.5, 0.5] that are moved by up to 0.4 stay within the hinge's margin, where its slope is 1, and differ by at
most 1.4, where the slope of softplus is 0.198."""

far = st.floats(-100, 100)
near = st.floats(-0.5, 0.5)
step = st.floats(0.1, 0.4)


def pairs(scores):
    return st.lists(st.tuples(scores, scores), min_size=1, max_size=12).map(
        lambda rows: torch.tensor(rows, dtype=torch.float64).unbind(1)
    )


def test_all_losses_were_found():
    assert [kind.__name__ for kind in LOSSES] == ["HingeLoss", "RelativisticLoss", "WassersteinLoss"]


@pytest.mark.parametrize("kind", LOSSES)
@given(scores=pairs(near), rise=step)
@settings(deadline=None, max_examples=40)
def test_the_critic_wins_where_reals_score_higher_or_fakes_lower(kind, scores, rise):
    reals, fakes = scores
    loss, before = kind().critic, kind().critic(reals, fakes)
    assert loss(reals + rise, fakes) < before - FLATTEST * rise
    assert loss(reals, fakes - rise) < before - FLATTEST * rise


@pytest.mark.parametrize("kind", LOSSES)
@given(scores=pairs(near), rise=step)
@settings(deadline=None, max_examples=40)
def test_the_generator_wins_where_fakes_score_higher(kind, scores, rise):
    reals, fakes = scores
    assert kind().generator(fakes + rise, reals) < kind().generator(fakes, reals) - FLATTEST * rise


@pytest.mark.parametrize("kind", LOSSES)
@given(scores=pairs(far), rise=st.floats(0, 100), which=st.integers(0, 11))
@settings(deadline=None, max_examples=40)
def test_no_single_score_ever_pulls_the_other_way(kind, scores, rise, which):
    reals, fakes = scores
    moved = torch.zeros_like(reals)
    moved[which % len(moved)] = rise
    loss, rounding = kind(), 1e-9
    assert loss.critic(reals + moved, fakes) <= loss.critic(reals, fakes) + rounding
    assert loss.critic(reals, fakes - moved) <= loss.critic(reals, fakes) + rounding
    assert loss.generator(fakes + moved, reals) <= loss.generator(fakes, reals) + rounding


@pytest.mark.parametrize("kind", LOSSES)
@given(scores=pairs(far), data=st.data())
@settings(deadline=None, max_examples=40)
def test_the_order_of_the_pairs_does_not_matter(kind, scores, data):
    reals, fakes = scores
    order = data.draw(st.permutations(range(len(reals))))
    loss = kind()
    torch.testing.assert_close(loss.critic(reals[order], fakes[order]), loss.critic(reals, fakes))
    torch.testing.assert_close(loss.generator(fakes[order], reals[order]), loss.generator(fakes, reals))


@pytest.mark.parametrize("kind", LOSSES)
@given(scores=pairs(near), rise=step)
@settings(deadline=None, max_examples=40)
def test_reals_are_needed_exactly_where_the_generator_looks_at_them(kind, scores, rise):
    reals, fakes = scores
    change = kind().generator(fakes, reals + rise) - kind().generator(fakes, reals)
    assert (change.abs().item() > 0.01) is kind.needs_reals
    assert change.item() == 0 or kind.needs_reals


@pytest.mark.parametrize("kind", LOSSES)
def test_the_generator_can_do_without_reals_exactly_where_they_are_not_needed(kind):
    fakes = torch.tensor([0.25, 0.5])
    if kind.needs_reals:
        with pytest.raises(ValueError, match="real_scores None and fake_scores"):
            kind().generator(fakes)
    else:
        assert kind().generator(fakes) == kind().generator(fakes, torch.zeros(2))
