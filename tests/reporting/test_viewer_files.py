import json
import re
from dataclasses import replace

import itk
import jsonschema
import nibabel
import numpy as np
import pytest
import torch
from monai.transforms import Orientation

from monai_cardiac_gan.reporting import write_centre_line, write_colours, write_volume
from monai_cardiac_gan.reporting.subject_results import Answer, LevelResult, Scan, Stretch, Subject, SubjectResults
from monai_cardiac_gan.transforms import LoadVolume

NUMBERS = {"type": "array", "items": {"type": "number"}}
COLOUR = {"type": "array", "items": {"type": "number", "minimum": 0, "maximum": 1}, "minItems": 3, "maxItems": 3}
MARKUPS = {
    "type": "object",
    "required": ["@schema", "markups"],
    "properties": {
        "@schema": {"type": "string", "pattern": r"markups-schema-v1\.0\.3\.json#$"},
        "markups": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["type", "coordinateSystem", "controlPoints"],
                "additionalProperties": False,
                "properties": {
                    "type": {"enum": ["Fiducial", "Line", "Angle", "Curve", "ClosedCurve", "Plane", "ROI"]},
                    "name": {"type": "string"},
                    "coordinateSystem": {"enum": ["LPS", "RAS"]},
                    "coordinateUnits": {"enum": ["mm", "um"]},
                    "locked": {"type": "boolean"},
                    "fixedNumberOfControlPoints": {"type": "boolean"},
                    "controlPoints": {
                        "type": "array",
                        "minItems": 1,
                        "items": {
                            "type": "object",
                            "required": ["position"],
                            "additionalProperties": False,
                            "properties": {
                                "id": {"type": "string"},
                                "label": {"type": "string"},
                                "description": {"type": "string"},
                                "position": {**NUMBERS, "minItems": 3, "maxItems": 3},
                                "selected": {"type": "boolean"},
                                "locked": {"type": "boolean"},
                                "visibility": {"type": "boolean"},
                                "positionStatus": {"enum": ["undefined", "preview", "defined"]},
                            },
                        },
                    },
                    "measurements": {
                        "type": "array",
                        "items": {
                            "type": "object",
                            "additionalProperties": False,
                            "properties": {
                                "name": {"type": "string"},
                                "enabled": {"type": "boolean"},
                                "units": {"type": "string"},
                                "printFormat": {"type": "string"},
                                "controlPointValues": NUMBERS,
                            },
                        },
                    },
                    "display": {
                        "type": "object",
                        "additionalProperties": False,
                        "properties": {
                            "color": COLOUR,
                            "selectedColor": COLOUR,
                            "pointLabelsVisibility": {"type": "boolean"},
                        },
                    },
                },
            },
        },
    },
}
"""What 3D Slicer's schema says of the parts that are written; it allows more, and says nothing against any of this."""
SHAPE, AFFINE = (40, 40, 30), np.array([[-1.0, 0, 0, 20], [0, 0, 1.5, -60], [0, -1.2, 0, 90], [0, 0, 0, 1]])


def level(mm, centre, diameter=22.0, **known):
    values = {
        "slice": 5, "name": "mid-thoracic", "inscribed_mm": 21.5, "area_mm2": 400.0, "eccentricity": 0.1, "confidence": 0.9,
        "is_compared": True, "expected_mm": 21.0, "low_mm": 18.0, "high_mm": 24.0, "z": 0.7,
    }  # fmt: skip
    return LevelResult(mm_from_top=mm, centre_mm=tuple(centre), area_equivalent_mm=diameter, **values | known)


def results(levels, stretches=()):
    answer = Answer("wider than expected" if stretches else "as expected", "...", stretches=tuple(stretches))
    scan = Scan(4.0, "automatic", {}, 0.9, 200.0, 0.6, SHAPE, (1.0, 1.2, 1.5), 2)
    return SubjectResults(Subject("a", "a.nii.gz"), answer, scan, tuple(levels), (), (), None, None, None, {}, {})


COURSE = [(-3.0 + number, 12.0 - number, 70.0 - 10 * number) for number in range(4)]
LEVELS = [
    level(
        0.0,
        COURSE[0],
        is_compared=False,
        reason="end of the vessel",
        expected_mm=None,
        low_mm=None,
        high_mm=None,
        z=None,
    ),
    level(10.0, COURSE[1]),
    level(20.0, COURSE[2], 31.0, z=6.5),
    level(30.0, COURSE[3]),
]


def written(tmp_path, *arguments):
    content = json.loads(write_centre_line(tmp_path / "centre_line.mrk.json", results(*arguments)).read_text())
    jsonschema.validate(content, MARKUPS)
    return content["markups"]


