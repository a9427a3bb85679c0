import json

import nibabel as nib
import numpy as np
import pytest

from monai_cardiac_gan.phantom import WholeHeartPhantom
from monai_cardiac_gan.phantom.files import truth_folder

PHANTOM = WholeHeartPhantom(shape=(44, 48, 40), spacing=(3.0, 4.0, 5.0))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("study") / "images"
    PHANTOM.write(folder, seeds=[4, 12])
    return folder


def test_images_are_read_back_with_their_axes_and_spacing(folder):
    volume, image = PHANTOM(4), nib.load(folder / "phantom_0004.nii.gz")
    np.testing.assert_array_equal(np.asanyarray(image.dataobj), volume.image)
    np.testing.assert_allclose(image.affine, volume.affine, atol=1e-4)
    assert nib.aff2axcodes(image.affine) == ("R", "A", "S")
    assert image.header.get_zooms() == (3.0, 4.0, 5.0)
    assert image.get_data_dtype() == np.int16


def test_the_image_folder_holds_images_alone(folder):
    assert sorted(path.name for path in folder.rglob("*")) == ["phantom_0004.nii.gz", "phantom_0012.nii.gz"]


def test_truth_lies_beside_the_images(folder):
    truth, volume = truth_folder(folder), PHANTOM(12)
    labels = nib.load(truth / "phantom_0012_labels.nii.gz")
    np.testing.assert_array_equal(np.asanyarray(labels.dataobj), volume.labels)
    record = json.loads((truth / "phantom_0012_aorta.json").read_text())
    assert record["slices"] == volume.aorta.slices.tolist()
    np.testing.assert_allclose(record["centres_mm"], volume.aorta.centres_mm)
    np.testing.assert_allclose(record["diameters_mm"], volume.aorta.diameters_mm)


def test_written_paths_are_returned_in_order(tmp_path):
    paths = PHANTOM.write(tmp_path / "images", seeds=[1, 0])
    assert [path.name for path in paths] == ["phantom_0001.nii.gz", "phantom_0000.nii.gz"]
    assert all(path.is_file() for path in paths)


def test_an_interrupted_write_leaves_nothing_behind(tmp_path, monkeypatch):
    def full_disk(image, path):
        path.write_bytes(b"half an image")
        raise OSError("no space left on device")

    monkeypatch.setattr(nib, "save", full_disk)
    with pytest.raises(OSError, match="no space left"):
        PHANTOM.write(tmp_path / "images", seeds=[0])
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
