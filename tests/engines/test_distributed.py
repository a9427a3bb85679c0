import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest
import torch

SCRIPT = Path(__file__).with_name("distributed_run.py")
TIME_LIMIT = 120
"""Seconds after which processes that wait for each other are taken for a deadlock; a run takes about 15."""


def torchrun(folder, failing_rank=-1):
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node=2"]
    return subprocess.run(
        [*command, SCRIPT, folder, str(failing_rank)], capture_output=True, text=True, timeout=TIME_LIMIT, check=False
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("two")
    finished = torchrun(folder)
    assert finished.returncode == 0, finished.stderr
    return folder


@pytest.mark.parametrize("name", ["wgan_gp", "relativistic"])
def test_two_processes_equal_one_with_the_whole_batch(folder, name):
    spec = importlib.util.spec_from_file_location("distributed_run", SCRIPT)
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    alone = script.train(script.OBJECTIVES[name], rank=0, count=1)
    expected = {f"generator.{key}": value for key, value in alone.generator.state_dict().items()}
    expected |= {f"critic.{key}": value for key, value in alone.critic.state_dict().items()}
    for rank in (0, 1):
        weights, output = torch.load(folder / f"{name}_{rank}.pt", weights_only=True)
        assert weights.keys() == expected.keys()
        for key, value in expected.items():
            torch.testing.assert_close(weights[key], value, rtol=0, atol=1e-5, msg=f"{key} of process {rank}")
        numbers = {key: float(value) for key, value in alone.state.output.items()}
        assert output == pytest.approx(numbers, abs=1e-4)


def test_only_the_first_process_writes(folder):
    assert sorted(path.name for path in folder.glob("rank*/*")) == ["relativistic", "wgan_gp"]
    assert (folder / "rank0").is_dir()


def test_a_process_that_fails_stops_the_other(tmp_path):
    finished = torchrun(tmp_path, failing_rank=1)
    assert finished.returncode != 0
    assert "The critic's loss is nan" in finished.stderr
