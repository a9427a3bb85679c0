"""The benchmark beside a training program: the textbook loop and ours on the same machine."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
from pathlib import Path

import monai_cardiac_gan

__all__ = ["time_textbook"]

logger = logging.getLogger(__name__)

VARIANTS = ["textbook", "trainer, channels last, fused Adam", "relativistic preset"]


def time_textbook(script: Path, state: Path, kind: str, seconds: float) -> None:
    """Run ``benchmarks/training.py`` for at most so long; it writes ``benchmark.json`` and ``benchmark.txt`` into the state.

    Args:
        script: the benchmark; a warning says so if it is not there.
        state: folder of the files.
        kind: of the device, ``"cpu"`` or ``"cuda"``.
        seconds: after which it is ended, without a result.
    """
    if not script.exists():
        logger.warning("no benchmark: %s is not there", script)
        return
    command = [sys.executable, str(script), "--repeats", "1", "--skip_memory", "--device", kind]
    command += ["--variants", *VARIANTS, "--output", str(state / "benchmark.json")]
    if kind == "cpu":
        command += ["--width", "4", "--batch", "8"]
    root = str(Path(monai_cardiac_gan.__file__).parents[1])
    path = os.pathsep.join(filter(None, [root, os.environ.get("PYTHONPATH")]))
    with (state / "benchmark.txt").open("w", encoding="utf-8") as log:
        # a session of its own, so that the processes that it starts end with it
        process = subprocess.Popen(
            command, stdout=log, stderr=log, env={**os.environ, "PYTHONPATH": path}, start_new_session=True
        )
        try:
            status = process.wait(seconds)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            logger.warning("no benchmark: it did not end within %.0f s", seconds)
            return
    if status:
        logger.warning("no benchmark: status %d, see %s", status, state / "benchmark.txt")
