import pytest
import torch
from ignite.engine import Engine, Events
from torch import nn

from monai_cardiac_gan.handlers import AtomicCheckpointSaver


def test_states_are_written_every_few_epochs_and_at_the_end(tmp_path):
    layer, seen = nn.Linear(2, 1), []
    engine = Engine(lambda engine, batch: layer.weight.data.add_(1))
    AtomicCheckpointSaver(tmp_path / "new" / "last.pt", {"layer": layer}, every_epochs=2).attach(engine)
    path = tmp_path / "new" / "last.pt"
    engine.add_event_handler(Events.EPOCH_COMPLETED, lambda engine: seen.append(path.exists()))
    engine.run([0], max_epochs=3)
    assert seen == [False, True, True]
    assert torch.equal(torch.load(path, weights_only=True)["layer"]["weight"], layer.weight)
    assert [entry.name for entry in path.parent.iterdir()] == ["last.pt"]


def test_one_object_is_stored_flat(tmp_path):
    layer = nn.Linear(2, 1)
    AtomicCheckpointSaver(tmp_path / "model.pt", layer)(None)
    assert set(torch.load(tmp_path / "model.pt", weights_only=True)) == {"weight", "bias"}


def test_a_run_that_fails_at_its_start_leaves_the_file_as_it_was(tmp_path):
    path = tmp_path / "last.pt"
    AtomicCheckpointSaver(path, nn.Linear(2, 1))(None)
    before = path.read_bytes()
    engine = Engine(lambda engine, batch: None)
    AtomicCheckpointSaver(path, nn.Linear(2, 1)).attach(engine)

    @engine.on(Events.STARTED)
    def fail(engine):
        raise RuntimeError("does not fit")

    with pytest.raises(RuntimeError, match="does not fit"):
        engine.run([0])
    assert path.read_bytes() == before


def test_no_epochs_between_two_writes_is_refused(tmp_path):
    with pytest.raises(ValueError, match="every_epochs is 0: expected at least 1"):
        AtomicCheckpointSaver(tmp_path / "last.pt", nn.Linear(2, 1), every_epochs=0)


@pytest.mark.parametrize(
    "failure", [OSError(28, "No space left on device"), RuntimeError("PytorchStreamWriter failed")]
)
def test_a_failed_write_keeps_the_last_good_file(tmp_path, monkeypatch, failure):
    path, layer = tmp_path / "last.pt", nn.Linear(2, 1)
    AtomicCheckpointSaver(path, layer)(None)
    before = path.read_bytes()

    def save_half(state, file):
        file.write(b"half of it")
        raise failure

    monkeypatch.setattr(torch, "save", save_half)
    layer.weight.data.add_(1)
    with pytest.raises(OSError, match=rf"last\.pt could not be written \(.*{failure.args[-1]}\) and is as it was"):
        AtomicCheckpointSaver(path, layer)(None)
    assert path.read_bytes() == before
    assert [entry.name for entry in tmp_path.iterdir()] == ["last.pt"]


@pytest.mark.parametrize(("rank", "written"), [(0, ["last.pt"]), (1, [])])
def test_only_the_first_process_writes(tmp_path, rank, written):
    engine = Engine(lambda engine, batch: None)
    engine.rank = rank
    AtomicCheckpointSaver(tmp_path / "last.pt", nn.Linear(2, 1)).attach(engine)
    engine.run([0])
    assert [entry.name for entry in tmp_path.iterdir()] == written
