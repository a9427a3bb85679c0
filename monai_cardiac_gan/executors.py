"""Where work is done: in this process, in several, or on a cluster."""

from __future__ import annotations

import ast
import multiprocessing
import os
import sys
import traceback
from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import (
    FIRST_COMPLETED,
    BrokenExecutor,
    Executor,
    Future,
    ProcessPoolExecutor,
    ThreadPoolExecutor,
    wait,
)
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import loky
import torch

__all__ = ["LostWorkerError", "available_cores", "choose_executor", "dask_executor", "local_executor", "run_all"]

TASK = TypeVar("TASK")
ATTEMPTS = 2
"""How often a task may take its process with it, alone, before it is given up."""
RETRIES = 2
"""Retries of a task that fails on a cluster; Dask moves tasks of workers that die by itself."""


def available_cores() -> int:
    """Cores that this process may use: less than the machine's under an affinity or a container's limit."""
    return int(loky.cpu_count())


class LostWorkerError(RuntimeError):
    """The process that worked on a task died, more than once."""


@contextmanager
def local_executor(workers: int, preloaded: Sequence[str] = ()) -> Iterator[Executor]:
    """An executor with that many processes, each of one thread; with one worker a thread of this process.

    Args:
        workers: processes.
        preloaded: modules that are imported once, for all workers.

    Raises:
        ValueError: when there are no workers.
        RuntimeError: when several processes are asked for by a script that each of them would run again.
    """
    if workers < 1:
        raise ValueError(f"workers is {workers}: expected at least 1, or None for all cores.")
    if workers == 1:
        with ThreadPoolExecutor(1) as thread:
            yield thread
        return
    _refuse_script_without_guard()
    methods = multiprocessing.get_all_start_methods()
    context = multiprocessing.get_context("forkserver" if "forkserver" in methods else "spawn")
    if hasattr(context, "set_forkserver_preload"):
        context.set_forkserver_preload([*preloaded])
    pool = ProcessPoolExecutor(workers, context, initializer=torch.set_num_threads, initargs=(1,))
    try:
        yield pool
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _refuse_script_without_guard() -> None:
    """A new process imports the main script; where that starts processes as it is imported, they die as they begin."""
    main = sys.modules["__main__"]
    path, spec = getattr(main, "__file__", None), getattr(main, "__spec__", None)
    if path is None or (spec is not None and spec.name.endswith("__main__")):  # multiprocessing imports neither
        return
    lines = [
        frame.f_lineno
        for frame, _ in traceback.walk_stack(None)
        if frame.f_globals is vars(main) and frame.f_code.co_name == "<module>"
    ]
    try:
        guards = [part for part in ast.parse(Path(path).read_text(encoding="utf-8")).body if _is_guard(part)]
    except (OSError, SyntaxError, UnicodeDecodeError):  # no Python source, such as an archive
        return
    if any(not any(part.lineno <= line <= (part.end_lineno or line) for part in guards) for line in lines):
        raise RuntimeError(
            f"{path}: asks for several processes, each of which would run this script again: put what it does under "
            "\"if __name__ == '__main__':\", or use workers=1."
        )


def _is_guard(part: ast.stmt) -> bool:
    return isinstance(part, ast.If) and any(isinstance(n, ast.Name) and n.id == "__name__" for n in ast.walk(part.test))


@contextmanager
def dask_executor(scheduler: str) -> Iterator[Executor]:
    """The executor of a running Dask cluster (extra ``cluster``).

    Args:
        scheduler: its address, such as ``tcp://node1:8786``, or the path of a scheduler file.

    Raises:
        ImportError: when dask.distributed is not installed.
    """
    try:
        from distributed import Client
    except ImportError as error:
        raise ImportError(
            "a scheduler was given and dask.distributed is not installed: pip install 'monai_cardiac_gan[cluster]'."
        ) from error
    client = Client(scheduler_file=scheduler) if os.path.isfile(scheduler) else Client(scheduler)
    with client:
        yield client.get_executor(pure=False, retries=RETRIES)


def choose_executor(
    workers: int | None, scheduler: str | None, count: int, preloaded: Sequence[str] = ()
) -> tuple[Callable[[], Any], int | None]:
    """How to make an executor, and how many tasks it has in hand at once, as `run_all` takes them.

    Args:
        workers: processes; None takes all cores.
        scheduler: of a Dask cluster (`dask_executor`), which does the work then.
        count: of the tasks; no more processes are made.
        preloaded: see `local_executor`.
    """
    if scheduler is not None:
        return partial(dask_executor, scheduler), None
    wanted = available_cores() if workers is None else workers
    width = max(1, min(wanted, count)) if wanted > 0 else wanted
    return partial(local_executor, width, preloaded), width


def run_all(
    function: Callable[[TASK], Any],
    tasks: Sequence[TASK],
    make_executor: Callable[[], Any],
    width: int | None = None,
) -> Iterator[tuple[TASK, Future]]:
    """Do all tasks, in any order; a process that dies costs the tasks that it held, once.

    When the executor breaks, the tasks that were in flight are done again, each alone, so that the one that broke it is
    known; it is given up after two deaths.

    Args:
        function: does one task.
        tasks: all of them.
        make_executor: gives a context manager with a fresh executor.
        width: tasks in flight; None hands all over at once, for executors that survive the death of their workers.

    Yields:
        Each task with its future, which is done; that of a task that was given up raises `LostWorkerError`.
    """
    left, suspects = deque(tasks), deque[TASK]()
    deaths: dict[int, int] = {}
    while left or suspects:
        alone = bool(suspects)
        with make_executor() as executor:
            broken = yield from _round(function, suspects if alone else left, executor, 1 if alone else width)
        if alone and broken:
            (task,) = broken
            deaths[id(task)] = deaths.get(id(task), 0) + 1
            if deaths[id(task)] < ATTEMPTS:
                suspects.append(task)
            else:
                yield task, _lost()
        else:
            suspects.extend(broken)


def _round(
    function: Callable[[TASK], Any], queue: deque[TASK], executor: Executor, width: int | None
) -> Generator[tuple[TASK, Future], None, list[TASK]]:
    """Work through a queue until it is empty or the executor breaks; returns the tasks that were in flight then."""
    flying: dict[Future, TASK] = {}
    broken: list[TASK] = []
    while (queue or flying) and not broken:
        while queue and (width is None or len(flying) < width):
            task = queue.popleft()
            try:
                flying[executor.submit(partial(function, task))] = task
            except BrokenExecutor:
                broken.append(task)
                break
        done, _ = wait(flying, return_when=FIRST_COMPLETED)
        for future in done:
            task = flying.pop(future)
            if isinstance(future.exception(), BrokenExecutor):
                broken.append(task)
            else:
                yield task, future
    return broken + list(flying.values())


def _lost() -> Future:
    future: Future = Future()
    future.set_exception(
        LostWorkerError(
            f"the process that worked on it died {ATTEMPTS} times, alone; was it out of memory? See the system's log."
        )
    )
    return future
