import numpy as np
import pytest

from monai_cardiac_gan.anomaly import Answer, AnswerKind, Expectation, Stretch, answer_of

HEIGHTS = np.arange(5.0, 100.0, 10.0)
ALL = np.ones(10, bool)


def expectation(wide=(), narrow=(), displaced=()):
    """20 mm expected with a standard deviation of 1.5 mm; the last of each kind's levels differs most."""
    flags = [np.isin(np.arange(10), rows) for rows in (wide, narrow, displaced)]
    rise = 3.0 + np.arange(10) / 10
    z = np.where(flags[0], rise, np.where(flags[1], -rise, 0.5))
    away = np.where(flags[2], 10.0 + np.arange(10), 1.0)
    return Expectation(np.full(10, 20.0), np.full(10, 1.5), z, np.full(10, 20.0), away, away / 2, *flags)


def test_a_usual_vessel():
    found = answer_of(HEIGHTS, expectation(), ALL, 10.0, remarks=["the arch is not seen"])
    headline = "diameters and course within what is expected at all 10 levels"
    assert found == Answer(AnswerKind.EXPECTED, headline, ("the arch is not seen",), ())


def test_levels_that_are_not_compared_are_not_counted():
    assert answer_of(HEIGHTS, expectation(), np.arange(10) > 2, 10.0).headline.endswith("expected at all 7 levels")


def test_where_most_of_the_vessel_was_not_compared_the_first_sentence_says_so():
    within = "diameters and course within what is expected at all"
    headlines = [answer_of(HEIGHTS, expectation(), np.arange(10) < count, 10.0).headline for count in (5, 4)]
    assert headlines == [f"{within} 5 levels", f"{within} 4 levels; 6 of 10 could not be compared"]


def test_one_level():
    found = answer_of(HEIGHTS[:1], expectation(), ALL[:1], 10.0)
    assert found.headline == "diameters and course within what is expected at the one level"


@pytest.mark.parametrize(
    ("flags", "kind", "reason"),
    [
        ("wide", "wider than expected", "the diameter is 25.6 mm; 20.0 mm was expected (+3.7 standard deviations)"),
        ("narrow", "narrower than expected", "the diameter is 14.4 mm; 20.0 mm was expected (-3.7 standard deviations)"),
        ("displaced", "displaced", "the centre lies 17 mm from the course that the rest of the vessel predicts"),
    ],
)  # fmt: skip
def test_one_stretch_of_each_kind(flags, kind, reason):
    found = answer_of(HEIGHTS, expectation(**{flags: [5, 6, 7]}), ALL, 10.0, remarks=["a remark"])
    reasons = (f"75 mm from the top {reason}", "a remark")
    assert found == Answer(kind, f"{kind} at 50-80 mm from the top", reasons, (Stretch(kind, 50.0, 80.0, 3),))


def test_two_stretches_of_one_kind_are_one_sentence():
    found = answer_of(HEIGHTS, expectation(wide=[1, 2, 6]), ALL, 10.0)
    assert (found.kind, found.headline) == (AnswerKind.WIDER, "wider than expected at 10-30, 60-70 mm from the top")
    assert [(each.from_mm, each.to_mm, each.levels) for each in found.stretches] == [(10.0, 30.0, 2), (60.0, 70.0, 1)]
    assert len(found.reasons) == 1


def test_several_kinds_are_told_from_the_top_down():
    found = answer_of(HEIGHTS, expectation(wide=[8], narrow=[4], displaced=[1, 8]), ALL, 10.0)
    assert found.kind == AnswerKind.SEVERAL
    assert found.headline == (
        "displaced at 10-20, 80-90 mm; narrower than expected at 40-50 mm; wider than expected at 80-90 mm from the top"
    )
    assert [each.from_mm for each in found.stretches] == [10.0, 40.0, 80.0, 80.0]
    assert [each.split(" mm")[0] for each in found.reasons] == ["85", "45", "85"]


def test_a_stretch_does_not_reach_above_the_top():
    assert answer_of(HEIGHTS, expectation(wide=[0]), ALL, 30.0).stretches == (Stretch(AnswerKind.WIDER, 0.0, 20.0, 1),)


def test_a_stretch_does_not_reach_beyond_the_vessel():
    found = answer_of(HEIGHTS, expectation(wide=[9]), ALL, 30.0, length_mm=98.0)
    assert found.stretches == (Stretch(AnswerKind.WIDER, 80.0, 98.0, 1),)


@pytest.mark.parametrize(("found", "compared"), [(None, ALL), (expectation(), ~ALL), (None, ~ALL)])
def test_without_a_level_nothing_can_be_told(found, compared):
    answer = answer_of(HEIGHTS, found, compared, 10.0, remarks=["a remark"])
    assert answer == Answer(
        AnswerKind.CANNOT_TELL, "cannot tell: no level could be compared", ("no level could be compared", "a remark")
    )


def test_with_a_doubt_nothing_is_told_whatever_was_found():
    found = answer_of(HEIGHTS, expectation(wide=[5]), ALL, 10.0, ["a poor scan", "unsure course"], ["a remark"], 10)
    assert (found.kind, found.headline) == (AnswerKind.CANNOT_TELL, "cannot tell: a poor scan")
    assert (found.reasons, found.stretches) == (("a poor scan", "unsure course", "a remark"), ())


@pytest.mark.parametrize(("above", "compared", "is_wide"), [(5, 10, True), (4, 10, False), (3, 5, True), (2, 2, False)])
def test_a_vessel_that_is_wide_all_along_is_as_its_rest_predicts(above, compared, is_wide):
    found = answer_of(HEIGHTS, expectation(), np.arange(10) < compared, 10.0, remarks=["a remark"], above_normals=above)
    within = f"diameters and course within what is expected at all {compared} levels"
    if is_wide:
        reason = "diameters and course are as expected from the rest of the same vessel, which is wide itself"
        headline = f"wider than published normal values at {above} of {compared} levels"
        assert found == Answer(AnswerKind.ABOVE_NORMALS, headline, (reason, "a remark"))
    else:
        unseen = "; 8 of 10 could not be compared" if compared == 2 else ""
        assert found == Answer(AnswerKind.EXPECTED, within + unseen, ("a remark",))


def test_a_stretch_comes_before_the_published_range():
    assert answer_of(HEIGHTS, expectation(wide=[5]), ALL, 10.0, above_normals=10).kind == AnswerKind.WIDER
