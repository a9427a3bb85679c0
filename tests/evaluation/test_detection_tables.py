from dataclasses import replace

import numpy as np
import pytest

from monai_cardiac_gan.anomaly import SIGNS, ScoredLevels
from monai_cardiac_gan.evaluation import detection_quality
from monai_cardiac_gan.evaluation.detection_page import (
    ALARM_RATE,
    ALARMS,
    ALL,
    DICE_HEALTHY,
    DICE_ORACLE,
    DICE_OTHERS,
    DILATIONS,
    FAILED,
    FOUND,
    LEVELS,
    LEVELS_AP,
    PIXELS_AP,
    PLACED,
    SUBJECTS,
    as_page,
)
from monai_cardiac_gan.evaluation.detection_tables import MEASURED_ONLY, PAINTED_ONLY, DetectionTables
from monai_cardiac_gan.evaluation.lesion_cases import HEALTHY, OURS, Lesion, LesionCase
from monai_cardiac_gan.transforms.lesion_shapes import DILATION

HEIGHTS = np.arange(5.0, 205.0, 10.0)
RULER = "ruler"
SEVERITIES = {"moderate": 2 / 3}


def case(subject, seed, kind=HEALTHY, severity=0.0, effect=0.0, seen_by_ruler=0.0, error=None):
    """A lesion moves the score "lumen" on five levels, and the ruler's."""
    source = np.random.default_rng(seed)
    scores = source.normal(0, 1, (len(HEIGHTS), len(SIGNS)))
    ruler = source.normal(0, 1, (len(HEIGHTS), 1))
    amounts = np.zeros(len(HEIGHTS))
    maps = np.abs(source.normal(0, 1, (3, 10, 10)))
    truth = np.zeros((3, 10, 10), bool)
    if kind != HEALTHY:
        amounts[8:13] = severity
        scores[8:13, SIGNS.index("lumen")] += effect
        ruler[8:13] += seen_by_ruler
        truth[:, 3:6, 3:6] = True
        maps[truth] += effect
    compared = np.ones(len(HEIGHTS), bool)
    levels = {OURS: ScoredLevels(HEIGHTS, scores, compared), RULER: ScoredLevels(HEIGHTS, ruler, compared, (RULER,))}
    if error is not None:
        levels = {}
    return LesionCase(subject, Lesion(kind, severity), levels, amounts, {OURS: maps.astype(np.float16)}, truth, error)


def cases(count=12, effect=6.0):
    found = []
    for number in range(count):
        name = f"s{number}"
        found += [
            case(name, 500 + number),
            case(name, 600 + number, "flap", 2 / 3, effect),
            case(name, 700 + number, "dilation", 2 / 3, effect, effect),
        ]
    return found


@pytest.fixture(scope="module")
def normals():
    return [case(f"n{number}", number) for number in range(30)]


@pytest.fixture(scope="module")
def rows(normals):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(detection_quality, "DRAWS", 50)  # the interval itself is tested with the statistics
        return made(normals)


def made(normals):
    small = case("s0", 900, "dilation", 0.1 / DILATION, 0.2, 0.2)
    lost = case("s1", 901, "flap", 2 / 3, error="no aorta was found")
    return DetectionTables(normals, [*cases(), small, lost], SEVERITIES, 0.05, True, 0).rows()


def value(rows, table, kind, way=OURS, group=ALL, severity="moderate"):
    wanted = (table, kind, way, group, severity)
    (row,) = [each for each in rows if (each.table, each.kind, each.way, each.group, each.severity) == wanted]
    return row


def test_a_way_that_sees_a_lesion_finds_its_levels_and_subjects(rows):
    assert value(rows, LEVELS, "flap").value > 0.97
    assert value(rows, SUBJECTS, "flap").value > 0.97
    assert value(rows, LEVELS_AP, "flap").value > 0.95
    assert value(rows, LEVELS, "dilation", RULER).value > 0.97


