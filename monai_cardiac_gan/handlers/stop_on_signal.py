"""Stop a training in good order when somebody asks for it."""

from __future__ import annotations

import logging
import os
import signal
import threading
from collections.abc import Sequence
from typing import Any

import torch
from ignite.engine import Engine, Events

from monai_cardiac_gan.engines import Processes, is_first_process
from monai_cardiac_gan.handlers.atomic_checkpoint_saver import AtomicCheckpointSaver

__all__ = ["StopOnSignal"]

logger = logging.getLogger(__name__)

SIGNALS = (signal.SIGTERM, signal.SIGINT)
"""What a cluster sends before it takes the machine away, and Ctrl-C."""
SKIPS_COMPLETED = "skip_completed"
"""Ignite's mark of a run that was terminated and will fire no ``COMPLETED``."""


class StopOnSignal:
    """Ignite handler: on SIGTERM or SIGINT finish the iteration, write the checkpoint and end the run.

    An iteration that is the last of its epoch ends the epoch first, so that its metrics and its row in the history are
    not lost. A second signal acts as it would without this handler. The engine itself is not changed: signals are listened to
    from ``STARTED`` on, and the earlier signal handlers are put back when the run is completed, interrupted or fails. An
    exception goes on to other handlers of ``EXCEPTION_RAISED``; one of them that raises it before this handler could put
    anything back leaves that to the next signal.

    Python delivers signals to the main thread alone. A run in another thread is left as it is, with a line in the log.

    Several processes that train together have to stop after the same iteration: every few iterations they tell each other
    whether one of them was asked.

    Args:
        checkpoint: what is written; its objects should hold all that a resumed run needs.
        signals: which signals are listened to.
        agree_every: iterations from one agreement of several processes to the next.

    Raises:
        ValueError: when `agree_every` is below 1.
    """

    def __init__(
        self, checkpoint: AtomicCheckpointSaver, signals: Sequence[signal.Signals] = SIGNALS, agree_every: int = 10
    ) -> None:
        if agree_every < 1:
            raise ValueError(f"agree_every is {agree_every}: expected at least 1.")
        self.checkpoint, self.signals, self.agree_every = checkpoint, tuple(signals), agree_every
        self._asked_by: str | None = None
        self._stops = False
        self._pauses = False
        self._engine: Engine | None = None
        self._earlier: dict[int, Any] = {}
        self._process = os.getpid()

    def attach(self, engine: Engine) -> None:
        """Listen while the engine runs."""
        self.checkpoint.earlier.attach(engine)
        engine.add_event_handler(Events.STARTED, self._begin)
        engine.add_event_handler(Events.ITERATION_STARTED, self._listen_again)
        engine.add_event_handler(Events.ITERATION_COMPLETED, self._after_iteration)
        engine.add_event_handler(Events.EPOCH_COMPLETED, self._stop_if_asked)
        engine.add_event_handler(Events.TERMINATE, self._write)
        engine.add_event_handler(Events.INTERRUPT, self._pause)
        engine.add_event_handler(Events.COMPLETED, self._put_back)
        engine.add_event_handler(Events.EXCEPTION_RAISED, self._fail)

    def _begin(self, engine: Engine) -> None:
        self._asked_by, self._stops, self._pauses = None, False, False
        self._engine, self._process = engine, os.getpid()
        if threading.current_thread() is not threading.main_thread():
            logger.warning("The training runs outside the main thread: signals will not stop it in good order.")
            return
        self._listen()

    def _listen(self) -> None:
        for number in self.signals:
            self._earlier[number] = signal.signal(number, self._ask)

    def _pause(self) -> None:
        """An interrupted run gives the program back to its caller, and may go on without a new start."""
        self._pauses = bool(self._earlier)
        self._put_back()

    def _listen_again(self) -> None:
        if self._pauses:
            self._pauses = False
            self._listen()

    def _fail(self, engine: Engine, error: BaseException) -> None:
        self._put_back()
        # Ignite raises by itself only what nobody handles, and without this handler nobody would
        if len(engine._event_handlers[Events.EXCEPTION_RAISED]) == 1:
            raise error

    def _ask(self, number: int, frame: Any) -> None:
        if os.getpid() != self._process:  # a child, such as a worker of a loader, that inherited this handler
            self._act_as_usual(number)
            return
        if self._engine is not None and self._engine.last_event_name is Events.EXCEPTION_RAISED:  # the run is over
            self._put_back()
            os.kill(os.getpid(), number)
            return
        self._asked_by = signal.Signals(number).name
        self._put_back()  # a second signal acts as usual

    @staticmethod
    def _act_as_usual(number: int) -> None:
        if number != signal.SIGINT:  # Ctrl-C goes to all processes, and the iteration may still need this one
            signal.signal(number, signal.SIG_DFL)
            os.kill(os.getpid(), number)

    def _put_back(self) -> None:
        for number, handler in self._earlier.items():
            signal.signal(number, signal.SIG_DFL if handler is None else handler)
        self._earlier.clear()

    def _after_iteration(self, engine: Engine) -> None:
        within = engine.state.iteration % (engine.state.epoch_length or engine.state.iteration + 1)
        if within and (Processes().count == 1 or within % self.agree_every == 0):
            self._stop_if_asked(engine)

    def _stop_if_asked(self, engine: Engine) -> None:
        if _any_process(self._asked_by is not None, engine):
            self._stops = True
            engine.terminate()

    def _write(self, engine: Engine) -> None:
        """Write when all handlers of the last event are through; other reasons to terminate are not ours."""
        if engine.should_terminate == SKIPS_COMPLETED:
            self._put_back()
        if not self._stops:
            return
        self.checkpoint(engine)
        if is_first_process(engine):
            logger.warning(
                "Stopped by %s after iteration %d (epoch %d). The state is in %s: to go on from there, load it before "
                "running, with monai.handlers.CheckpointLoader or, in a bundle, with '--resume True'.",
                self._asked_by or "a signal to another process",
                engine.state.iteration,
                engine.state.epoch,
                self.checkpoint.path,
            )


def _any_process(asked: bool, engine: Engine) -> bool:
    processes = Processes()
    if processes.count == 1:
        return asked
    return bool(processes.mean(torch.tensor(float(asked), device=engine.state.device)) > 0)
