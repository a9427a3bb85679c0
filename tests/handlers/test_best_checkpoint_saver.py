import math

import pytest
import torch
from ignite.engine import Engine
from torch import nn

from monai_cardiac_gan.handlers import BestCheckpointSaver


def run_with(best, layer, values):
    """One epoch for each value; the weight is the number of the epoch, None leaves the metric out."""

    def step(engine, value):
        layer.weight.data.fill_(engine.state.epoch)
        engine.state.metrics = {} if value is None else {"distance": value}

    engine = Engine(step)
    best.attach(engine)
    engine.run(values, max_epochs=len(values), epoch_length=1)


@pytest.mark.parametrize(
    ("values", "lower", "best_epoch"),
    [
        ([3.0, 1.0, 2.0], True, 2),
        ([3.0, 1.0, 2.0], False, 1),
        ([1.0, 1.0], True, 1),
        ([math.nan, 5.0, math.nan, -math.inf], True, 2),
        ([None, -1.0, None, -2.0, None], True, 4),
        ([torch.tensor(2.0), torch.tensor(4.0)], False, 2),
    ],
)
def test_the_file_holds_the_best_epoch(tmp_path, values, lower, best_epoch):
    layer = nn.Linear(1, 1)
    best = BestCheckpointSaver(tmp_path / "best.pt", layer, "distance", lower_is_better=lower)
    run_with(best, layer, values)
    assert torch.load(tmp_path / "best.pt", weights_only=True)["weight"].item() == best_epoch
    assert best.best == float(values[best_epoch - 1])


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_what_is_not_finite_is_never_best(tmp_path, value):
    layer = nn.Linear(1, 1)
    for lower in (True, False):
        run_with(BestCheckpointSaver(tmp_path / "best.pt", layer, "distance", lower), layer, [value])
    assert list(tmp_path.iterdir()) == []


def test_a_resumed_training_has_to_beat_the_best_of_before(tmp_path):
    layer, path = nn.Linear(1, 1), tmp_path / "best.pt"
    first = BestCheckpointSaver(path, layer, "distance")
    run_with(first, layer, [2.0])
    again = BestCheckpointSaver(path, layer, "distance")
    again.load_state_dict(first.state_dict())
    before = path.read_bytes()
    run_with(again, layer, [3.0])
    assert path.read_bytes() == before
    run_with(again, layer, [3.0, 1.0])
    assert torch.load(path, weights_only=True)["weight"].item() == 2


def test_the_best_of_an_earlier_training_is_replaced_only_when_told_to(tmp_path):
    layer, path = nn.Linear(1, 1), tmp_path / "best.pt"
    run_with(BestCheckpointSaver(path, layer, "distance"), layer, [2.0])
    before = path.read_bytes()
    with pytest.raises(FileExistsError, match=r"best\.pt: an earlier training wrote this"):
        run_with(BestCheckpointSaver(path, layer, "distance"), layer, [1.0])
    assert path.read_bytes() == before
    run_with(BestCheckpointSaver(path, layer, "distance", overwrite=True), layer, [1.0, 0.5])
    assert torch.load(path, weights_only=True)["weight"].item() == 2


def test_the_file_can_hold_its_own_value(tmp_path):
    layer = nn.Linear(1, 1)
    best = BestCheckpointSaver(tmp_path / "best.pt", {}, "distance")
    best.checkpoint.objects = {"layer": layer, "best": best}
    run_with(best, layer, [4.0])
    assert torch.load(tmp_path / "best.pt", weights_only=True)["best"] == {"best": 4.0}


def test_a_value_that_could_not_be_written_is_not_the_best(tmp_path, monkeypatch):
    layer = nn.Linear(1, 1)
    best = BestCheckpointSaver(tmp_path / "best.pt", layer, "distance")
    run_with(best, layer, [4.0])
    monkeypatch.setattr(torch, "save", lambda *_: (_ for _ in ()).throw(OSError("disk full")))
    with pytest.raises(OSError, match="disk full"):
        run_with(best, layer, [3.0])
    assert best.best == 4.0


def test_a_metric_that_never_comes_is_reported(tmp_path, caplog):
    layer = nn.Linear(1, 1)
    run_with(BestCheckpointSaver(tmp_path / "best.pt", layer, "frechet"), layer, [4.0])
    assert "no epoch had the metric 'frechet', the last one had distance" in caplog.text
