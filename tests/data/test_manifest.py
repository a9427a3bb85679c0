import json
from dataclasses import fields, replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monai_cardiac_gan.data import (
    KEPT,
    InputState,
    Manifest,
    NearDuplicate,
    PatchRow,
    Provenance,
    VolumeEntry,
    VolumeSource,
    column_table,
    read_manifest,
    read_provenance,
)
from monai_cardiac_gan.data.manifest import (
    FORMAT,
    MANIFEST,
    OUTCOME,
    read_volume_entry,
    write_manifest,
    write_provenance,
    write_volume_entry,
)
from monai_cardiac_gan.keys import PatchColumn

ENTRY = VolumeEntry(
    "ann", "/data/a.nii", "kept", key="a1", split="train", grade=3.5, grader="measures", measures={"noise": None},
    digest="00", track_confidence=0.8, patches=4, row="volumes/a1/row.png", tiles=[{"left": 0}],
)  # fmt: skip
META = {
    PatchColumn.SLICE: 7, PatchColumn.CENTRE_X: 60.5, PatchColumn.CENTRE_Y: 61.0, PatchColumn.DIAMETER: 22.0,
    PatchColumn.CONFIDENCE: 0.9, PatchColumn.PADDED: 0.25,
}  # fmt: skip


def test_a_manifest_comes_back_as_it_was(tmp_path):
    pair = NearDuplicate(["ann", "bob"], ["a.nii", "b.nii"], 0.98)
    excluded = VolumeEntry("bob", "b.nii", reason="blurred")
    manifest = Manifest([ENTRY, excluded], "digest", 0.8, 3, "0.2.0", [["ann", "bob"]], [pair])
    write_manifest(tmp_path, manifest)
    found = read_manifest(tmp_path)
    assert found == manifest
    assert found.kept() == [ENTRY]
    assert found.by_key() == {"a1": ENTRY}
    assert json.loads((tmp_path / MANIFEST).read_text())["format"] == FORMAT


def test_an_outcome_comes_back_as_it_was_and_none_is_none(tmp_path):
    assert read_volume_entry(tmp_path) is None
    write_volume_entry(tmp_path, ENTRY)
    assert read_volume_entry(tmp_path) == ENTRY


def test_a_provenance_comes_back_as_it_was(tmp_path):
    assert read_provenance(tmp_path) is None
    source = VolumeSource("ann", "a.nii", "kept", "", "a1", {"image": InputState(3, 4, 1, "ff")})
    provenance = Provenance("3.11", {"torch": "2.13.0", "itk": None}, {"steps": {"size": 128}}, 0.8, 0, [source])
    write_provenance(tmp_path, provenance)
    assert read_provenance(tmp_path) == provenance


def test_a_set_of_another_format_is_refused(tmp_path):
    (tmp_path / MANIFEST).write_text(json.dumps({"format": "other"}))
    with pytest.raises(ValueError, match="has the format 'other', expected 'monai_cardiac_gan patch set 3'"):
        read_manifest(tmp_path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "is damaged .*; remove it and prepare the patch set again"),
        (
            '{"subject": "ann", "image": "a", "grad": 3}',
            r"does not hold a VolumeEntry \(grad\): it is damaged or was written",
        ),
        ('{"image": "a"}', "does not hold a VolumeEntry .*subject.*: it is damaged or was written by another version"),
    ],
)
def test_damaged_files_are_refused(tmp_path, text, message):
    (tmp_path / OUTCOME).write_text(text)
    with pytest.raises(ValueError, match=message):
        read_volume_entry(tmp_path)


def test_an_unknown_status_is_refused():
    with pytest.raises(ValueError, match=r"the status of a\.nii is 'left out': expected 'kept' or 'excluded'"):
        VolumeEntry("ann", "a.nii", "left out")


def test_an_entry_without_a_key_has_no_folder():
    assert ENTRY.folder == "volumes/a1"
    with pytest.raises(ValueError, match=r"a\.nii has no folder in the patch set: it could not be read \(gone\)"):
        _ = VolumeEntry("ann", "a.nii", reason="gone").folder


NUMBERS = st.floats(-1e6, 1e6)


@given(
    slice=st.integers(0, 2**31 - 1),
    bounds=st.lists(st.integers(0, 128), min_size=4, max_size=4),
    numbers=st.lists(NUMBERS, min_size=7, max_size=7),
    shift=NUMBERS,
)
def test_a_row_comes_back_from_the_table_as_it_was(slice, bounds, numbers, shift):
    row = PatchRow(slice, *bounds, *numbers, affine=np.eye(4) + shift)
    found = PatchRow.read(column_table([row, row]), 1)
    assert found == row
    np.testing.assert_array_equal(found.affine, row.affine)
    assert found.bounds() == bounds


def test_a_row_is_made_of_a_patchs_metadata():
    row = PatchRow.of({**META, "ignored": "x"}, np.eye(4), size=128)
    assert row.meta() == META | {
        PatchColumn.VALID_X_START: 0, PatchColumn.VALID_X_STOP: 128, PatchColumn.VALID_Y_START: 0,
        PatchColumn.VALID_Y_STOP: 128, PatchColumn.INTENSITY_LOW: -1.0, PatchColumn.INTENSITY_HIGH: 1.0,
    }  # fmt: skip
    assert replace(row, valid_y_start=5).bounds() == [0, 128, 5, 128]


def test_every_column_of_a_patch_has_a_field_or_comes_from_its_volume():
    columns = {value for name, value in vars(PatchColumn).items() if not name.startswith("_")}
    of_the_volume = {PatchColumn.SUBJECT, PatchColumn.VOLUME, PatchColumn.GRADE}
    assert {each.name for each in fields(PatchRow)} - {"affine"} == columns - of_the_volume


def test_metadata_that_lack_a_column_are_refused():
    incomplete = {name: value for name, value in META.items() if name != PatchColumn.DIAMETER}
    with pytest.raises(ValueError, match="a patch without diameter_mm: expected all of PatchColumn"):
        PatchRow.of(incomplete, np.eye(4), size=128)


def test_fields_of_an_entry_are_read_by_name_too():
    entry = VolumeEntry("ann", "a.nii", KEPT, key="k", split="test", patches=3)
    assert all(entry[field.name] == getattr(entry, field.name) for field in fields(entry))
    with pytest.raises(KeyError, match="'is_kept' is no field of a volume's entry: expected one of"):
        entry["is_kept"]
