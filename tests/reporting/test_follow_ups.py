import pytest
from fake_examiner import results_of

from monai_cardiac_gan.reporting.follow_ups import earlier_volumes
from monai_cardiac_gan.reporting.report_volume import ReportedVolume


def scan(subject, day):
    if day == "failed":
        return ReportedVolume(subject, "a.nii", error="broken")
    results = results_of({"image": "a.nii"}, {"diameter": 22.0, "date": day})
    return ReportedVolume(subject, "a.nii", "folder", results=results)


@pytest.mark.parametrize(
    ("days", "earlier"),
    [
        (["2024-01-01", "2025-01-01"], {1: 0}),
        (["2025-01-01", "2024-01-01"], {0: 1}),
        (["2024-01-01", "2025-01-01", "2026-01-01"], {1: 0, 2: 1}),
        (["2024-01-01", "2024-01-01"], {}),
        (["2024-01-01", "2024-01-01", "2025-01-01"], {2: 0}),
        (["2024-01-01", None], {}),
        (["failed", "2025-01-01"], {}),
    ],
)
def test_the_earlier_scan_is_the_last_one_of_another_day(days, earlier):
    assert earlier_volumes([scan("ann", day) for day in days]) == earlier


def test_scans_of_others_are_no_earlier_ones():
    assert earlier_volumes([scan("ann", "2024-01-01"), scan("bob", "2025-01-01")]) == {}
