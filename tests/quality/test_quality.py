import numpy as np
import pytest
from scipy import ndimage

from monai_cardiac_gan.phantom import WholeHeartPhantom
from monai_cardiac_gan.quality import IMAGE_MEASURES, GradeThreshold, QualityReport, grade_image_quality
from monai_cardiac_gan.quality.grade import CONTRAST, EDGE_WIDTH, SNR

SPACING = (1.8, 1.8, 2.0)


@pytest.fixture(scope="module")
def clean():
    return WholeHeartPhantom(shape=(80, 90, 80), spacing=SPACING, noise=0.0, ghosting=0.0)(2).image.astype(np.float32)


def grade(volume):
    return grade_image_quality(volume, SPACING)


def test_the_grade_falls_with_every_step_of_noise(clean):
    blood = np.percentile(clean, 99)
    rng = np.random.default_rng(0)
    channels = rng.normal(size=(2, *clean.shape))
    reports = [
        grade(np.hypot(clean + s * blood * channels[0], s * blood * channels[1])) for s in (0.03, 0.06, 0.12, 0.24)
    ]
    assert np.all(np.diff([report.reasons[SNR] for report in reports]) < 0)
    assert np.all(np.diff([report.grade for report in reports]) < 0)


def test_the_noise_estimate_is_the_noise_that_was_added(clean):
    """White noise on a smooth volume: its standard deviation is known."""
    smooth = 500 + ndimage.gaussian_filter(clean, 6)
    noisy = smooth + np.random.default_rng(0).normal(0, 25, clean.shape)
    report = grade(noisy)
    lowest = noisy.min()
    assert np.percentile(noisy - lowest, 99) / report.reasons[SNR] == pytest.approx(25, rel=0.03)


def test_the_edges_widen_and_the_grade_falls_as_blur_grows(clean):
    reports = [grade(ndimage.gaussian_filter(clean, blur / np.array(SPACING))) for blur in (1.5, 3, 6)]
    assert np.all(np.diff([report.reasons[EDGE_WIDTH] for report in reports]) > 0)
    assert np.all(np.diff([report.grade for report in reports]) <= 0)
    assert reports[0].grade - reports[-1].grade > 2


def test_contrast_is_blood_over_median_tissue():
    volume = np.full((40, 40, 40), 200.0)
    volume[:20], volume[20:24] = 0.0, 1000.0
    assert grade_image_quality(volume, (1, 1, 1)).reasons[CONTRAST] == pytest.approx(5.0)


def test_the_scale_of_intensities_does_not_matter(clean):
    assert grade(0.01 * clean).grade == pytest.approx(grade(clean).grade, abs=1e-3)


def test_a_volume_of_nothing_but_specks_is_not_usable():
    volume = np.zeros((20, 20, 20))
    volume[0, 0, 0] = 1.0
    assert grade_image_quality(volume, (1, 1, 1)).grade == 0.0


@pytest.mark.parametrize(
    ("volume", "spacing", "message"),
    [
        (np.zeros((4, 4)), (1, 1, 1), "expected three axes of at least three voxels"),
        (np.zeros((4, 4, 2)), (1, 1, 1), "expected three axes of at least three voxels"),
        (np.zeros((4, 4, 4)), (1, 1, 1), "constant or holds NaN"),
        (np.full((4, 4, 4), np.nan), (1, 1, 1), "constant or holds NaN"),
        (np.arange(64.0).reshape(4, 4, 4), (1, -1, 1), "expected three positive voxel sizes"),
    ],
)
def test_what_cannot_be_graded_is_refused(volume, spacing, message):
    with pytest.raises(ValueError, match=message):
        grade_image_quality(volume, spacing)


@pytest.mark.parametrize("value", [-0.1, 4.1, float("nan")])
def test_grades_outside_the_scale_are_refused(value):
    with pytest.raises(ValueError, match="expected a number from 0"):
        QualityReport(value)


@pytest.mark.parametrize(
    ("value", "grader", "kept"),
    [(3.0, "person", False), (3.1, "person", True), (2.0, IMAGE_MEASURES, False), (2.1, IMAGE_MEASURES, True)],
)
def test_volumes_at_or_below_the_threshold_of_their_grader_are_dropped(value, grader, kept):
    assert (GradeThreshold().reason_to_drop(QualityReport(value, {}, grader)) is None) == kept


def test_the_reason_names_grade_threshold_and_measures():
    report = QualityReport(1.2, {SNR: 9.87}, IMAGE_MEASURES)
    expected = "grade 1.2 of 4 (image-measures-1) is not above 2; signal_to_noise 9.87"
    assert GradeThreshold().reason_to_drop(report) == expected


@pytest.mark.parametrize("value", [-300.0, -1024.0, -32768.0])
@pytest.mark.parametrize("extent", ["a corner", "a margin"])
def test_a_padding_value_does_not_decide_the_grade(value, extent):
    made = WholeHeartPhantom(shape=(80, 90, 80), spacing=(2.2, 2.2, 2.5))(0)
    image = made.image.astype(np.float32)
    black = image.copy()
    place = np.s_[:2, :2, :2] if extent == "a corner" else np.s_[:12]
    image[place], black[place] = value, 0
    found, expected = (grade_image_quality(volume, made.spacing) for volume in (image, black))
    assert found.grade == pytest.approx(expected.grade, abs=0.01)
    for name, measure in expected.reasons.items():
        assert found.reasons[name] == pytest.approx(measure, rel=1e-4)
