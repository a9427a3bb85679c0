import pytest

from monai_cardiac_gan.anomaly import Landmarks, name_levels


def test_landmarks_name_the_levels():
    named = name_levels([0, 25, 26, 108, 109, 139, 140, 220], 220.0, Landmarks(True, 124.0))
    assert named.names == (
        *("isthmus", "isthmus"),
        *("mid-thoracic", "mid-thoracic"),
        *("diaphragm", "diaphragm"),
        *("abdominal", "abdominal"),
    )
    assert named.rule.startswith("levels are named by landmarks")
    assert "124 mm from the top" in named.rule


@pytest.mark.parametrize(
    ("landmarks", "reason"),
    [
        (Landmarks(False, 120.0), "because the aortic arch was not found"),
        (Landmarks(True, None), "because the lower end of the lung was not found"),
        (Landmarks(False, None), "because the aortic arch and the lower end of the lung were not found"),
    ],
)
def test_without_both_landmarks_thirds_name_them_and_the_rule_says_why(landmarks, reason):
    named = name_levels([0.0, 59.0, 61.0, 119.0, 121.0, 180.0], 180.0, landmarks)
    assert named.names == ("isthmus",) * 2 + ("mid-thoracic",) * 2 + ("diaphragm",) * 2
    assert named.rule.endswith(reason)
    assert "by thirds" in named.rule


@pytest.mark.parametrize(
    ("places", "length", "message"),
    [
        ([0.0], 0.0, "the track is 0.0 mm long: expected a positive length"),
        ([-1.0, 50.0, 201.0], 200.0, r"levels at \[-1.0, 201.0\] mm from the top lie outside the track of 200 mm"),
    ],
)
def test_levels_outside_a_track_are_refused(places, length, message):
    with pytest.raises(ValueError, match=message):
        name_levels(places, length, Landmarks(True, 100.0))
