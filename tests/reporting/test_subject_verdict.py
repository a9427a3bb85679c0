import numpy as np
import pytest

from monai_cardiac_gan.anomaly import SIGNS, Answer, AnswerKind, JudgedVessel, Levels, judge
from monai_cardiac_gan.evaluation import Detection
from monai_cardiac_gan.reporting.subject_verdict import SIGN_WORDS, verdict_of, with_verdict

HEIGHTS = np.array([5.0, 15.0, 25.0, 35.0, 45.0])


def detection(levels, normals=24, seen=0):
    signs = np.zeros((len(HEIGHTS), len(SIGNS)))
    signs[:, SIGNS.index("lumen")] = levels
    score = max(levels)
    return Detection(
        "hearts", judge(score, np.arange(normals) / normals), JudgedVessel(signs, np.array(levels), score), 0.96, seen
    )


def verdict(levels, **options):
    none = np.zeros(len(HEIGHTS))
    what = Levels(HEIGHTS, none, np.zeros((len(HEIGHTS), 2)), none, np.ones(len(HEIGHTS), bool))
    return verdict_of(detection(levels, **options), what, 10.0, 48.0)


def test_what_stands_out_is_named_with_its_place():
    found = verdict([0.1, 3.0, 2.5, 0.2, 1.5])
    assert found.sentence == (
        "more unusual than all 24 known normal people (p = 0.04); 10-30, 40-48 mm from the top stand out, most by the dark parts "
        "in the lumen"
    )
    assert [(each.kind, each.from_mm, each.to_mm, each.levels) for each in found.stretches] == [
        (AnswerKind.UNUSUAL, 10.0, 30.0, 2), (AnswerKind.UNUSUAL, 40.0, 48.0, 1),
    ]  # fmt: skip
    assert (found.is_alarm, found.p_value, found.normals, found.kind) == (True, 0.04, 24, "hearts")


def test_without_an_alarm_no_place_is_named():
    found = verdict([0.1, 0.2, 0.3, 0.1, 0.5])
    assert found.is_alarm is False
    assert found.stretches == ()
    assert "stand out" not in found.sentence


def test_of_few_people_some_known_to_the_networks_a_rank_is_given():
    found = verdict([0.1, 3.0, 0.1, 0.1, 0.1], normals=13, seen=8)
    assert (found.is_alarm, found.seen) == (None, 8)
    assert found.sentence.startswith(
        "more unusual than all 13 known normal people; 19 are needed for an alarm at 0.05; 10-20 mm from the top"
    )


def test_an_alarm_is_part_of_the_answer():
    usual = Answer(AnswerKind.EXPECTED, "diameters and course within what is expected at all 5 levels", ("remark",))
    alarm = verdict([0.1, 3.0, 2.5, 0.2, 0.1])
    found = with_verdict(usual, alarm)
    assert (found.kind, found.headline) == (AnswerKind.UNUSUAL, "unusual at 10-30 mm from the top")
    assert found.reasons == (usual.headline, "remark")
    assert found.stretches == alarm.stretches
    assert with_verdict(usual, verdict([0.1] * 5)) == usual
    wide = Answer(AnswerKind.WIDER, "wider than expected at 10-20 mm from the top")
    assert with_verdict(wide, alarm) == wide
    assert with_verdict(usual, verdict([0.1, 3.0, 0.1, 0.1, 0.1], normals=13)) == usual


@pytest.mark.parametrize("sign", SIGNS)
def test_each_score_has_words(sign):
    assert SIGN_WORDS[sign]
