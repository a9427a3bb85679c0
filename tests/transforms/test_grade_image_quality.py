import pytest
import torch
from monai.data import MetaTensor

from monai_cardiac_gan.quality import grade_image_quality
from monai_cardiac_gan.transforms import GradeImageQuality


@pytest.fixture
def image():
    values = torch.rand(1, 20, 21, 22, generator=torch.Generator().manual_seed(0))
    return MetaTensor(values, affine=torch.diag(torch.tensor([1.0, 1.5, 2.0, 1.0])))


def test_without_a_grade_the_image_is_graded_with_its_spacing(image):
    assert GradeImageQuality()(image) == grade_image_quality(image[0].numpy(), (1.0, 1.5, 2.0))


def test_a_persons_grade_is_kept(image):
    report = GradeImageQuality()(image, grade=3.5)
    assert (report.grade, report.grader, dict(report.reasons)) == (3.5, "person", {})


def test_a_grade_off_the_scale_is_refused(image):
    with pytest.raises(ValueError, match=r"the grade is 5\.0: expected a number from 0"):
        GradeImageQuality()(image, grade=5)
