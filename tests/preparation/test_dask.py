"""The same work on a Dask cluster of two processes on this machine."""

import os
import signal
import sys
import threading
import time

import pytest

from monai_cardiac_gan.data import read_datalist
from monai_cardiac_gan.data.patch_set import PATCHES
from monai_cardiac_gan.preparation import PreparePatchSet

distributed = pytest.importorskip("distributed")
dask = pytest.importorskip("dask")

COUNT = 6


@pytest.fixture(scope="module")
def cluster():
    # workers that are killed come back under a nanny; port 0 takes any that is free
    settings = {"distributed.worker.daemon": False, "distributed.comm.timeouts.connect": "60s"}
    with (
        dask.config.set(settings),
        distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None, memory_limit=0) as cluster,
    ):
        yield cluster


def patches_of(folder):
    return {path.parent.name: path.read_bytes() for path in sorted((folder / "volumes").glob(f"*/{PATCHES}"))}


def test_a_cluster_with_a_worker_killed_half_way_gives_the_same_bytes(cluster, tmp_path, write_tube):
    for seed in range(COUNT):
        write_tube(f"s{seed}.nii.gz", seed, tmp_path / "hearts")
    records = read_datalist(tmp_path / "hearts")
    PreparePatchSet(records, str(tmp_path / "one")).run()
    killed = KillWhenHalfDone(tmp_path / "two" / "volumes", cluster.workers[0].pid)
    killed.start()
    entries = PreparePatchSet(records, str(tmp_path / "two"), scheduler=cluster.scheduler_address).run()
    killed.join()
    assert killed.happened
    assert [entry.status for entry in entries] == ["kept"] * COUNT
    assert patches_of(tmp_path / "one") == patches_of(tmp_path / "two")
    assert len(patches_of(tmp_path / "two")) == COUNT


class KillWhenHalfDone(threading.Thread):
    """Ends a process by SIGKILL as soon as a third of the volumes are there."""

    def __init__(self, volumes, pid):
        super().__init__()
        self.volumes, self.pid, self.happened = volumes, pid, False

    def run(self):
        while not self.volumes.exists() or len(list(self.volumes.glob(f"[!.]*/{PATCHES}"))) < COUNT // 3:
            time.sleep(0.005)
        os.kill(self.pid, signal.SIGKILL)
        self.happened = True


def test_without_dask_the_message_says_what_to_install(monkeypatch, tmp_path, write_tube):
    write_tube("s0.nii.gz", 0, tmp_path / "hearts")
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(ImportError, match=r"pip install 'monai_cardiac_gan\[cluster\]'"):
        PreparePatchSet(read_datalist(tmp_path / "hearts"), str(tmp_path / "set"), scheduler="tcp://nowhere:1").run()
