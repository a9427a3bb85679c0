import pytest
from hypothesis import given
from hypothesis import strategies as st

from monai_cardiac_gan.anomaly import Landmarks, normal_ranges, pulmonary_level


@pytest.mark.parametrize(
    ("place", "sex", "mean", "twice"),
    [
        (20.0, "male", 20.6, 5.6),
        (20.0, "female", 18.9, 4.0),
        (140.0, "male", 17.6, 5.1),
        (140.0, "female", 16.4, 4.0),
        (80.0, "male", 19.1, 5.35),
        (50.0, "female", 18.275, 4.0),
        (0.0, "male", 20.6, 5.6),
        (170.0, "female", 16.4, 4.0),
    ],
)
def test_the_published_numbers_stand_at_their_levels_and_lines_between_them(place, sex, mean, twice):
    (normal,) = normal_ranges(place, 20.0, sex)
    assert normal.sex == sex
    assert normal.mean_mm == pytest.approx(mean)
    assert normal.low_mm == pytest.approx(mean - twice)
    assert normal.high_mm == pytest.approx(mean + twice)
    assert "Davis et al., J Cardiovasc Magn Reson 2014, 16:9" in normal.source


@given(place=st.floats(-40, 160), pulmonary=st.floats(-20, 60))
def test_without_a_sex_both_ranges_are_those_of_each(place, pulmonary):
    both = normal_ranges(place + pulmonary, pulmonary)
    assert both == tuple(
        normal for sex in ("male", "female") for normal in normal_ranges(place + pulmonary, pulmonary, sex)
    )
    assert [normal.sex for normal in both] in (["male", "female"], [])


@pytest.mark.parametrize("place", [-21.0, 181.0])
def test_far_from_the_published_levels_nothing_is_said(place):
    assert normal_ranges(place, 20.0) == ()


def test_another_word_for_a_sex_is_refused():
    with pytest.raises(ValueError, match="the sex is 'm': expected one of male, female, or None for both"):
        normal_ranges(20.0, 20.0, "m")


@pytest.mark.parametrize(
    ("landmarks", "place", "rule"),
    [
        (Landmarks(True, 120.0), 15.0, "15 mm below the aortic arch"),
        (Landmarks(True, None), 15.0, "15 mm below the aortic arch"),
        (Landmarks(False, 150.0), 40.0, "110 mm above the diaphragm, because the track does not reach the aortic arch"),
        (Landmarks(False, None), 0.0, "neither the aortic arch nor the diaphragm was found"),
    ],
)
def test_the_pulmonary_artery_is_taken_from_the_landmarks_and_says_how(landmarks, place, rule):
    level = pulmonary_level(landmarks)
    assert level.mm_from_top == place
    assert rule in level.rule
