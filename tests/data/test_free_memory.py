import psutil
import pytest
import torch

from monai_cardiac_gan.data import free_memory
from monai_cardiac_gan.data.free_memory import free_bytes

GIB = 2**30


@pytest.fixture
def machine(tmp_path, monkeypatch):
    """A machine with 100 GiB free, and a place for its control groups."""
    monkeypatch.setattr(psutil, "virtual_memory", lambda: type("Memory", (), {"available": 100 * GIB}))
    monkeypatch.setattr(free_memory, "CGROUP", tmp_path / "cgroup")
    monkeypatch.setattr(free_memory, "OWN_GROUPS", tmp_path / "self")

    def group(path, **files):
        folder = tmp_path / "cgroup" / path
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in files.items():
            (folder / f"memory.{name}").write_text(f"{content}\n")

    group.own = (tmp_path / "self").write_text
    return group


def test_without_groups_it_is_what_the_machine_can_give(machine):
    assert free_bytes("cpu") == 100 * GIB


def test_a_container_that_sees_its_own_group_as_the_root(machine):
    machine("", max=8 * GIB, current=3 * GIB)
    machine.own("0::/\n")
    assert free_bytes(torch.device("cpu")) == 5 * GIB


def test_no_limit_and_a_limit_above_the_machine(machine):
    machine("", max="max", current=3 * GIB)
    assert free_bytes("cpu") == 100 * GIB
    machine("", max=200 * GIB, current=3 * GIB)
    assert free_bytes("cpu") == 100 * GIB


def test_cached_files_are_free(machine):
    machine("", max=8 * GIB, current=8 * GIB, stat=f"anon {2 * GIB}\nactive_file 7\ninactive_file {6 * GIB}\n")
    assert free_bytes("cpu") == 6 * GIB


def test_nothing_is_left_where_more_is_used_than_allowed(machine):
    machine("", max=GIB, current=2 * GIB)
    assert free_bytes("cpu") == 0


@pytest.mark.parametrize(("job", "step", "expected"), [(16, "max", 10), (16, 4, 3), (7, 9, 1)])
def test_the_tightest_of_nested_groups_counts(machine, job, step, expected):
    """As Slurm makes them: the process sees the whole tree, and its own place in it."""
    limits = {"slurm/job_7": (job, 6), "slurm/job_7/step_0": (step, 1)}
    machine("slurm", max="max", current=50 * GIB)
    for path, (most, now) in limits.items():
        machine(path, max=most if most == "max" else most * GIB, current=now * GIB)
    machine("slurm/job_8", max=0, current=0)  # of somebody else
    machine.own("0::/slurm/job_7/step_0\n")
    assert free_bytes("cpu") == expected * GIB


@pytest.mark.parametrize("path", ["", "docker/1234"])
def test_groups_of_version_1(machine, path):
    machine(f"memory/{path}", limit_in_bytes=8 * GIB, usage_in_bytes=5 * GIB, stat=f"total_inactive_file {GIB}")
    machine.own(f"9:name=systemd:/\n5:cpu,cpuacct:/docker/1234\n4:memory:/{path}\n")
    assert free_bytes("cpu") == 4 * GIB


def test_files_that_say_something_else_are_passed_over(machine):
    machine("", max="8G", current="much")
    assert free_bytes("cpu") == 100 * GIB


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU")
def test_a_gpu_is_asked_itself():
    assert 0 < free_bytes("cuda") <= torch.cuda.get_device_properties(0).total_memory
