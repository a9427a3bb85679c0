import pytest

from monai_cardiac_gan.data import EXCLUDED, KEPT, VolumeEntry
from monai_cardiac_gan.preparation.assemble import once_each
from monai_cardiac_gan.preparation.prepare_volume import PreparedVolume
from monai_cardiac_gan.quality import PERSON


def volume(image, key, digest="d1", subject="ann", status=KEPT, grade=3.0, grader="measures 1"):
    return PreparedVolume(
        VolumeEntry(subject, image, status, key=key, digest=digest, grade=grade, grader=grader, patches=9)
    )


def statuses(*volumes):
    return [each.entry.status for each in once_each(volumes)]


def test_one_image_in_two_formats_or_with_other_columns_counts_once():
    found = once_each([volume("a.nii", "1"), volume("a.nii.gz", "2"), volume("a.nii", "3"), volume("b.nii", "4", "d2")])
    assert [each.entry.status for each in found] == [KEPT, EXCLUDED, EXCLUDED, KEPT]
    assert sum(each.entry.patches for each in found if each.entry.is_kept) == 18
    assert found[1].entry.reason == "a.nii.gz: the same image of the same subject as a.nii."
    assert found[2].entry.reason == "a.nii: the same image of the same subject in another row."


def test_another_subject_with_the_image_keeps_it():
    assert statuses(volume("a.nii", "1"), volume("a.nii", "2", subject="bob")) == [KEPT, KEPT]


def test_volumes_that_nobody_could_read_are_told_apart_by_what_they_are_made_from():
    bad = [volume("a.nii", key, None, status=EXCLUDED, grade=None, grader=None) for key in ("1", "2", "1")]
    reasons = [each.entry.reason for each in once_each(bad)]
    assert reasons == ["", "", "a.nii: the same image of the same subject in another row."]


@pytest.mark.parametrize("grade", [1.0, 4.0])
def test_the_grade_of_a_person_counts_wherever_the_row_stands(grade):
    status = KEPT if grade > 3 else EXCLUDED
    measured = volume("a.nii", "1")
    by_person = volume("a.nii.gz", "2", status=status, grade=grade, grader=PERSON)
    assert statuses(measured, by_person) == [EXCLUDED, status]
    assert statuses(by_person, measured) == [status, EXCLUDED]


def test_of_a_row_that_fails_and_one_that_does_not_the_other_counts():
    assert statuses(volume("a.nii", "1", status=EXCLUDED), volume("a.nii.gz", "2")) == [EXCLUDED, KEPT]


def test_two_grades_of_people_for_one_image_are_refused():
    pair = [volume("a.nii", "1", grade=4.0, grader=PERSON), volume("a.nii.gz", "2", grade=1.0, grader=PERSON)]
    message = (
        r"several grades of one image of ann: 4 \(a\.nii\), 1 \(a\.nii\.gz\); expected one, change one of its rows"
    )
    with pytest.raises(ValueError, match=message):
        once_each(pair)
