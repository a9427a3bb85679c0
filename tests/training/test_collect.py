import json
import zipfile

import numpy as np
import pytest

from monai_cardiac_gan.training.collect import MOST_BYTES, collect


def test_files_are_few_small_and_complete(tmp_path):
    state, output = tmp_path / "out" / "state", tmp_path / "out"
    source = np.random.default_rng(0)
    sizes = {
        "model.pt": 9_000_000,
        "critic.pt": 7_000_000,
        "bank.pt": 5_000_000,
        "best.pt": 100,
        "calibration.json": 20,
    }
    (state / "models").mkdir(parents=True)
    for name, size in sizes.items():
        (state / "models" / name).write_bytes(source.bytes(size))  # nothing that could be compressed
    (state / "report").mkdir()
    (state / "report" / "metrics.md").write_text("| metric |")
    (state / "report" / "metrics.json").write_text('{"metrics": []}')
    (output / "log.txt").write_text("begun")
    (output / "weights_7.zip").write_bytes(b"of an earlier call")
    files = collect(state, output, {"seed": 3})
    assert sorted(path.name for path in files) == [
        "log.txt",
        "metrics.md",
        "run.json",
        "weights_0.zip",
        "weights_1.zip",
    ]
    assert sorted(path.name for path in output.iterdir() if path.is_file()) == sorted(path.name for path in files)
    inside = {}
    for path in files:
        assert path.stat().st_size <= MOST_BYTES
        if path.suffix == ".zip":
            with zipfile.ZipFile(path) as archive:
                inside |= {name: len(archive.read(name)) for name in archive.namelist()}
    assert inside == {name: size for name, size in sizes.items() if name != "best.pt"}
    assert json.loads((output / "run.json").read_text()) == {"seed": 3, "metrics": {"metrics": []}}


@pytest.mark.parametrize(("size", "kept"), [(1_400_000, True), (1_600_000, False)])
def test_a_critic_that_only_training_needs_takes_no_file_of_its_own(tmp_path, caplog, size, kept):
    """Three files of 15 MB have room for 1.5 MB each."""
    models = tmp_path / "state" / "models"
    models.mkdir(parents=True)
    source = np.random.default_rng(0)
    for name, count in {
        "a.pt": 15_000_000,
        "b.pt": 15_000_000,
        "c.pt": 15_000_000,
        "amortised_critic.pt": size,
    }.items():
        (models / name).write_bytes(source.bytes(count))
    files = collect(tmp_path / "state", tmp_path, {})
    names = [name for path in files if path.suffix == ".zip" for name in zipfile.ZipFile(path).namelist()]
    assert ("amortised_critic.pt" in names) is kept
    assert {"a.pt", "b.pt", "c.pt"} <= set(names)
    assert ("amortised_critic.pt: left out, 3 files of weights are full" in caplog.text) is not kept
