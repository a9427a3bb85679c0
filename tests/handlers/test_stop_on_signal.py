import logging
import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
import torch
from ignite.engine import Engine, Events
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from monai_cardiac_gan.data import ResumableBatches
from monai_cardiac_gan.engines import WganGpTrainer
from monai_cardiac_gan.handlers import (
    AtomicCheckpointSaver,
    BestCheckpointSaver,
    GeneratorEMA,
    OverfittingMonitor,
    StopOnSignal,
    TrainingHistory,
)

SIGNALS = (signal.SIGTERM, signal.SIGINT)
IMAGES = torch.rand(16, 1, 4, 4, generator=torch.Generator().manual_seed(2))
PATIENCE = 300
"""Seconds until a test gives up on another process."""


def work(folder, rank=0, count=1):
    """A training that ends when it is asked to; leaves a log, and files that say how far it is."""
    folder = Path(folder)
    logging.basicConfig(filename=folder / f"{rank}.log", force=True)
    torch.set_num_threads(1)
    if count > 1:
        torch.distributed.init_process_group(
            "gloo", init_method=f"file://{folder}/meeting", rank=rank, world_size=count
        )
    generator = nn.Sequential(nn.Linear(4, 4), nn.Unflatten(1, (1, 2, 2)))
    critic = nn.Sequential(nn.Flatten(), nn.Linear(4, 1), nn.Flatten(0))
    trainer = WganGpTrainer(
        device="cpu",
        max_epochs=10_000,
        train_data_loader=[torch.rand(2, 1, 2, 2)] * 1000,
        generator=generator,
        critic=critic,
        generator_optimizer=torch.optim.SGD(generator.parameters(), 0.0),
        critic_optimizer=torch.optim.SGD(critic.parameters(), 0.0),
        latent_size=4,
    )
    StopOnSignal(AtomicCheckpointSaver(folder / "last.pt", {"trainer": trainer}), agree_every=7).attach(trainer)
    trainer.add_event_handler(Events.ITERATION_COMPLETED(once=1), lambda: (folder / f"{rank}.runs").touch())
    trainer.add_event_handler(Events.ITERATION_COMPLETED, lambda: time.sleep(0.001))
    trainer.run()
    (folder / f"{rank}.ended").write_text(str(trainer.state.iteration))


@pytest.fixture(autouse=True)
def usual_handlers():
    """Those of Python, whoever runs the tests; and they are back after each of these tests."""
    outer = {number: signal.getsignal(number) for number in SIGNALS}
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    yield
    found = {number: signal.getsignal(number) for number in SIGNALS}
    for number, handler in outer.items():
        signal.signal(number, handler)
    assert found == {signal.SIGINT: signal.default_int_handler, signal.SIGTERM: signal.SIG_DFL}


def send_at(trainer, iteration, *numbers):
    @trainer.on(Events.ITERATION_STARTED(once=iteration))
    def send():
        for number in numbers:
            os.kill(os.getpid(), number)


@pytest.mark.parametrize("number", SIGNALS)
@pytest.mark.parametrize("iteration", [2, 4, 7])
def test_the_iteration_ends_and_its_state_is_written(trainer_of, tmp_path, caplog, number, iteration):
    trainer, completed = trainer_of(max_epochs=3), []
    StopOnSignal(AtomicCheckpointSaver(tmp_path / "last.pt", {"trainer": trainer})).attach(trainer)
    send_at(trainer, iteration, number)
    trainer.add_event_handler(Events.ITERATION_COMPLETED, lambda engine: completed.append(engine.state.iteration))
    trainer.run()
    assert completed == list(range(1, iteration + 1))
    assert torch.load(tmp_path / "last.pt", weights_only=True)["trainer"]["iteration"] == iteration
    assert f"Stopped by {signal.Signals(number).name} after iteration {iteration} (epoch" in caplog.text
    assert f"The state is in {tmp_path / 'last.pt'}: to go on from there, load it" in caplog.text
    assert "'--resume True'" in caplog.text


def training(trainer_of, folder, epochs=3):
    """A training with all that has a state; four iterations an epoch."""
    data = TensorDataset(IMAGES)
    loader = DataLoader(
        data, batch_sampler=ResumableBatches(data, 4), collate_fn=lambda items: torch.stack([i[0] for i in items])
    )
    trainer = trainer_of(loader, max_epochs=epochs)
    average, history = GeneratorEMA(trainer.generator), TrainingHistory(folder)
    gap = OverfittingMonitor(IMAGES[:8], IMAGES[8:] - 1)
    best = BestCheckpointSaver(folder / "best.pt", average.network, "wasserstein_train")
    parts = {
        "trainer": trainer, "generator": trainer.generator, "critic": trainer.critic, "average": average, "best": best,
        "generator_optimizer": trainer.generator_optimizer, "critic_optimizer": trainer.critic_optimizer, "history": history,
    }  # fmt: skip
    for handler in (average, gap, best, history, StopOnSignal(AtomicCheckpointSaver(folder / "last.pt", parts))):
        handler.attach(trainer)
    return trainer, parts


