import os

import pytest

from monai_cardiac_gan.inferers.loaded_once import LoadedOnce


@pytest.fixture
def loaded():
    return LoadedOnce()


def test_equal_settings_share_what_was_loaded(loaded):
    first = loaded.of({"a": 1, "b": 2}, (), object)
    assert loaded.of({"b": 2, "a": 1}, (), object) is first
    assert loaded.of({"a": 1, "b": 3}, (), object) is not first


@pytest.mark.parametrize("change", ["time", "size", "missing"])
def test_a_file_that_changed_is_loaded_anew(loaded, tmp_path, change):
    path = tmp_path / "weights.pt"
    path.write_bytes(b"one")
    first = loaded.of({}, [str(path)], object)
    assert loaded.of({}, [str(path)], object) is first
    before = path.stat()
    if change == "missing":
        path.unlink()
    else:
        path.write_bytes(b"two" if change == "time" else b"three")
        later = before.st_mtime_ns + (1000 if change == "time" else 0)
        os.utime(path, ns=(later, later))
    second = loaded.of({}, [str(path)], object)
    assert second is not first
    assert loaded.of({}, [str(path)], object) is second


def test_what_could_not_be_loaded_is_tried_again(loaded):
    with pytest.raises(ZeroDivisionError):
        loaded.of({}, (), lambda: 1 / 0)
    assert loaded.of({}, (), lambda: 7) == 7