def test_a_way_that_does_not_see_it_is_no_better_than_chance(rows):
    assert value(rows, LEVELS, "flap", RULER).value == pytest.approx(0.5, abs=0.15)
    assert value(rows, LEVELS, "flap", MEASURED_ONLY).value == pytest.approx(0.5, abs=0.15)
    assert value(rows, LEVELS, "flap", PAINTED_ONLY).value > 0.97  # "lumen" is among its scores


def test_intervals_are_over_subjects(rows):
    row = value(rows, LEVELS, "flap")
    assert row.subjects == 12
    assert row.low <= row.value <= row.high
    single = value(rows, LEVELS, "flap", group="s3")
    assert (single.subjects, single.low) == (1, None)


def test_all_kinds_together_lie_between_each(rows):
    both = [value(rows, LEVELS, kind, RULER).value for kind in ("flap", "dilation")]
    assert min(both) < value(rows, LEVELS, ALL, RULER).value < max(both)


def test_pixels_are_compared_at_three_thresholds(rows):
    assert value(rows, PIXELS_AP, "flap").value > 0.97
    oracle = value(rows, DICE_ORACLE, "flap").value
    assert oracle > 0.9
    assert value(rows, DICE_OTHERS, "flap").value <= oracle + 1e-9
    assert value(rows, DICE_HEALTHY, "flap").value <= oracle + 1e-9
    assert not [row for row in rows if row.table == PIXELS_AP and row.way == RULER]  # a ruler has no map


def test_alarms_are_counted_with_their_band(rows):
    row = value(rows, ALARMS, HEALTHY, severity="")
    assert row.subjects == 12
    assert row.low <= row.value <= row.high
    assert value(rows, ALARM_RATE, HEALTHY, severity="").value == row.value / 12
    assert value(rows, FOUND, "flap").value > 0.9
    assert value(rows, PLACED, "flap").value > 0.8


def test_dilations_are_given_by_size(rows):
    large = 1 + DILATION * 2 / 3
    assert value(rows, DILATIONS, "dilation", severity=f"x {large:.2f}").value > 0.9
    assert value(rows, DILATIONS, "dilation", severity="x 1.10").subjects == 1


def test_failures_are_counted(rows):
    row = value(rows, FAILED, "flap", severity="")
    assert (row.value, row.subjects) == (1, 13)


def test_with_few_normal_people_no_alarm_is_counted(normals):
    found = DetectionTables(normals[:8], cases(3), SEVERITIES, 0.05, False, 0).rows()
    assert not [row for row in found if row.table in (ALARMS, FOUND)]
    assert value(found, LEVELS, "flap").value > 0.9


def test_the_page_has_a_table_for_each_statistic_and_subject(rows):
    page = as_page(rows)
    assert page.count("\n## ") == len({(row.table, row.group) for row in rows})
    assert "## AUROC of levels, s3" in page
    alarms = value(rows, ALARMS, HEALTHY, severity="")
    assert f"{alarms.value:.0f} of 12 (99 % band {alarms.low:.0f} to {alarms.high:.0f})" in page
    row = value(rows, LEVELS, "flap")
    assert f"{row.value:.2f} ({row.low:.2f} to {row.high:.2f})" in page


def test_lesions_that_take_no_pixel_of_the_hole_have_no_table_of_pixels(normals):
    beyond = [replace(each, truth=np.zeros_like(each.truth)) for each in cases(3)]
    found = DetectionTables(normals, beyond, SEVERITIES, 0.05, False, 0).rows()
    assert not [row for row in found if row.table == PIXELS_AP]
    assert all(np.isfinite(row.value) for row in found)


def test_without_a_healthy_subject_nothing_can_be_compared(normals):
    with pytest.raises(ValueError, match="no subject could be scored without a lesion"):
        DetectionTables(normals, [case("s", 1, "flap", 2 / 3)], SEVERITIES, 0.05, False, 0)
