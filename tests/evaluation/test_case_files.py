import numpy as np
import pytest

from monai_cardiac_gan.anomaly import SIGNS, ScoredLevels
from monai_cardiac_gan.evaluation.case_files import read_cases, write_cases
from monai_cardiac_gan.evaluation.lesion_cases import HEALTHY, OURS, Lesion, LesionCase

SOURCE = np.random.default_rng(0)


def case(kind, severity, error=None):
    heights = np.arange(5.0, 55.0, 10.0)
    levels = {
        OURS: ScoredLevels(heights, SOURCE.normal(size=(5, len(SIGNS))), np.arange(5) > 0),
        "U-Net": ScoredLevels(heights, SOURCE.normal(size=(5, 1)), np.arange(5) > 1, ("U-Net",)),
    }
    maps = {OURS: SOURCE.normal(size=(2, 4, 4)).astype(np.float16)}
    return LesionCase(
        "ann", Lesion(kind, severity), levels, SOURCE.random(5), maps, SOURCE.random((2, 4, 4)) > 0.5, error
    )


def test_what_is_written_is_read_as_it_was(tmp_path):
    written = [case(HEALTHY, 0.0), case("flap", 2 / 3), case("mass", 1.0, "no aorta was found")]
    write_cases(tmp_path / "ann.npz", written)
    for one, other in zip(written, read_cases(tmp_path / "ann.npz"), strict=True):
        assert (one.subject, one.lesion, one.error) == (other.subject, other.lesion, other.error)
        assert one.levels.keys() == other.levels.keys()
        for name in one.levels:
            assert one.levels[name].signs == other.levels[name].signs
            np.testing.assert_array_equal(one.levels[name].scores, other.levels[name].scores)
            np.testing.assert_array_equal(one.levels[name].is_compared, other.levels[name].is_compared)
        assert list(other.maps) == [OURS]
        np.testing.assert_array_equal(one.maps[OURS], other.maps[OURS])
        np.testing.assert_array_equal(one.truth, other.truth)
        np.testing.assert_array_equal(one.amounts, other.amounts)


@pytest.mark.parametrize("content", [b"", b"nothing", b"PK\x03\x04"])
def test_a_damaged_file_is_named(tmp_path, content):
    path = tmp_path / "ann.npz"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"ann\.npz: holds no cases .* remove it, and run again"):
        read_cases(path)


def test_half_a_file_is_named(tmp_path):
    path = tmp_path / "ann.npz"
    write_cases(path, [case(HEALTHY, 0.0)])
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(ValueError, match="holds no cases"):
        read_cases(path)
