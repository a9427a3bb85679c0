import operator
import os
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from monai_cardiac_gan.executors import available_cores, local_executor, run_all


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


def test_cores_are_those_that_the_process_may_use():
    assert 1 <= available_cores() <= (os.cpu_count() or 1)
