from types import SimpleNamespace

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from ignite.engine import Engine, Events

from monai_cardiac_gan.augmentation import DifferentiableAugmentation
from monai_cardiac_gan.handlers import AdaptiveAugmentation
from monai_cardiac_gan.handlers.overfitting_monitor import OverfittingNumbers


def run_with(ratios, start=0.0, images=10, world_size=1, **options):
    """One epoch for each ratio, None where it is not measured; gives the probabilities after each."""
    augment, seen = DifferentiableAugmentation(probability=start), []
    handler = AdaptiveAugmentation(augment, **{"images_to_full": 100, **options})
    engine = Engine(lambda engine, batch: None)
    engine.world_size = world_size

    @engine.on(Events.EPOCH_COMPLETED)
    def measure(engine):
        ratio = ratios[engine.state.epoch - 1]
        engine.state.metrics = {} if ratio is None else {OverfittingNumbers.RATIO: ratio}

    handler.attach(engine)
    engine.add_event_handler(
        Events.EPOCH_COMPLETED, lambda engine: seen.append(engine.state.metrics["augment_probability"])
    )
    engine.run([torch.zeros(images // 2, 1, 2, 2)] * 2, max_epochs=len(ratios))
    assert augment.probability == seen[-1]
    return seen


def test_the_step_is_a_share_of_the_images_seen():
    assert run_with([0.9, 0.61, 0.59, 0.6]) == pytest.approx([0.1, 0.2, 0.1, 0.1])


def test_epochs_without_a_measurement_count_for_the_next():
    assert run_with([None, None, 0.9, 0.9]) == pytest.approx([0.0, 0.0, 0.3, 0.4])
    assert run_with([float("nan"), 0.9]) == pytest.approx([0.0, 0.2])


def test_images_of_all_processes_count():
    assert run_with([0.9], world_size=3) == pytest.approx([0.3])


def test_half_a_million_images_lead_from_nothing_to_everything():
    augment = DifferentiableAugmentation(probability=0.0)
    handler = AdaptiveAugmentation(augment, most=1.0)
    handler.images = 499_999
    engine = SimpleNamespace(
        state=SimpleNamespace(batch=torch.zeros(1, 1, 2, 2), metrics={OverfittingNumbers.RATIO: 0.7})
    )
    handler._count(engine)
    handler._adjust(engine)
    assert augment.probability == 1.0


@given(st.lists(st.floats(-2, 2), min_size=1, max_size=12), st.floats(0, 1), st.floats(0, 1))
def test_the_probability_stays_within_its_range(ratios, most, start):
    seen = run_with(ratios, start=start * most, images=60, most=most)
    assert all(0 <= probability <= most for probability in seen)


def test_a_resumed_training_takes_the_same_steps():
    augment = DifferentiableAugmentation(probability=0.3)
    first = AdaptiveAugmentation(augment)
    first.images = 77
    second = AdaptiveAugmentation(DifferentiableAugmentation(probability=0.0))
    second.load_state_dict(first.state_dict())
    assert (second.augment.probability, second.images) == (0.3, 77)


def test_a_measurement_that_never_comes_is_reported(caplog):
    run_with([None, None])
    assert (
        "never adjusted: no epoch had the metric 'overfitting_ratio': attach OverfittingMonitor before" in caplog.text
    )


@pytest.mark.parametrize("wrong", [{"most": 1.1}, {"most": -0.1}, {"images_to_full": 0}, {"target": float("nan")}])
def test_numbers_out_of_range_are_refused(wrong):
    with pytest.raises(ValueError, match="expected a probability, a positive number of images and a finite number"):
        AdaptiveAugmentation(DifferentiableAugmentation(), **wrong)
