from dataclasses import replace
from types import SimpleNamespace

import pytest
from fake_examiner import results_of

from monai_cardiac_gan.aorta import AortaTrack
from monai_cardiac_gan.inferers import ScanFamiliarity
from monai_cardiac_gan.quality import QualityReport
from monai_cardiac_gan.reporting.doubts import (
    doubts_of_familiarity,
    doubts_of_levels,
    doubts_of_scan,
    levels_left_out,
)


def track(confidence):
    return AortaTrack([0], [[0.0, 0.0]], [22.0], [0.9], confidence)


@pytest.mark.parametrize(
    ("grade", "confidence", "words"),
    [(2.1, 0.5, []), (2.0, 0.5, ["graded 2.0"]), (2.1, 0.49, ["confidence 0.49"]), (1.0, 0.1, ["graded 1.0", "0.10"])],
)
def test_a_grade_must_lie_above_its_limit_and_a_confidence_may_lie_on_it(grade, confidence, words):
    doubts = doubts_of_scan(QualityReport(grade), track(confidence), min_grade=2.0, min_confidence=0.5)
    assert len(doubts) == len(words)
    assert all(word in doubt for word, doubt in zip(words, doubts, strict=True))


def test_without_a_vessel_no_confidence_is_named():
    (doubt,) = doubts_of_scan(QualityReport(4.0), AortaTrack.empty(), 2.0, 0.5)
    assert doubt == "no descending aorta was found; click on it to give a correction"


@pytest.mark.parametrize(("distance", "count"), [(2.0, 0), (2.1, 1)])
def test_the_farthest_training_scan_is_still_familiar(distance, count):
    assert len(doubts_of_familiarity(ScanFamiliarity(2 / (2 + distance), distance, 2.0, 9))) == count


def levels(is_compared):
    plain = results_of({"image": "a.nii"}, {"diameter": 22.0}).levels[0]
    return [
        replace(plain, mm_from_top=10.0 * place, is_compared=each is None, reason=each)
        for place, each in enumerate(is_compared)
    ]


def expected(painted, count, search="a search"):
    discs = ("a disc",) * painted + (None,) * (count - painted)
    return SimpleNamespace(discs=discs, search=search)


@pytest.mark.parametrize(
    ("compared", "doubt"),
    [
        (3, None),
        (2, "only 2 levels can be compared, at least 3 are needed"),
        (1, "only 1 level can be compared, at least 3 are needed"),
    ],
)
def test_three_levels_are_enough(compared, doubt):
    found = levels([None] * compared + ["hard to see"] * 5)
    assert doubts_of_levels(found, expected(8, 8)) == ([] if doubt is None else [doubt])


@pytest.mark.parametrize(("painted", "is_doubted"), [(4, False), (3, True)])
def test_on_half_of_the_levels_an_aorta_must_be_painted(painted, is_doubted):
    doubts = doubts_of_levels(levels([None] * 8), expected(painted, 8))
    assert doubts == (["an aorta was painted on only 38 % of the levels"] if is_doubted else [])


def test_without_a_search_nothing_had_to_be_painted():
    assert doubts_of_levels(levels([None] * 8), expected(0, 8, search=None)) == []


def test_levels_of_one_reason_are_named_together():
    found = levels(["the arch", None, "hard to see", "hard to see"])
    assert levels_left_out(found) == ["0 mm from the top: the arch", "20, 30 mm from the top: hard to see"]
