import pytest

from monai_cardiac_gan.data import refuse_contradictory_grades
from monai_cardiac_gan.preparation import PreparePatchSet


def records(column, *rows):
    return [
        {"image": f"nowhere/{image}", "subject": subject} | ({} if value is None else {column: value})
        for image, subject, value in rows
    ]


@pytest.mark.parametrize(
    ("sides", "message"),
    [
        (("Train", "test"), r"has ann in the split 'Train': expected 'train' or 'test'"),
        (("train", "validation"), r"has bob in the split 'validation': expected 'train' or 'test'"),
        (
            ("test", "test"),
            r"names the split 'test' alone: expected 'train' and 'test', both at least once, or no split",
        ),
    ],
)
def test_a_split_that_is_none_is_told_before_a_volume_is_read(tmp_path, sides, message):
    rows = zip(("a.nii", "b.nii"), ("ann", "bob"), sides, strict=True)
    with pytest.raises(ValueError, match=message):
        PreparePatchSet(records("split", *rows), str(tmp_path / "set"))
    assert not (tmp_path / "set").exists()


def test_a_subject_in_two_splits_is_told_before_a_volume_is_read(tmp_path):
    rows = [("a.nii", "ann", "test"), ("b.nii", "bob", "train"), ("c.nii", "ann ", "train")]
    with pytest.raises(ValueError, match=r"has ann in 'test' and in 'train': expected one split for all volumes"):
        PreparePatchSet(records("split", *rows), str(tmp_path / "set"))


def test_two_grades_of_one_file_are_told_before_a_volume_is_read(tmp_path):
    rows = [("a.nii", "ann", 4.0), ("a.nii", "bob", 1.0), ("x/../a.nii", "ann", 1.0)]
    with pytest.raises(ValueError, match=r"an image of ann with the grades 4 and 1: expected one for each image"):
        PreparePatchSet(records("grade", *rows), str(tmp_path / "set"))


def test_one_grade_said_twice_is_no_contradiction():
    refuse_contradictory_grades(records("grade", ("a.nii", "ann", 4.0), ("a.nii", "ann", 4.0), ("a.nii", "ann", None)))
