"""What happens to a patch set when its making is disturbed: nothing is lost, nothing half-written."""

import json
import multiprocessing
import time

import nibabel
import numpy as np
import pytest

from monai_cardiac_gan.data import AortaPatchDataset, read_datalist
from monai_cardiac_gan.preparation import PreparePatchSet

COUNT = 6


@pytest.fixture(scope="module")
def processes():
    """Processes that begin with everything imported."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["monai_cardiac_gan.preparation"])
    return context


@pytest.fixture(scope="module")
def hearts(tmp_path_factory, tube):
    folder = tmp_path_factory.mktemp("faults") / "hearts"
    folder.mkdir()
    for seed in range(COUNT):
        volume = tube((90, 90, 30), (1.5, 1.5, 3.0), lambda z: np.stack([50 + 0 * z, 60 + 0 * z]), 24.0, seed=seed)
        nibabel.save(nibabel.Nifti1Image(volume, np.diag([1.5, 1.5, 3.0, 1.0])), folder / f"s{seed}.nii.gz")
    return folder


def preparation(hearts, folder):
    return PreparePatchSet(read_datalist(hearts), str(folder))


@pytest.fixture(scope="module")
def undisturbed(hearts):
    preparation(hearts, hearts.parent / "undisturbed").run()
    return patches_of(hearts.parent / "undisturbed")


def patches_of(folder):
    return {path.parent.name: path.read_bytes() for path in sorted((folder / "volumes").glob("*/patches.npy"))}


def whole_volumes(folder):
    """Volumes under their final names; each must be complete."""
    volumes = folder / "volumes"
    found = [path for path in volumes.iterdir() if not path.name.startswith(".")] if volumes.exists() else []
    for path in found:
        outcome = json.loads((path / "outcome.json").read_text())
        assert len(np.load(path / "patches.npy")) == len(np.load(path / "columns.npy")) == outcome["patches"]
    return len(found)


def test_ten_kills_at_random_moments_lose_at_most_the_volume_in_hand(hearts, undisturbed, processes, tmp_path):
    folder, done, waits = tmp_path / "set", [0], np.random.default_rng(5)
    for number in range(10):
        process = processes.Process(target=preparation(hearts, folder).run)
        process.start()
        time.sleep(waits.uniform(0.1, 1.2))
        while number == 9 and not whole_volumes(folder):  # however slow the machine is
            time.sleep(0.01)
        process.kill()
        process.join()
        done.append(whole_volumes(folder))
        assert done[-1] >= done[-2]
    assert done[-1] > 0
    preparation(hearts, folder).run()
    assert patches_of(folder) == undisturbed
    assert not list((folder / "volumes").glob(".*"))
    assert len(AortaPatchDataset(folder)) > COUNT * 80


def test_a_run_beside_another_is_turned_away_and_disturbs_nothing(hearts, undisturbed, processes, tmp_path):
    folder = tmp_path / "set"
    process = processes.Process(target=preparation(hearts, folder).run)
    process.start()
    while not whole_volumes(folder):
        time.sleep(0.01)
    with pytest.raises(RuntimeError, match="another process is preparing this patch set"):
        preparation(hearts, folder).run()
    process.join()
    assert process.exitcode == 0
    assert patches_of(folder) == undisturbed
