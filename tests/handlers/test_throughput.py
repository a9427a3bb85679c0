import pytest
import torch
from ignite.engine import Engine, Events
from monai.data import MetaTensor

from monai_cardiac_gan.handlers import Throughput
from monai_cardiac_gan.handlers.throughput import images_in


def rates_of(sizes, seconds, world_size=1):
    """Rates of epochs that take so many seconds, with batches of those sizes in each."""
    now, found = [0.0], []
    engine = Engine(lambda engine, batch: None)
    engine.world_size = world_size
    handler = Throughput(clock=lambda: now[0])
    engine.add_event_handler(Events.STARTED, lambda: now.__setitem__(0, 100.0))
    handler.attach(engine)
    engine.add_event_handler(
        Events.ITERATION_COMPLETED,
        lambda engine: now.__setitem__(0, now[0] + seconds[engine.state.epoch - 1] / len(sizes)),
    )
    engine.add_event_handler(
        Events.EPOCH_COMPLETED, lambda engine: found.append(engine.state.metrics["images_per_second"])
    )
    engine.run([{"image": torch.zeros(size, 1, 2, 2)} for size in sizes], max_epochs=len(seconds))
    return found


def test_each_epoch_has_its_own_rate():
    assert rates_of([4, 4, 2], [5.0, 2.0]) == pytest.approx([2.0, 5.0])


def test_images_of_all_processes_count():
    assert rates_of([4], [1.0], world_size=3) == pytest.approx([12.0])


def test_the_gpu_is_waited_for_at_the_ends_of_an_epoch_alone(monkeypatch):
    waits = []
    monkeypatch.setattr(torch.cuda, "synchronize", lambda device: waits.append(str(device)))
    engine = Engine(lambda engine, batch: None)
    engine.add_event_handler(Events.STARTED, lambda engine: setattr(engine.state, "device", torch.device("cuda:1")))
    Throughput().attach(engine)
    engine.run([torch.zeros(1, 1, 2, 2)] * 5, max_epochs=2)
    assert waits == ["cuda:1"] * 4


@pytest.mark.parametrize(
    "wrap", [lambda images: images, MetaTensor, lambda images: {"image": images, "subject": ["a"]}]
)
def test_images_of_any_batch_are_counted(wrap):
    assert images_in(wrap(torch.zeros(5, 1, 2, 2))) == 5
