"""The same reports from a Dask cluster of two processes on this machine."""

import json
import sys

import pytest
from fake_examiner import FakeExaminer, write_cohort, write_page

from monai_cardiac_gan.data import read_datalist
from monai_cardiac_gan.reporting import CohortReport

distributed = pytest.importorskip("distributed")
dask = pytest.importorskip("dask")


@pytest.fixture(scope="module")
def cluster():
    settings = {"distributed.worker.daemon": False, "distributed.comm.timeouts.connect": "60s"}
    with (
        dask.config.set(settings),
        distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None, memory_limit=0) as cluster,
    ):
        yield cluster


@pytest.fixture
def hearts(tmp_path):
    (tmp_path / "hearts").mkdir()
    (tmp_path / "calls").mkdir()
    for number in range(4):
        (tmp_path / "hearts" / f"s{number}.nii").write_text(json.dumps({"diameter": 20.0 + number}))
    (tmp_path / "hearts" / "s4.nii").write_text("no json")
    return tmp_path / "hearts"


def report(hearts, output, scheduler=None):
    examine = FakeExaminer(output.parent / "calls")
    pages = {"write_page": write_page, "write_cohort": write_cohort}
    return CohortReport(read_datalist(hearts), str(output), examine, scheduler=scheduler, **pages).run()


def test_a_cluster_makes_the_same_files(cluster, hearts, tmp_path):
    report(hearts, tmp_path / "one")
    volumes = report(hearts, tmp_path / "two", cluster.scheduler_address)
    assert [volume.folder for volume in volumes] == ["s0", "s1", "s2", "s3", None]
    files = {path.relative_to(tmp_path / "one") for path in (tmp_path / "one").rglob("*") if path.is_file()}
    assert len(files) > 4 * 4
    for file in files:
        assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "two" / file).read_bytes()


def test_without_dask_the_message_says_what_to_install(monkeypatch, hearts, tmp_path):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(ImportError, match=r"pip install 'monai_cardiac_gan\[cluster\]'"):
        report(hearts, tmp_path / "out", "tcp://nowhere:1")
