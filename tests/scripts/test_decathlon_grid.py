import csv
import importlib.util
from pathlib import Path

import nibabel
import numpy as np
import pytest

ROOT = Path(__file__).parents[2]
RIM_MM = 32 * 1.25


@pytest.fixture(scope="module")
def script():
    spec = importlib.util.spec_from_file_location("decathlon_grid", ROOT / "scripts" / "decathlon_grid.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def own_file(folder, array):
    """As the data set has it: axes A, S, R under a header that claims R, A, S."""
    (folder / "imagesTr").mkdir(exist_ok=True)
    nibabel.save(nibabel.Nifti1Image(array, np.diag([1.25, 1.25, 1.37, 1])), folder / "imagesTr" / "la_003.nii.gz")


def test_the_rim_is_cut_and_places_keep_their_millimetres(script, tmp_path):
    array = np.zeros((320, 320, 20), dtype=np.int16)
    array[100, 200, 7] = 900
    own_file(tmp_path, array)
    script.main([str(tmp_path), str(tmp_path / "out"), "la_003"])
    image = nibabel.load(tmp_path / "out" / "la_003.nii.gz")
    assert (image.shape, image.get_data_dtype(), nibabel.aff2axcodes(image.affine)) == (
        (20, 256, 256),
        np.int16,
        tuple("RAS"),
    )
    place = np.argwhere(np.asarray(image.dataobj) == 900)
    assert place.tolist() == [[7, 68, 168]]
    millimetres = image.affine @ [*place[0], 1]
    np.testing.assert_allclose(millimetres[:3], [7 * 1.37, 100 * 1.25, 200 * 1.25], rtol=1e-6)


@pytest.mark.realdata
def test_an_acquired_volume_comes_out_as_the_one_that_was_measured(script, tmp_path, real_hearts):
    cut = np.asarray(nibabel.load(real_hearts / "original_header" / "la_003.nii.gz").dataobj)
    own_file(tmp_path, np.pad(cut, ((32, 32), (32, 32), (0, 0))))
    script.main([str(tmp_path), str(tmp_path / "out")])
    found, measured = (
        nibabel.load(path) for path in (tmp_path / "out/la_003.nii.gz", real_hearts / "images/la_003.nii.gz")
    )
    np.testing.assert_array_equal(np.asarray(found.dataobj), np.asarray(measured.dataobj))
    np.testing.assert_allclose(found.affine[:3, :3], measured.affine[:3, :3], rtol=1e-6)


def test_a_volume_that_was_cut_before_is_refused(script, tmp_path):
    own_file(tmp_path, np.eye(256, dtype=np.int16)[:, :, None].repeat(9, 2))
    with pytest.raises(
        ValueError, match=r"has \(9, 256, 256\) voxels along R, A and S, expected 320 along the last two"
    ):
        script.main([str(tmp_path), str(tmp_path / "out")])


def test_the_reference_has_the_places_in_the_data_sets_own_array():
    lines = (ROOT / "tests/data/aorta_reference.csv").read_text(encoding="utf-8").splitlines()
    rows = list(csv.DictReader(line for line in lines if not line.startswith("#")))
    assert len(rows) == 364
    for row in rows:
        assert float(row["decathlon_z_mm"]) == pytest.approx(1.25 * int(row["slice"]) + RIM_MM)
        if row["x_mm"]:
            assert float(row["decathlon_x_mm"]) == float(row["x_mm"])
            assert float(row["decathlon_y_mm"]) == pytest.approx(float(row["y_mm"]) + RIM_MM)
        else:
            assert row["decathlon_x_mm"] == row["decathlon_y_mm"] == ""
