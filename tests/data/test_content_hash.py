import hashlib
import os
from dataclasses import replace

import nibabel
import numpy as np
import pytest

from monai_cardiac_gan.data import InputState, input_state, read_input_states, write_input_states


def test_the_digest_of_a_file_is_its_sha256(tmp_path):
    path = tmp_path / "a"
    path.write_bytes(b"12" * 3_000_000)  # more than one block
    state = input_state(path)
    assert state.sha256 == hashlib.sha256(b"12" * 3_000_000).hexdigest()
    assert (state.size, state.files) == (6_000_000, 1)


def test_unchanged_files_are_not_read_again(tmp_path):
    path = tmp_path / "a"
    path.write_bytes(b"one")
    known = input_state(path)
    pretended = replace(known, sha256="from before")
    assert input_state(path, pretended).sha256 == "from before"
    os.utime(path, ns=(0, known.modified + 1))
    assert input_state(path, pretended).sha256 == known.sha256
    path.write_bytes(b"three")
    assert input_state(path, pretended).sha256 == hashlib.sha256(b"three").hexdigest()


def test_states_of_earlier_versions_are_read_again(tmp_path):
    (tmp_path / "a").write_bytes(b"one")
    known = input_state(tmp_path / "a")
    assert input_state(tmp_path / "a", InputState(known.size, known.modified, known.files, "from before")) == known
    write_input_states(tmp_path / "states", {"a": {"image": known}})
    assert read_input_states(tmp_path / "states") == {"a": {"image": known}}


def test_a_folder_s_digest_knows_names_and_content(tmp_path):
    def folder(name, files):
        (tmp_path / name).mkdir()
        for file, content in files.items():
            (tmp_path / name / file).write_bytes(content)
        return input_state(tmp_path / name).sha256

    one = folder("one", {"a": b"xy", "b": b"z"})
    assert one == folder("same", {"b": b"z", "a": b"xy"})
    others = [folder("shifted", {"a": b"x", "b": b"yz"}), folder("renamed", {"a": b"xy", "c": b"z"})]
    assert len({one, *others}) == 3


def replace_keeping_times(path):
    """Other content of the same size, with times that are older by `older`: an archive that was unpacked."""
    times = path.stat()
    path.write_bytes(bytes(255 - byte for byte in path.read_bytes()))
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))


VOXELS = np.random.default_rng(0).integers(0, 1000, (5, 6, 7)).astype(np.int16)
MHD = "ObjectType = Image\nNDims = 3\nDimSize = 5 6 7\nElementType = MET_SHORT\nElementDataFile = {}\n"
NHDR = "NRRD0004\ntype: int16\ndimension: 3\nsizes: 5 6 7\nencoding: raw\ndata file: {}\n"


def detached(header, entry, names):
    def make(folder):
        folder.mkdir()
        (folder / header).write_text((MHD if header.endswith("mhd") else NHDR).format(entry))
        for name in names:
            (folder / name).write_bytes(VOXELS.tobytes())
        return folder / header, [folder / name for name in names]

    return make


def pair(kind, named):
    def make(folder):
        folder.mkdir()
        nibabel.save(kind(VOXELS, np.eye(4)), folder / "a.img")
        return folder / named, [folder / "a.img", folder / "a.hdr"]

    return make


def slices(folder):
    folder.mkdir()
    for number in range(4):
        (folder / f"{number}.dcm").write_bytes(bytes([number]) * 100)
    return folder, [folder / "0.dcm", folder / "3.dcm"]


def single(folder):
    folder.mkdir()
    nibabel.save(nibabel.MGHImage(VOXELS.astype(np.float32), np.eye(4)), folder / "a.mgz")
    return folder / "a.mgz", [folder / "a.mgz"]


@pytest.mark.parametrize(
    "make",
    [
        detached("a.mhd", "a.raw", ["a.raw"]),
        detached("a.mhd", "a.zraw", ["a.zraw"]),
        detached("a.mhd", "LIST\na.raw\nb.raw", ["a.raw", "b.raw"]),
        detached("a.mhd", "a%02d.raw 1 2 1", ["a01.raw", "a02.raw"]),
        detached("a.nhdr", "a.raw", ["a.raw"]),
        detached("a.nhdr", "a.raw.gz", ["a.raw.gz"]),
        detached("a.nhdr", "LIST\na.raw\nb.raw", ["a.raw", "b.raw"]),
        pair(nibabel.AnalyzeImage, "a.hdr"),
        pair(nibabel.Nifti1Pair, "a.hdr"),
        pair(nibabel.Nifti1Pair, "a.img"),
        slices,
        single,
    ],
)
def test_a_change_in_any_file_of_a_volume_is_seen_whatever_its_size_and_time(tmp_path, make):
    path, others = make(tmp_path / "in")
    first = input_state(path)
    assert input_state(path, replace(first, sha256="from before")).sha256 == "from before"
    known = first
    for other in others:
        replace_keeping_times(other)
        state = input_state(path, known)
        assert (state.size, state.modified, state.files) == (first.size, first.modified, first.files)
        assert state.sha256 not in (first.sha256, known.sha256)
        known = state


def test_older_times_are_a_change(tmp_path):
    path, others = slices(tmp_path / "in")
    first = input_state(path)
    newest = max(each.stat().st_mtime_ns for each in path.iterdir())
    os.utime(path / "1.dcm", ns=(newest, newest))
    known = input_state(path)
    others[0].write_bytes(b"x" * 100)
    os.utime(others[0], ns=(0, newest - 10**12))
    assert known.sha256 == first.sha256
    assert (changed := input_state(path, known)).sha256 != first.sha256
    assert changed.modified == newest


def test_a_file_that_a_header_names_in_vain_cannot_be_read(tmp_path):
    (tmp_path / "a.mhd").write_text(MHD.format("gone.raw"))
    with pytest.raises(FileNotFoundError, match=r"gone\.raw"):
        input_state(tmp_path / "a.mhd")
