import json
import logging
from dataclasses import replace

import nibabel
import numpy as np
import pytest
import torch
from fake_examiner import results_of
from fake_vessel import SHAPE, measured_vessel

from monai_cardiac_gan.reporting.examined_files import write_examined_files


@pytest.fixture(scope="module")
def painted():
    image, _, expected = measured_vessel(search=True)
    return image, expected


@pytest.fixture
def results():
    return results_of({"image": "a.nii"}, {"diameter": 22.0})


def test_all_files_are_named_and_there(painted, results, tmp_path):
    files = write_examined_files(tmp_path, results, *painted)
    assert set(files) == {"centre line", "expected volume", "painted voxels", "colours of the painted voxels"}
    assert {path.name for path in tmp_path.iterdir()} == set(files.values())
    line = json.loads((tmp_path / files["centre line"]).read_text())
    assert len(line["markups"][0]["controlPoints"]) == 3
    assert np.asarray(nibabel.load(tmp_path / files["painted voxels"]).dataobj).dtype == np.uint8


def test_a_vessel_without_a_diameter_has_no_centre_line(painted, results, tmp_path):
    none = replace(results, levels=tuple(replace(each, area_equivalent_mm=None) for each in results.levels))
    assert write_examined_files(tmp_path, none, *painted, with_volumes=False) == {}
    assert list(tmp_path.iterdir()) == []


def test_without_a_search_there_is_no_expected_volume(painted, results, tmp_path):
    image, expected = painted
    assert set(write_examined_files(tmp_path, results, image, replace(expected, search=None))) == {"centre line"}
    assert not list(tmp_path.glob("*.nii.gz"))


def test_a_slice_that_shows_too_little_stays_as_acquired_and_is_counted(painted, results, tmp_path, caplog):
    image, expected = painted
    pixels = expected.patches.pixels.clone()
    pixels[3] = 1.0
    patches = replace(expected.patches, pixels=pixels)
    with caplog.at_level(logging.WARNING):
        files = write_examined_files(tmp_path, results, image, replace(expected, patches=patches))
    mask = np.asarray(nibabel.load(tmp_path / files["painted voxels"]).dataobj)
    assert mask.any((0, 1)).tolist() == [level != SHAPE[2] - 1 - 3 for level in range(SHAPE[2])]
    assert "1 of 30 slices are as acquired in the expected volume: 0 voxels around the mask" in caplog.text


def test_what_was_painted_goes_into_the_volume_in_its_brightness(painted, results, tmp_path):
    image, expected = painted
    files = write_examined_files(tmp_path, results, image, expected)
    written = torch.from_numpy(np.asarray(nibabel.load(tmp_path / files["expected volume"]).dataobj).copy())
    mask = np.asarray(nibabel.load(tmp_path / files["painted voxels"]).dataobj).astype(bool)
    acquired = image[0].as_tensor()
    assert torch.equal(written[~mask].to(acquired), acquired[~mask])
    # the middle of the disc, and a corner of the hole, both as bright as the volume's blood and tissue
    assert written[30, 30].double().mean() == pytest.approx(float(acquired[30, 30].double().mean()), rel=0.15)
    assert written[20, 20].double().mean() < 0.5 * written[30, 30].double().mean()
