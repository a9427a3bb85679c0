from dataclasses import replace

from monai_cardiac_gan.reporting.notable_levels import farthest_level, largest_level, most_unusual_level
from monai_cardiac_gan.reporting.subject_results import AnswerKind


def test_the_farthest_level_may_be_narrower_and_is_one_that_was_compared(make_subject):
    levels = [*make_subject(AnswerKind.WIDER).levels]
    assert farthest_level(levels).mm_from_top == 110.0
    levels[15] = replace(levels[15], z=-9.0)
    assert farthest_level(levels).mm_from_top == 150.0
    levels[15] = replace(levels[15], is_compared=False)
    assert farthest_level(levels).mm_from_top == 110.0
    assert farthest_level(levels[:2]) is None


def test_the_largest_level_is_one_that_was_compared_unless_none_was(make_subject):
    levels = make_subject(AnswerKind.EXPECTED).levels
    arch = replace(levels[0], area_equivalent_mm=40.0)
    assert largest_level((arch, *levels[1:])).mm_from_top == 20.0
    assert largest_level((arch, levels[1])) is arch
    assert largest_level(()) is None


def test_the_most_unusual_level_is_one_that_stands_out(make_subject):
    levels = [*make_subject(AnswerKind.UNUSUAL).levels]
    assert 85 <= most_unusual_level(levels).mm_from_top <= 125
    levels[10] = replace(levels[10], anomaly=9.0)
    assert most_unusual_level(levels).mm_from_top == 100.0
    levels[10] = replace(levels[10], stands_out=False)
    assert most_unusual_level(levels).mm_from_top != 100.0
    assert most_unusual_level(make_subject(AnswerKind.EXPECTED).levels) is None
