import torch
from ignite.engine import Engine, Events

from monai_cardiac_gan.handlers import OverrideLearningRate


def optimizer_of(*rates):
    groups = [{"params": [torch.zeros(1, requires_grad=True)], "lr": rate} for rate in rates]
    return torch.optim.Adam(groups, lr=1.0)


def rates_of(optimizer):
    return [group["lr"] for group in optimizer.param_groups]


def test_the_rates_of_a_checkpoint_do_not_count():
    saved = optimizer_of(0.1, 0.2).state_dict()
    optimizer = optimizer_of(0.5, 0.25)
    seen = []
    engine = Engine(lambda engine, batch: seen.append(rates_of(optimizer)))
    OverrideLearningRate([optimizer]).attach(engine)
    engine.add_event_handler(Events.STARTED, lambda _: optimizer.load_state_dict(saved))
    engine.run([1, 2], max_epochs=1)
    assert seen == [[0.5, 0.25]] * 2


def test_what_changes_them_later_counts():
    optimizer = optimizer_of(0.5)
    engine = Engine(lambda engine, batch: None)
    OverrideLearningRate([optimizer]).attach(engine)
    engine.add_event_handler(Events.EPOCH_COMPLETED, lambda _: optimizer.param_groups[0].update(lr=0.01))
    engine.run([1], max_epochs=3)
    assert rates_of(optimizer) == [0.01]
    engine.state.max_epochs = None
    engine.run([1], max_epochs=1)  # another run, perhaps of another checkpoint
    assert engine.state.epoch == 1
