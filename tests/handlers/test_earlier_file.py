import pytest
import torch
from ignite.engine import Engine, Events
from monai.handlers import CheckpointLoader
from torch import nn

from monai_cardiac_gan.handlers import AtomicCheckpointSaver, StopOnSignal
from monai_cardiac_gan.handlers.earlier_file import EarlierFile


def training(path, value, **options):
    """An engine that writes this value, and what it writes to."""
    layer = nn.Linear(1, 1)
    engine = Engine(lambda engine, batch: layer.weight.data.fill_(value))
    saver = AtomicCheckpointSaver(path, {"layer": layer, "engine": engine}, **options)
    saver.attach(engine)
    return engine, saver


def weight_in(path):
    return torch.load(path, weights_only=True)["layer"]["weight"].item()


def test_a_training_from_its_beginning_leaves_the_file_of_an_earlier_one(tmp_path):
    path, steps = tmp_path / "last.pt", []
    training(path, 1000.0)[0].run([0], max_epochs=1)
    engine, _ = training(path, 1.0)
    engine.add_event_handler(Events.ITERATION_STARTED, lambda: steps.append(1))
    with pytest.raises(FileExistsError, match=r"last\.pt: an earlier training wrote this.*resume True.*overwrite=True"):
        engine.run([0], max_epochs=1)
    assert weight_in(path) == 1000
    assert steps == []  # refused before any work is done


def test_it_is_replaced_when_that_is_wished(tmp_path):
    path = tmp_path / "last.pt"
    training(path, 1000.0)[0].run([0], max_epochs=1)
    training(path, 1.0, overwrite=True)[0].run([0], max_epochs=1)
    assert weight_in(path) == 1


@pytest.mark.parametrize("batches", [1, 3])
def test_a_training_that_goes_on_replaces_its_own_file(tmp_path, batches):
    path = tmp_path / "last.pt"
    engine, saver = training(path, 1000.0)
    engine.add_event_handler(Events.ITERATION_COMPLETED(once=1), lambda: saver(engine))
    engine.add_event_handler(Events.ITERATION_COMPLETED(once=1), lambda: engine.terminate(skip_completed=True))
    engine.run([0] * batches, max_epochs=2)
    again, saver = training(path, 1.0)
    CheckpointLoader(str(path), saver.objects).attach(again)  # attached later than the saver, as in the bundle
    again.run([0] * batches, max_epochs=2)
    assert weight_in(path) == 1


def test_an_engine_that_is_run_twice_replaces_what_it_wrote(tmp_path):
    engine, _ = training(tmp_path / "last.pt", 1.0)
    for _ in range(2):
        engine.run([0], max_epochs=1)
    assert weight_in(tmp_path / "last.pt") == 1


def test_a_checkpoint_that_only_a_signal_would_write_is_kept_too(tmp_path):
    (tmp_path / "last.pt").touch()
    engine = Engine(lambda engine, batch: None)
    StopOnSignal(AtomicCheckpointSaver(tmp_path / "last.pt", nn.Linear(1, 1))).attach(engine)
    with pytest.raises(FileExistsError, match="an earlier training wrote this"):
        engine.run([0])


def test_a_trainer_that_begins_its_first_epoch_anew_has_gone_on(tmp_path):
    (tmp_path / "last.pt").touch()
    engine = Engine(lambda engine, batch: None)
    engine.critic_updates = 3
    EarlierFile(tmp_path / "last.pt").attach(engine)
    engine.run([0])


def test_a_text_is_no_leave_to_overwrite(tmp_path):
    with pytest.raises(ValueError, match="overwrite is 'false', of type str: expected True or False"):
        AtomicCheckpointSaver(tmp_path / "last.pt", nn.Linear(1, 1), overwrite="false")


def test_a_training_that_goes_on_from_another_checkpoint_leaves_the_file(tmp_path):
    """The first is 7 iterations old, and what the second goes on from 2."""
    path, other = tmp_path / "last.pt", tmp_path / "other.pt"
    training(path, 1000.0)[0].run([0] * 7, max_epochs=1)
    training(other, 5.0)[0].run([0] * 2, max_epochs=1)
    engine, saver = training(path, 1.0)
    CheckpointLoader(str(other), saver.objects).attach(engine)
    with pytest.raises(FileExistsError, match="which goes on from another checkpoint, of 2 updates, would replace it"):
        engine.run([0] * 2, max_epochs=2)
    assert weight_in(path) == 1000
    elsewhere, saver = training(tmp_path / "new.pt", 1.0)
    CheckpointLoader(str(other), saver.objects).attach(elsewhere)
    elsewhere.run([0] * 2, max_epochs=2)
    assert weight_in(tmp_path / "new.pt") == 1
