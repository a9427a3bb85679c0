import json
from pathlib import Path

import pytest
from ignite.engine import Engine

from monai_cardiac_gan.handlers import LossHistory


def run_with(folder, losses, epochs=1, start=0):
    """Each iteration puts out its loss times its epoch, so that epochs differ."""
    engine = Engine(lambda engine, loss: {"loss": loss * engine.state.epoch, "penalty": 1.0})
    LossHistory(folder).attach(engine)
    if start:
        engine.load_state_dict({"epoch": start, "max_epochs": epochs, "epoch_length": len(losses)})
    engine.run(losses, max_epochs=epochs)
    return json.loads((Path(folder) / "losses.json").read_text())


def row(epoch, loss):
    return {"epoch": epoch, "iterations": 2, "loss": loss, "penalty": 1.0}


def test_each_epoch_has_a_row_with_its_means(tmp_path):
    folder = tmp_path / "new" / "folder"
    assert run_with(folder, [1.0, 3.0], epochs=3) == [row(1, 2.0), row(2, 4.0), row(3, 6.0)]
    assert LossHistory(folder).rows() == [row(1, 2.0), row(2, 4.0), row(3, 6.0)]


def test_a_resumed_training_keeps_the_epochs_before_it(tmp_path):
    run_with(tmp_path, [1.0, 3.0], epochs=3)
    assert run_with(tmp_path, [10.0, 30.0], epochs=4, start=2) == [row(1, 2.0), row(2, 4.0), row(3, 60.0), row(4, 80.0)]


def test_a_new_training_starts_a_new_history(tmp_path):
    run_with(tmp_path, [1.0, 3.0], epochs=3)
    assert run_with(tmp_path, [5.0, 5.0]) == [row(1, 5.0)]


def test_a_crash_while_writing_leaves_the_file_whole(tmp_path, monkeypatch):
    run_with(tmp_path, [1.0, 3.0])
    monkeypatch.setattr(Path, "replace", lambda *_: (_ for _ in ()).throw(OSError("disk full")))
    with pytest.raises(OSError, match="disk full"):
        run_with(tmp_path, [5.0, 5.0])
    assert LossHistory(tmp_path).rows() == [row(1, 2.0)]


def test_no_unfinished_file_is_left(tmp_path):
    run_with(tmp_path, [1.0, 3.0], epochs=2)
    assert [path.name for path in tmp_path.iterdir()] == ["losses.json"]


def test_no_file_means_no_rows(tmp_path):
    assert LossHistory(tmp_path).rows() == []


@pytest.mark.parametrize("text", ["[{", '[{"loss": 1}]', "3"])
def test_a_file_that_is_no_history_is_refused(tmp_path, text):
    (tmp_path / "losses.json").write_text(text)
    with pytest.raises(
        ValueError, match=r"losses\.json is no history of losses, expected a list of rows.*move it away"
    ):
        LossHistory(tmp_path).rows()
