import json
from pathlib import Path

import pytest
import torch
from ignite.engine import Engine, Events

from monai_cardiac_gan.handlers import TrainingHistory


def run_with(folder, losses, epochs=1, start=0, overwrite=False):
    """Each iteration puts out its loss times its epoch, so that epochs differ."""
    engine = Engine(lambda engine, loss: {"loss": loss * engine.state.epoch, "penalty": 1.0})
    TrainingHistory(folder, overwrite).attach(engine)
    if start:
        engine.load_state_dict({"epoch": start, "max_epochs": epochs, "epoch_length": len(losses)})
    engine.run(losses, max_epochs=epochs)
    return json.loads((Path(folder) / "history.json").read_text())


def row(epoch, loss):
    return {"epoch": epoch, "iterations": 2, "loss": loss, "penalty": 1.0}


def test_each_epoch_has_a_row_with_its_means(tmp_path):
    folder = tmp_path / "new" / "folder"
    assert run_with(folder, [1.0, 3.0], epochs=3) == [row(1, 2.0), row(2, 4.0), row(3, 6.0)]
    assert TrainingHistory(folder).rows() == [row(1, 2.0), row(2, 4.0), row(3, 6.0)]


def test_a_resumed_training_keeps_the_epochs_before_it(tmp_path):
    run_with(tmp_path, [1.0, 3.0], epochs=3)
    assert run_with(tmp_path, [10.0, 30.0], epochs=4, start=2) == [row(1, 2.0), row(2, 4.0), row(3, 60.0), row(4, 80.0)]


def test_a_run_that_ends_within_an_epoch_leaves_a_row_that_the_whole_epoch_replaces(tmp_path):
    history = TrainingHistory(tmp_path)
    engine = Engine(lambda engine, loss: {"loss": loss})
    history.attach(engine)
    engine.add_event_handler(Events.ITERATION_COMPLETED(once=5), lambda engine: engine.terminate())
    engine.run([1.0, 3.0, 8.0], max_epochs=9)
    whole = {"epoch": 1, "iterations": 3, "loss": 4.0}
    assert history.rows() == [whole, {"epoch": 2, "iterations": 2, "loss": 2.0}]

    state, resumed = history.state_dict(), TrainingHistory(tmp_path)
    resumed.load_state_dict(state)
    other = Engine(lambda engine, loss: {"loss": loss})
    resumed.attach(other)
    other.load_state_dict({"iteration": 5, "max_epochs": 2, "epoch_length": 3})
    other.run([8.0], max_epochs=2)
    assert resumed.rows() == [whole, {"epoch": 2, "iterations": 3, "loss": 4.0}]


def test_a_new_training_replaces_the_history_of_an_earlier_one_only_when_told_to(tmp_path):
    rows = run_with(tmp_path, [1.0, 3.0], epochs=3)
    with pytest.raises(FileExistsError, match=r"history\.json: an earlier training wrote this.*--overwrite True"):
        run_with(tmp_path, [5.0, 5.0])
    assert TrainingHistory(tmp_path).rows() == rows
    assert run_with(tmp_path, [5.0, 5.0], overwrite=True) == [row(1, 5.0)]


def test_a_crash_while_writing_leaves_the_file_whole(tmp_path, monkeypatch):
    run_with(tmp_path, [1.0, 3.0])
    monkeypatch.setattr(Path, "replace", lambda *_: (_ for _ in ()).throw(OSError("disk full")))
    with pytest.raises(OSError, match="disk full"):
        run_with(tmp_path, [5.0, 5.0], overwrite=True)
    assert TrainingHistory(tmp_path).rows() == [row(1, 2.0)]


def test_no_unfinished_file_is_left(tmp_path):
    run_with(tmp_path, [1.0, 3.0], epochs=2)
    assert [path.name for path in tmp_path.iterdir()] == ["history.json"]


def test_no_file_means_no_rows(tmp_path):
    assert TrainingHistory(tmp_path).rows() == []


@pytest.mark.parametrize("text", ["[{", '[{"loss": 1}]', "3"])
def test_a_file_that_is_no_history_is_refused(tmp_path, text):
    (tmp_path / "history.json").write_text(text)
    with pytest.raises(
        ValueError, match=r"history\.json is no history of losses, expected a list of rows.*move it away"
    ):
        TrainingHistory(tmp_path).rows()


