from dataclasses import replace

import pytest

from monai_cardiac_gan.reporting.diameter_curve import NARROW, WIDE, diameter_curve, kind_of
from monai_cardiac_gan.reporting.subject_results import AnswerKind


def places(line):
    return [tuple(float(value) for value in point.split(",")) for point in line.split()]


@pytest.mark.parametrize("size", [WIDE, NARROW])
def test_points_lie_on_one_scale_of_millimetres_each_way(make_subject, size):
    subject = make_subject(AnswerKind.WIDER)
    curve = diameter_curve(subject, size)
    up = [(float(tick.label), tick.at) for tick in curve.up]
    (low, at_low), (high, at_high) = up[0], up[-1]
    for point in curve.points:
        share = (point.level.mm_from_top - curve.first_mm) / (curve.last_mm - curve.first_mm)
        assert point.x == pytest.approx(curve.left + share * (curve.right - curve.left), abs=0.01)
        assert curve.top <= point.y <= curve.bottom
        expected = at_low + (point.level.area_equivalent_mm - low) / (high - low) * (at_high - at_low)
        assert point.y == pytest.approx(expected, abs=0.02)
    assert places(curve.acquired[0]) == [(point.x, point.y) for point in curve.points]


def test_levels_of_a_stretch_and_no_others_are_marked(make_subject):
    subject = make_subject(AnswerKind.WIDER)
    curve = diameter_curve(subject)
    marked = [point.level.mm_from_top for point in curve.points if point.kind == AnswerKind.WIDER]
    assert marked == [90.0, 100.0, 110.0, 120.0]
    (span,) = curve.stretches
    xs = {point.level.mm_from_top: point.x for point in curve.points}
    assert span.left == pytest.approx((xs[80.0] + xs[90.0]) / 2, abs=0.02)
    assert span.right == pytest.approx((xs[120.0] + xs[130.0]) / 2, abs=0.02)


def test_a_level_that_was_not_compared_is_never_marked(make_subject):
    subject = make_subject(AnswerKind.WIDER)
    level = replace(subject.levels[10], is_compared=False)
    assert kind_of(subject.levels[10], subject.answer.stretches) == AnswerKind.WIDER
    assert kind_of(level, subject.answer.stretches) is None


def test_a_level_without_a_value_makes_a_gap(make_subject):
    subject = make_subject(AnswerKind.EXPECTED)
    levels = [*subject.levels]
    levels[5] = replace(levels[5], area_equivalent_mm=None)
    levels[9] = replace(levels[9], low_mm=None)
    curve = diameter_curve(replace(subject, levels=tuple(levels)))
    assert [len(places(line)) for line in curve.acquired] == [5, 12]
    assert [len(places(line)) for line in curve.expected] == [16]  # the first two are not compared
    assert [len(places(band)) for band in curve.band] == [14, 16]  # there and back
    assert len(curve.points) == 17


def test_names_span_their_levels_and_normals_have_a_line_for_each_sex(make_subject):
    curve = diameter_curve(make_subject(AnswerKind.EXPECTED))
    assert [span.label for span in curve.names] == ["isthmus", "mid-thoracic", "diaphragm"]
    assert curve.names[0].right == pytest.approx(curve.names[1].left, abs=0.02)
    assert [each.sex for each in curve.normals] == ["female", "male"]
    for each in curve.normals:
        for low, high in zip(places(each.low[0]), places(each.high[0]), strict=True):
            assert low[1] > high[1]  # drawn from above


def test_one_level_alone_is_drawn_and_none_is_not(make_subject):
    subject = make_subject(AnswerKind.EXPECTED)
    (point,) = diameter_curve(replace(subject, levels=subject.levels[4:5])).points
    assert WIDE[0] * 0.4 < point.x < WIDE[0] * 0.6
    unknown = tuple(replace(level, area_equivalent_mm=None) for level in subject.levels)
    assert diameter_curve(replace(subject, levels=unknown)) is None
    assert diameter_curve(make_subject(AnswerKind.CANNOT_TELL)) is None
