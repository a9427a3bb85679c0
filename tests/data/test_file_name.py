from pathlib import PurePosixPath, PureWindowsPath
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monai_cardiac_gan.data import file_name_of

NAMES = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=30) | st.sampled_from(
    ["site1/001", "../x", "..", ".", "a\\b", "c:d", "%2F", "x.", "x ", "/etc/passwd", "a%2Fb", "con", "NUL.x"]
)


@given(NAMES)
def test_a_file_name_stays_in_its_folder_and_tells_the_name(name):
    found = file_name_of(name)
    for kind in (PurePosixPath, PureWindowsPath):
        path = kind("folder") / f"{found}_expected.nii.gz"
        assert path.parent == kind("folder")
        assert path.name == f"{found}_expected.nii.gz"
    assert unquote(found) == name  # so that two names never become one file


@pytest.mark.parametrize("name", ["la_003", "sub-01", "Müller 2", "P.7 (b)", "日本"])
def test_plain_names_stay_as_they_are(name):
    assert file_name_of(name) == name


@pytest.mark.parametrize("name", ["CON", "nul", "Aux.1", "com1", "LPT9.x.y", "COM\u00b2", "prn .a", "CONIN$"])
def test_names_of_devices_are_none_for_windows(name):
    assert PureWindowsPath(f"{name}.nii.gz").is_reserved()
    found = file_name_of(name)
    assert not PureWindowsPath(f"{found}.nii.gz").is_reserved()
    assert unquote(found) == name


@pytest.mark.parametrize("name", ["CONNY", "annul", "com10", "lpt", "aux_1", "my.con"])
def test_names_that_only_look_like_devices_stay(name):
    assert file_name_of(name) == name


def test_an_empty_name_is_refused():
    with pytest.raises(
        ValueError, match="the name is empty: expected at least one character; give every volume a subject"
    ):
        file_name_of("")
