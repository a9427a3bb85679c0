import io

import pytest
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
