import numpy as np
import pytest

from monai_cardiac_gan.aorta.identify import most_aortic
from monai_cardiac_gan.aorta.tubes import Tube


def tube(x, y, total, radius=11.0):
    return Tube(np.arange(10), np.tile([float(x), float(y)], (10, 1)), np.full(10, radius), np.full(10, 0.9), total)


def test_a_single_tube_has_no_rival():
    only = tube(50, 50, 20.0)
    assert most_aortic([only]) == (only, 1.0)


def test_two_tubes_at_one_place_are_told_apart_by_their_totals():
    chosen, certainty = most_aortic([tube(50, 50, 10.0), tube(50, 50, 30.0)])
    assert chosen.total == 30.0
    assert certainty == pytest.approx(0.75)


def test_the_ascending_aorta_and_the_vena_cava_lose_to_an_equal_tube_behind_and_to_the_left():
    descending, ascending, cava = tube(60, 60, 30.0), tube(70, 130, 30.0), tube(120, 75, 30.0)
    assert most_aortic([ascending, cava, descending])[0] is descending


def test_scraps_are_no_landmarks():
    aorta, scrap = tube(90, 60, 40.0), tube(0, 0, 2.0)
    assert most_aortic([aorta, scrap]) == (aorta, 1.0)


def test_the_spinal_canal_loses_to_a_wider_tube_in_front_of_it_and_to_its_left():
    """Both at their usual places, and the canal twice as clear: late enhancement may show its cord like a vessel."""
    aorta, canal = tube(60, 90, 15.0, radius=12.0), tube(85, 55, 30.0, radius=9.0)
    chosen, certainty = most_aortic([canal, aorta])
    assert chosen is aorta
    assert certainty > 0.6


def test_a_narrower_vessel_in_front_does_not_make_a_canal_of_the_aorta():
    aorta, vein = tube(85, 55, 30.0, radius=11.0), tube(60, 90, 15.0, radius=6.0)
    chosen, certainty = most_aortic([aorta, vein])
    assert chosen is aorta
    assert certainty == pytest.approx(1 / (1 + 0.5 * np.exp(-35 / 80 + 25 / 120)), abs=1e-6)


@pytest.mark.parametrize(
    ("depth", "belief"),
    [(0.1, 0.1), (0.22, 0.1), (0.275, 0.55), (0.33, 1), (0.5, 1), (0.56, 0.55), (0.8, 0.1), (None, 1)],
)
def test_a_tube_at_the_depth_of_the_canal_or_the_ascending_aorta_is_believed_less(depth, belief):
    alone, other = tube(85, 55, 30.0), tube(85, 55, 10.0)
    assert most_aortic([alone], [depth])[1] == pytest.approx(belief)
    chosen, certainty = most_aortic([alone, other], [depth, None])
    if belief * 30 > 10:
        assert chosen is alone
        assert certainty == pytest.approx(belief * 30 * belief / (30 * belief + 10))
    else:
        assert chosen is other
        assert certainty == pytest.approx(10 / (30 * belief + 10))
