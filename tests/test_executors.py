import operator
import os
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from monai_cardiac_gan.executors import available_cores, choose_executor, local_executor, run_all


def results(workers, function, tasks):
    return {
        task: future.result() for task, future in run_all(function, tasks, lambda: local_executor(workers), workers)
    }


@pytest.mark.parametrize("workers", [1, 2])
def test_each_task_is_done_once(workers):
    assert results(workers, operator.neg, list(range(7))) == {task: -task for task in range(7)}


def test_no_tasks_make_no_executor():
    assert list(run_all(operator.neg, [], lambda: pytest.fail("made"))) == []


def test_what_a_task_raises_is_in_its_future():
    found = dict(run_all(int, ["1", "x"], lambda: local_executor(1), 1))
    assert found["1"].result() == 1
    with pytest.raises(ValueError, match="invalid literal"):
        found["x"].result()


def test_no_more_tasks_are_in_flight_than_asked():
    flying, most = [], []

    def work(task):
        flying.append(task)
        most.append(len(flying))
        threading.Event().wait(0.01)
        flying.remove(task)

    list(run_all(work, list(range(9)), lambda: ThreadPoolExecutor(8), 3))
    assert max(most) <= 3


SCRIPT = """
import operator
from monai_cardiac_gan import executors

def work():
    with executors.local_executor(2) as pool:
        print(list(pool.map(operator.neg, [1, 2])))

{call}
"""


@pytest.mark.parametrize(
    ("call", "guarded"),
    [
        ("work()", False),
        ("if True:\n    work()", False),
        ("if __name__ == '__main__':\n    work()", True),
        ("if '__main__' == __name__:\n    if True:\n        work()", True),
    ],
)
def test_a_script_that_each_process_would_run_again_is_told_what_is_missing(tmp_path, call, guarded):
    script = tmp_path / "mine.py"
    script.write_text(SCRIPT.format(call=call))
    done = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, check=False)
    if guarded:
        assert done.stdout.strip() == "[-1, -2]"
    else:
        assert done.returncode == 1
        assert "mine.py: asks for several processes, each of which would run this script again: put" in done.stderr


@pytest.mark.parametrize("way", ["-c", "-m"])
def test_what_no_process_runs_again_needs_no_guard(tmp_path, way):
    text = SCRIPT.format(call="work()")
    (tmp_path / "package").mkdir()
    (tmp_path / "package" / "__main__.py").write_text(text)
    command = [sys.executable, way, text if way == "-c" else "package"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert done.stdout.strip() == "[-1, -2]", done.stderr


def test_cores_are_those_that_the_process_may_use():
    assert 1 <= available_cores() <= (os.cpu_count() or 1)


@pytest.mark.parametrize(("workers", "count", "width"), [(4, 2, 2), (1, 9, 1), (3, 0, 1), (None, 1, 1), (0, 5, 0)])
def test_no_more_processes_are_made_than_there_are_tasks(workers, count, width):
    make, chosen = choose_executor(workers, None, count, ["operator"])
    assert (make.args, chosen) == ((width, ["operator"]), width)


def test_a_cluster_takes_all_tasks_at_once():
    make, width = choose_executor(4, "tcp://node1:8786", 9)
    assert (make.func.__name__, make.args, width) == ("dask_executor", ("tcp://node1:8786",), None)