class Watched(torch.Tensor):
    """A number on a device whose host waits when it is read."""

    reads = 0

    @classmethod
    def __torch_function__(cls, function, types, args=(), kwargs=None):
        if function.__name__ in ("item", "tolist", "__float__", "__bool__", "__int__", "cpu", "numpy"):
            cls.reads += 1
        return super().__torch_function__(function, types, args, kwargs or {})


def test_tensors_are_read_once_an_epoch(tmp_path):
    reads = []
    engine = Engine(lambda engine, loss: {"loss": torch.tensor(loss).as_subclass(Watched), "penalty": 2.0})
    TrainingHistory(tmp_path).attach(engine)
    engine.add_event_handler(Events.ITERATION_COMPLETED, lambda: reads.append(Watched.reads))
    Watched.reads = 0
    engine.run([1.0, 2.0, 6.0], max_epochs=2)
    assert reads == [0, 0, 0, 1, 1, 1]
    assert Watched.reads == 2
    assert TrainingHistory(tmp_path).rows()[1] == {"epoch": 2, "iterations": 3, "loss": 3.0, "penalty": 2.0}


def test_small_numbers_are_not_lost_in_large_sums(tmp_path):
    engine = Engine(lambda engine, loss: {"loss": torch.tensor(loss)})
    TrainingHistory(tmp_path).attach(engine)
    engine.run([2.0**25, 1.0, 1.0, -(2.0**25)])
    assert TrainingHistory(tmp_path).rows()[0]["loss"] == 0.5


def test_metrics_of_the_epoch_are_in_its_row(tmp_path):
    engine = Engine(lambda engine, loss: {"loss": loss})
    history = TrainingHistory(tmp_path)

    @engine.on(Events.EPOCH_COMPLETED)
    def measure(engine):
        engine.state.metrics = {"distance": torch.tensor(0.5), "ratio": float("nan"), "loss": 9.0, "text": "no number"}
        if engine.state.epoch == 2:
            engine.state.metrics = {}

    history.attach(engine)
    engine.run([1.0], max_epochs=2)
    first = {"epoch": 1, "iterations": 1, "distance": 0.5, "ratio": None, "loss": 1.0}
    assert history.rows() == [first, {"epoch": 2, "iterations": 1, "loss": 1.0}]


def test_a_training_stopped_within_an_epoch_has_that_whole_epoch_in_its_row(tmp_path):
    losses = [0.1, 0.2, 0.4, 0.8]

    def engine_with(folder):
        engine = Engine(
            lambda engine, batch: {"loss": torch.tensor(losses[(engine.state.iteration - 1) % 4]), "other": 1}
        )
        history = TrainingHistory(folder)
        history.attach(engine)
        return engine, history

    whole, history = engine_with(tmp_path / "whole")
    whole.run(losses, max_epochs=3)
    first, stopped = engine_with(tmp_path / "parts")
    first.add_event_handler(Events.ITERATION_COMPLETED(once=7), lambda engine: engine.terminate())
    first.run(losses, max_epochs=3)
    torch.save(stopped.state_dict(), tmp_path / "history.pt")
    second, resumed = engine_with(tmp_path / "parts")
    second.load_state_dict(first.state_dict() | {"max_epochs": 3})
    resumed.load_state_dict(torch.load(tmp_path / "history.pt", weights_only=True))
    second.run(losses, max_epochs=3)
    assert resumed.rows() == history.rows()


def test_without_its_state_a_resumed_row_covers_what_came_after(tmp_path):
    engine = Engine(lambda engine, loss: {"loss": loss})
    history = TrainingHistory(tmp_path)
    history.attach(engine)
    history._add(type("Other", (), {"state": type("State", (), {"output": {"loss": 99.0}})}))  # of a run that failed
    engine.load_state_dict({"iteration": 2, "max_epochs": 1, "epoch_length": 4})
    engine.run([5.0, 5.0, 1.0, 3.0], max_epochs=1)
    assert [(row["iterations"], row["loss"]) for row in history.rows()] == [(2, 5.0)]


def test_other_processes_write_nothing(tmp_path):
    engine = Engine(lambda engine, loss: {"loss": loss})
    engine.rank = 1
    TrainingHistory(tmp_path).attach(engine)
    engine.run([1.0])
    assert list(tmp_path.iterdir()) == []