def test_the_parts_say_what_was_acquired_compared_and_found_to_differ(tmp_path):
    line, compared, differing = written(tmp_path, LEVELS, [Stretch("wider than expected", 15.0, 25.0, 1)])
    assert [part["type"] for part in (line, compared, differing)] == ["Curve", "Curve", "Fiducial"]
    assert [point["label"] for point in line["controlPoints"]] == [f"{mm} mm mid-thoracic" for mm in (0, 10, 20, 30)]
    measured = {
        part["name"]: {each["name"]: each["controlPointValues"] for each in part["measurements"]}
        for part in (line, compared)
    }
    assert measured["descending aorta"] == {
        "distance from the top": [0, 10, 20, 30],
        "acquired diameter": [22, 22, 31, 22],
    }
    assert measured["compared levels"] == {
        "acquired diameter": [22, 31, 22], "expected diameter": [21, 21, 21], "expected at least": [18, 18, 18],
        "expected at most": [24, 24, 24], "z": [0.7, 6.5, 0.7],
    }  # fmt: skip
    (point,) = differing["controlPoints"]
    assert point["description"] == "slice 5, acquired 31.0 mm, expected 21.0 mm, interval 18.0 to 24.0 mm"


def test_every_measurement_has_a_value_for_each_point_and_unknown_ones_are_left_out(tmp_path):
    line, compared = written(
        tmp_path, [*LEVELS[:2], replace(LEVELS[2], z=None, high_mm=None), replace(LEVELS[3], area_equivalent_mm=None)]
    )
    for part in (line, compared):
        assert {len(each["controlPointValues"]) for each in part["measurements"]} == {len(part["controlPoints"])}
    assert len(line["controlPoints"]) == 3
    assert [each["name"] for each in compared["measurements"]] == [
        "acquired diameter",
        "expected diameter",
        "expected at least",
    ]
    assert compared["controlPoints"][1]["description"] == "slice 5, acquired 31.0 mm, expected 21.0 mm"


def test_points_lie_in_the_painted_voxels_of_the_written_volume(tmp_path):
    """Read as ITK, and 3D Slicer on it, read them: positions in LPS."""
    nibabel.save(
        nibabel.Nifti1Image(np.full(SHAPE, 7, np.int16) + np.arange(30, dtype=np.int16), AFFINE), tmp_path / "a.nii.gz"
    )
    volume = Orientation("RAS", labels=(("L", "R"), ("P", "A"), ("I", "S")))(LoadVolume()(str(tmp_path / "a.nii.gz")))
    painted = torch.zeros(volume.shape, dtype=torch.bool)
    indices = [(30, 20, 35), (28, 18, 20), (25, 11, 4)]
    for index in indices:
        painted[0][index] = True
    centres = [(np.asarray(volume.affine) @ [*index, 1])[:3] for index in indices]
    path = write_volume(tmp_path / "painted.nii.gz", painted, volume, np.uint8)
    line, _ = written(tmp_path, [level(10.0 * number, centre) for number, centre in enumerate(centres)])
    assert line["coordinateSystem"] == "LPS"
    image, array = itk.imread(str(path)), nibabel.load(path)
    found = set()
    for point in line["controlPoints"]:
        assert image.GetPixel(image.TransformPhysicalPointToIndex(point["position"])) == 1
        ras = np.array([-1, -1, 1]) * point["position"]
        voxel = np.linalg.inv(array.affine) @ [*ras, 1]
        np.testing.assert_allclose(voxel, np.rint(voxel), atol=1e-3)
        found.add(tuple(np.rint(voxel[:3]).astype(int).tolist()))
    assert found == {tuple(index) for index in np.argwhere(np.asarray(array.dataobj)).tolist()}


def test_colours_are_a_table_of_both_labels(tmp_path):
    lines = write_colours(tmp_path / "painted.ctbl").read_text().splitlines()
    rows = [line.split() for line in lines if not line.startswith("#")]
    assert [(row[0], row[1]) for row in rows] == [("0", "background"), ("1", "hole_as_painted")]
    assert all(re.fullmatch(r"\d+", part) and 0 <= int(part) <= 255 for row in rows for part in row[2:])
    assert [len(row) for row in rows] == [6, 6]
    assert rows[0][5] == "0"  # the background is clear


def test_a_file_that_slicer_would_not_know_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r"line\.json: expected a name that ends in \.mrk\.json"):
        write_centre_line(tmp_path / "line.json", results(LEVELS))


def test_a_subject_without_a_diameter_has_no_centre_line(tmp_path):
    with pytest.raises(ValueError, match="no level has a diameter"):
        write_centre_line(tmp_path / "a.mrk.json", results([replace(LEVELS[0], area_equivalent_mm=None)]))
