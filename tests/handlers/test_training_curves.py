import pytest
from PIL import Image

from monai_cardiac_gan.handlers import TrainingCurves, TrainingHistory


def test_the_picture_comes_every_few_epochs_and_at_the_end(trainer_of, tmp_path):
    trainer, drawn = trainer_of(max_epochs=3), []
    TrainingHistory(tmp_path).attach(trainer)
    TrainingCurves(tmp_path, every_epochs=2).attach(trainer)
    path = tmp_path / "training_curves.png"
    trainer.add_event_handler(
        "EPOCH_COMPLETED", lambda: drawn.append(path.stat().st_mtime_ns if path.exists() else None)
    )
    trainer.run()
    assert drawn[0] is None
    assert drawn[1] == drawn[2] < path.stat().st_mtime_ns
    with Image.open(path) as image:
        assert image.format == "PNG"


def test_nothing_is_drawn_of_nothing_or_by_other_processes(trainer_of, tmp_path):
    trainer = trainer_of()
    TrainingCurves(tmp_path, every_epochs=1).attach(trainer)
    trainer.run()
    assert list(tmp_path.iterdir()) == []
    trainer = trainer_of()
    TrainingHistory(tmp_path).attach(trainer)
    trainer.run()
    trainer.processes.rank = 1
    TrainingCurves(tmp_path)(trainer)
    assert [path.name for path in tmp_path.iterdir()] == ["history.json"]


def test_no_epochs_between_two_drawings_are_refused(tmp_path):
    with pytest.raises(ValueError, match="every_epochs is 0: expected at least 1"):
        TrainingCurves(tmp_path, every_epochs=0)
