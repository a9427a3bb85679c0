import pytest
from ignite.engine import Engine

from monai_cardiac_gan.handlers import StopWhenSpent


def run(handler, iterations=20):
    engine = Engine(lambda engine, batch: None)
    handler.attach(engine)
    engine.run(range(iterations // 2), max_epochs=2)
    return engine.state.iteration


@pytest.mark.parametrize("updates", [1, 7, 10, 13])
def test_a_run_ends_after_its_updates(updates):
    handler = StopWhenSpent(updates=updates)
    assert run(handler) == updates
    assert handler.is_spent


def test_a_run_ends_with_the_iteration_in_which_the_time_runs_out():
    left = iter([3.0, 2.0, 0.5, 0.0, -1.0])
    handler = StopWhenSpent(lambda: next(left))
    assert run(handler) == 4
    assert handler.is_spent


def test_a_run_that_ends_by_itself_is_not_spent():
    handler = StopWhenSpent(updates=21)
    assert run(handler) == 20
    assert not handler.is_spent


def test_it_saves_between_iterations_as_often_as_asked(monkeypatch):
    clock = iter(range(1000))
    monkeypatch.setattr("monai_cardiac_gan.handlers.stop_when_spent.time.monotonic", lambda: float(next(clock)))
    saved = []
    # the clock ticks at each look: at the start, once an iteration, and once more where it saves
    run(StopWhenSpent(updates=20, save=lambda engine: saved.append(engine.state.iteration), save_seconds=5.0))
    assert saved == [5, 10, 15, 20]


@pytest.mark.parametrize("limits", [{}, {"updates": 0}, {"updates": 3, "save_seconds": 0.0}])
def test_nothing_to_stop_at_is_refused(limits):
    with pytest.raises(ValueError, match="expected a time or a number of updates as limit, and positive numbers"):
        StopWhenSpent(**limits)