def assert_same(one, other):
    if isinstance(one, dict):
        assert one.keys() == other.keys()
        for name in one:
            assert_same(one[name], other[name])
    elif isinstance(one, (list, tuple)):
        assert len(one) == len(other)
        for mine, others in zip(one, other, strict=True):
            assert_same(mine, others)
    elif isinstance(one, torch.Tensor):
        assert torch.equal(one, other)
    else:
        assert one == other


@pytest.mark.parametrize("iteration", [1, 4, 6])
def test_a_stopped_and_resumed_training_ends_as_one_that_was_never_stopped(trainer_of, tmp_path, iteration):
    whole, whole_parts = training(trainer_of, tmp_path / "whole")
    whole.run()
    first, parts = training(trainer_of, tmp_path / "parts")
    send_at(first, iteration, signal.SIGTERM)
    first.run()
    assert first.state.iteration == iteration
    second, parts = training(trainer_of, tmp_path / "parts")
    saved = torch.load(tmp_path / "parts" / "last.pt", weights_only=True)
    for name, part in parts.items():
        part.load_state_dict(saved[name])
    second.run()
    for name, part in parts.items():
        assert_same(part.state_dict(), whole_parts[name].state_dict())
    assert parts["history"].rows() == whole_parts["history"].rows()
    assert len(parts["history"].rows()) == 3


