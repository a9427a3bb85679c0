import io
import sys

import pytest
import torch
from ignite.engine import Engine

from monai_cardiac_gan.handlers import TrainingProgress


def run_with(handler, outputs, epochs=1):
    engine = Engine(lambda _, output: output)
    handler.attach(engine)
    engine.run(outputs, max_epochs=epochs)


def test_the_bar_shows_the_chosen_losses_of_each_iteration():
    text = io.StringIO()
    outputs = [{"loss": -1.23456789, "penalty": 0.5}, {"loss": 2.0, "penalty": 1234567.0}]
    run_with(TrainingProgress(["loss", "penalty"], persist=True, file=text, mininterval=0), outputs, epochs=2)
    shown = text.getvalue()
    assert "Epoch [1/2]: [1/2]" in shown
    assert "Epoch [2/2]: [2/2]" in shown
    assert "loss=-1.235, penalty=0.5" in shown
    assert "loss=2, penalty=1.235e+06" in shown


def test_names_that_the_engine_does_not_put_out_are_refused():
    with pytest.raises(ValueError, match="The output holds loss, expected also wasserstein, penalty"):
        TrainingProgress(["loss", "wasserstein", "penalty"]).numbers({"loss": 1.0})


def test_tensors_are_shown_as_numbers():
    shown = TrainingProgress(["loss", "penalty"]).numbers({"loss": torch.tensor(-1.23456), "penalty": torch.tensor(2)})
    assert shown == {"loss": "-1.235", "penalty": "2"}


def times_drawn(output, count=25, epochs=2, rank=0, **options):
    """After which iterations the bar is drawn."""
    engine, drawn = Engine(lambda engine, batch: output), []
    engine.rank = rank
    handler = TrainingProgress(["loss"], file=io.StringIO(), **options)
    handler.numbers = lambda output: drawn.append(engine.state.iteration) or {}
    handler.attach(engine)
    engine.run(range(count), max_epochs=epochs)
    return drawn


def test_numbers_on_a_gpu_are_read_every_few_iterations_and_at_the_ends_of_an_epoch():
    waits = {"loss": torch.zeros((), device="meta")}  # any device but the CPU
    assert times_drawn(waits) == [1, 10, 20, 25, 26, 35, 45, 50]
    assert times_drawn(waits, count=5, every_iterations=3) == [1, 3, 5, 6, 8, 10]


def test_numbers_on_the_cpu_are_shown_each_iteration():
    assert times_drawn({"loss": torch.zeros(())}, count=4) == list(range(1, 9))
    assert times_drawn({"loss": 1.0}, count=4) == list(range(1, 9))


def test_other_processes_show_no_bar():
    assert times_drawn({"loss": 1.0}, rank=1) == []


def test_no_iterations_between_two_looks_are_refused():
    with pytest.raises(ValueError, match="every_iterations is 0: expected at least 1"):
        TrainingProgress(every_iterations=0)


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.mark.parametrize("rank", [0, 1])
def test_where_no_terminal_shows_a_bar_each_epoch_has_one_line_in_the_log(monkeypatch, caplog, rank):
    monkeypatch.setattr(sys, "stderr", stream := io.StringIO())
    engine = Engine(lambda engine, batch: {"loss": torch.tensor(float(engine.state.iteration)), "penalty": 0.5})
    engine.rank = rank
    TrainingProgress(["loss", "penalty"]).attach(engine)
    with caplog.at_level("INFO", logger="monai_cardiac_gan"):
        engine.run(range(50), max_epochs=2)
    assert stream.getvalue() == ""
    lines = ["epoch 1 of 2: loss 50, penalty 0.5", "epoch 2 of 2: loss 100, penalty 0.5"]
    assert [each.message for each in caplog.records if "epoch" in each.message] == (lines if rank == 0 else [])


def test_a_terminal_gets_a_bar_and_no_lines_in_the_log(monkeypatch, caplog):
    monkeypatch.setattr(sys, "stderr", Terminal())
    handler = TrainingProgress(["loss"])
    assert handler.shows_bar
    with caplog.at_level("INFO", logger="monai_cardiac_gan"):
        run_with(handler, [{"loss": 1.0}])
    assert "epoch" not in caplog.text
