from dataclasses import replace

import pytest
from fake_examiner import results_of

from monai_cardiac_gan.reporting.subject_growth import ERROR_MM, grown_since
from monai_cardiac_gan.reporting.subject_results import Answer, AnswerKind

FIRST, SECOND = "2024-01-01", "2025-12-31"
"""730 days apart."""
YEARS = 730 / 365.25
ARCH, COURSE = "distance from the aortic arch", "by the vessel's course"


def scan(date, diameter=22.0, heights=range(5, 200, 10), is_arch_seen=True, bend_mm=0.0, height_mm=0.0, taper=0.0):
    """A tube with a level every 10 mm; it bends by `bend_mm` half-way down and lies `height_mm` higher in the scanner."""
    plain = results_of({"image": "a.nii"}, {"diameter": diameter, "date": date})
    levels = [
        replace(
            plain.levels[0],
            mm_from_top=float(mm),
            centre_mm=(bend_mm * (1 - ((mm - 100) / 100) ** 2), 20.0, height_mm - mm),
            area_equivalent_mm=diameter - taper * mm,
        )
        for mm in heights
    ]
    return replace(plain, levels=tuple(levels), scan=replace(plain.scan, is_arch_seen=is_arch_seen))


def test_a_tube_grows_by_the_difference_of_its_diameters_over_the_years():
    later = grown_since(scan(FIRST, 22.0), scan(SECOND, 23.0))
    half = 1.959964 * 2**0.5 * ERROR_MM / YEARS
    assert [each.mm_from_top for each in later.growth] == [float(mm) for mm in range(5, 200, 10)]
    for each in later.growth:
        assert (each.earlier_mm, each.later_mm, each.earlier_date) == (22.0, 23.0, FIRST)
        assert each.mm_per_year == pytest.approx(1 / YEARS, abs=1e-3)
        assert each.high_mm_per_year - each.mm_per_year == pytest.approx(half, abs=2e-3)
        assert each.mm_per_year - each.low_mm_per_year == pytest.approx(half, abs=2e-3)
    assert ARCH in later.growth_rule
    assert later.subject.date == SECOND


def test_another_error_of_a_diameter_widens_the_interval():
    wide, narrow = (
        grown_since(scan(FIRST), scan(SECOND), error_mm=error).growth[3] for error in (2 * ERROR_MM, ERROR_MM)
    )
    ratio = (wide.high_mm_per_year - wide.mm_per_year) / (narrow.high_mm_per_year - narrow.mm_per_year)
    assert ratio == pytest.approx(2.0, abs=0.01)


@pytest.mark.parametrize(("first", "second"), [(5, 35), (35, 5)])
def test_levels_next_to_the_arch_that_one_scan_does_not_measure_move_no_other(first, second):
    """A tapering vessel that did not grow, whose uppermost levels only one of both scans measures."""
    shapes = {"diameter": 30.0, "taper": 0.05}
    later = grown_since(
        scan(FIRST, heights=range(first, 200, 10), **shapes), scan(SECOND, heights=range(second, 200, 10), **shapes)
    )
    assert [each.mm_from_top for each in later.growth] == [float(mm) for mm in range(35, 200, 10)]
    assert [each.mm_per_year for each in later.growth] == pytest.approx([0.0] * 17, abs=1e-3)


def test_without_the_arch_levels_are_matched_by_the_course():
    """The later scan begins 30 mm farther down, and counts from there."""
    bent = scan(FIRST, 30.0, taper=0.05, is_arch_seen=False, bend_mm=25.0)
    lower = [replace(level, mm_from_top=level.mm_from_top - 30) for level in bent.levels[3:]]
    later = replace(bent, levels=tuple(lower), subject=replace(bent.subject, date=SECOND))
    found = grown_since(bent, later)
    assert COURSE in found.growth_rule
    middle = [each for each in found.growth if 40 <= each.mm_from_top <= 110]
    assert len(middle) == 7
    assert [each.mm_per_year for each in middle] == pytest.approx([0.0] * 7, abs=0.06)


def test_levels_that_are_not_compared_have_no_growth():
    later = scan(SECOND, 23.0)
    hidden = [replace(level, is_compared=level.mm_from_top != 55) for level in later.levels]
    assert 55.0 not in [
        each.mm_from_top for each in grown_since(scan(FIRST), replace(later, levels=tuple(hidden))).growth
    ]


def test_an_earlier_scan_of_which_nothing_can_be_told_is_named_beside_the_growth():
    """The later page shows numbers of the earlier scan, whose doubts stand on another page."""
    doubt = Answer(AnswerKind.CANNOT_TELL, "cannot tell: the localisation is unsure")
    found = grown_since(replace(scan(FIRST), answer=doubt), scan(SECOND))
    assert len(found.growth) == 20
    assert found.growth_rule.endswith(
        f'; the answer for the scan of {FIRST} is "cannot tell: the localisation is unsure"'
    )
    assert "answer for the scan" not in grown_since(scan(FIRST), replace(scan(SECOND), answer=doubt)).growth_rule


def test_two_scans_of_different_parts_of_the_vessel_say_so():
    found = grown_since(scan(FIRST, heights=range(5, 60, 10)), scan(SECOND, heights=range(105, 200, 10)))
    assert found.growth == ()
    assert found.growth_rule.endswith(f"; the scan of {FIRST} shows none of the levels that this one does")


@pytest.mark.parametrize(
    ("earlier", "later", "message"),
    [
        (scan(None), scan(SECOND), r"dates of the two scans are \[None, '2025-12-31'\]: expected both.*data list"),
        (scan(FIRST), scan(None), r"dates of the two scans are \['2024-01-01', None\]"),
        (scan(SECOND), scan(FIRST), "expected the earlier scan first, and a day between them"),
        (scan("soon"), scan(SECOND), "expected two of the form 2026-11-27"),
        (scan(FIRST, heights=[5]), scan(SECOND), "1 and 20 levels were measured: expected at least 2 in both scans"),
        (
            scan(FIRST, is_arch_seen=False, bend_mm=60.0),
            scan(SECOND, is_arch_seen=False, bend_mm=-60.0),
            "courses of the two scans do not fit each other: is it the same person",
        ),
    ],
    ids=["no date", "no later date", "swapped", "no dates", "one level", "another course"],
)
def test_what_cannot_be_compared_is_said(earlier, later, message):
    with pytest.raises(ValueError, match=message):
        grown_since(earlier, later)