def test_a_second_signal_acts_as_usual(trainer_of, tmp_path):
    trainer = trainer_of(max_epochs=3)
    StopOnSignal(AtomicCheckpointSaver(tmp_path / "last.pt", {"trainer": trainer})).attach(trainer)
    send_at(trainer, 2, signal.SIGINT, signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        trainer.run()
    assert trainer.state.iteration == 2
    assert list(tmp_path.iterdir()) == []


def test_earlier_handlers_are_back_after_the_run_and_after_a_failure(trainer_of, tmp_path):
    got = []
    signal.signal(signal.SIGTERM, lambda number, frame: got.append(number))
    earlier = signal.getsignal(signal.SIGTERM)
    trainer, failing = trainer_of(), trainer_of()
    failing.add_event_handler(Events.ITERATION_COMPLETED, lambda: 1 / 0)
    for each in (trainer, failing):
        StopOnSignal(AtomicCheckpointSaver(tmp_path / "last.pt", {"trainer": each})).attach(each)
        each.add_event_handler(Events.STARTED, lambda: got.append(signal.getsignal(signal.SIGTERM) is earlier))
    trainer.run()
    assert signal.getsignal(signal.SIGTERM) is earlier
    with pytest.raises(ZeroDivisionError):
        failing.run()
    assert signal.getsignal(signal.SIGTERM) is earlier
    assert got == [False, False]
    signal.signal(signal.SIGTERM, signal.SIG_DFL)


def test_other_handlers_of_exceptions_still_see_them(trainer_of, tmp_path):
    trainer, seen = trainer_of(), []
    StopOnSignal(AtomicCheckpointSaver(tmp_path / "last.pt", {"trainer": trainer})).attach(trainer)
    trainer.add_event_handler(Events.ITERATION_COMPLETED, lambda: 1 / 0)
    trainer.add_event_handler(Events.EXCEPTION_RAISED, lambda engine, error: seen.append(type(error)))
    trainer.run()
    assert seen[0] is ZeroDivisionError


def test_other_reasons_to_terminate_write_nothing(trainer_of, tmp_path, caplog):
    trainer = trainer_of()
    StopOnSignal(AtomicCheckpointSaver(tmp_path / "last.pt", {"trainer": trainer})).attach(trainer)
    trainer.add_event_handler(Events.ITERATION_COMPLETED, lambda engine: engine.terminate())
    trainer.run()
    assert list(tmp_path.iterdir()) == []
    assert "Stopped by" not in caplog.text


def test_outside_the_main_thread_it_only_says_so(trainer_of, tmp_path, caplog):
    trainer, found = trainer_of(), []
    StopOnSignal(AtomicCheckpointSaver(tmp_path / "last.pt", {"trainer": trainer})).attach(trainer)
    trainer.add_event_handler(Events.STARTED, lambda: found.append(signal.getsignal(signal.SIGTERM)))
    thread = threading.Thread(target=trainer.run)
    thread.start()
    thread.join()
    assert trainer.state.iteration == 4
    assert found == [signal.SIG_DFL]
    assert "outside the main thread: signals will not stop it in good order" in caplog.text


def test_a_child_process_outlives_ctrl_c_but_not_a_termination(trainer_of, tmp_path):
    trainer, ends = trainer_of(), []
    StopOnSignal(AtomicCheckpointSaver(tmp_path / "last.pt", {"trainer": trainer})).attach(trainer)

    @trainer.on(Events.ITERATION_COMPLETED(once=1))
    def fork():
        heard, said = os.pipe()
        child = os.fork()
        if not child:
            os.write(said, b"!")
            time.sleep(60)
            os._exit(0)
        os.read(heard, 1)  # Python drops signals that come while a process forks
        os.kill(child, signal.SIGINT)
        os.kill(child, signal.SIGTERM)
        ends.append(os.waitpid(child, 0)[1])

    trainer.run()
    assert [os.WTERMSIG(end) for end in ends] == [signal.SIGTERM]
    assert trainer.state.iteration == 4


def test_an_agreement_after_no_iterations_is_refused(tmp_path):
    with pytest.raises(ValueError, match="agree_every is 0: expected at least 1"):
        StopOnSignal(AtomicCheckpointSaver(tmp_path / "last.pt", {}), agree_every=0)


def wait_for(path):
    end = time.monotonic() + PATIENCE
    while not path.exists():
        if time.monotonic() > end:
            raise TimeoutError(f"{path.name} did not come")
        time.sleep(0.01)


def test_a_real_process_ends_well_when_it_is_asked_to(tmp_path):
    code = "import runpy, sys; runpy.run_path(sys.argv[1])['work'](sys.argv[2])"
    with subprocess.Popen([sys.executable, "-c", code, __file__, str(tmp_path)]) as process:
        try:
            wait_for(tmp_path / "0.runs")
            process.terminate()
            assert process.wait(PATIENCE) == 0
        finally:
            process.kill()
    iteration = int((tmp_path / "0.ended").read_text())
    assert torch.load(tmp_path / "last.pt", weights_only=True)["trainer"]["iteration"] == iteration
    assert f"Stopped by SIGTERM after iteration {iteration} " in (tmp_path / "0.log").read_text()


def test_processes_that_train_together_stop_together_when_one_is_asked(tmp_path):
    """The second alone is asked; both stop after the same iteration, and the first writes."""
    fork = multiprocessing.get_context("fork")
    processes = [fork.Process(target=work, args=(tmp_path, rank, 2)) for rank in range(2)]
    for process in processes:
        process.start()
    try:
        for rank in range(2):
            wait_for(tmp_path / f"{rank}.runs")
        processes[1].terminate()
        for process in processes:
            process.join(PATIENCE)
    finally:
        for process in processes:
            process.kill()
    assert [process.exitcode for process in processes] == [0, 0]
    first, second = (int((tmp_path / f"{rank}.ended").read_text()) for rank in range(2))
    assert first == second
    assert first % 1000 % 7 == 0
    assert torch.load(tmp_path / "last.pt", weights_only=True)["trainer"]["iteration"] == first
    assert "Stopped by a signal to another process after" in (tmp_path / "0.log").read_text()
    assert "Stopped by" not in (tmp_path / "1.log").read_text()


def test_the_engine_keeps_its_own_run(trainer_of, tmp_path):
    trainer = trainer_of()
    StopOnSignal(AtomicCheckpointSaver(tmp_path / "last.pt", {"trainer": trainer})).attach(trainer)
    assert "run" not in vars(trainer)
    assert trainer.run.__func__ is type(trainer).run


def test_handlers_are_back_where_no_event_tells_that_a_run_is_completed(trainer_of, tmp_path):
    trainer = trainer_of()
    StopOnSignal(AtomicCheckpointSaver(tmp_path / "last.pt", {"trainer": trainer})).attach(trainer)
    trainer.add_event_handler(Events.ITERATION_COMPLETED, lambda engine: engine.terminate(skip_completed=True))
    trainer.run()
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL


def test_an_interrupted_run_listens_again_when_it_goes_on(tmp_path):
    Engine.interrupt_resume_enabled, before = True, Engine.interrupt_resume_enabled
    engine, heard = Engine(lambda engine, batch: None), []
    StopOnSignal(AtomicCheckpointSaver(tmp_path / "last.pt", nn.Linear(1, 1))).attach(engine)
    engine.add_event_handler(Events.ITERATION_COMPLETED(once=1), lambda: engine.interrupt())
    engine.add_event_handler(
        Events.ITERATION_COMPLETED, lambda: heard.append(signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL)
    )
    engine.run([0] * 3, max_epochs=1)
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
    engine.run([0] * 3, max_epochs=1)
    Engine.interrupt_resume_enabled = before
    assert heard == [True] * 3


def test_a_signal_after_a_failure_that_it_was_not_told_of_acts_as_usual(trainer_of, tmp_path):
    trainer, got = trainer_of(), []
    signal.signal(signal.SIGTERM, lambda number, frame: got.append(number))

    @trainer.on(Events.EXCEPTION_RAISED)
    def tell(error):
        raise error

    StopOnSignal(AtomicCheckpointSaver(tmp_path / "last.pt", {"trainer": trainer})).attach(trainer)
    trainer.add_event_handler(Events.ITERATION_COMPLETED, lambda: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        trainer.run()
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(0)  # Python runs handlers between two instructions
    assert got == [signal.SIGTERM]
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
