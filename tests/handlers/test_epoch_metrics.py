import pytest
from ignite.engine import Engine, Events

from monai_cardiac_gan.handlers.epoch_metrics import EpochMetrics


class Number(EpochMetrics):
    def numbers(self, engine):
        return {"number": float(engine.state.epoch)}


def test_numbers_are_those_of_this_epoch_or_not_there():
    engine, seen = Engine(lambda engine, batch: engine.state.metrics.setdefault("other", 1.0)), []
    Number(every_epochs=2).attach(engine)
    engine.add_event_handler(Events.EPOCH_COMPLETED, lambda engine: seen.append(dict(engine.state.metrics)))
    engine.run([0], max_epochs=5)
    plain = {"other": 1.0}
    assert seen == [plain, plain | {"number": 2.0}, plain, plain | {"number": 4.0}, plain]


def test_no_epochs_between_are_refused():
    with pytest.raises(ValueError, match="every_epochs is 0: expected at least 1"):
        Number(every_epochs=0)
