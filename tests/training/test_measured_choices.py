import pytest
import torch

from monai_cardiac_gan.training import measured_choices
from monai_cardiac_gan.training.measured_choices import WANTED_UPDATES, TrainingChoice, candidates, choose

FAST, SLOW, SLOWEST = 0.1, 0.2, 0.4


@pytest.fixture
def seconds(monkeypatch):
    """Seconds of an update by width and precision, in place of a measurement."""
    known = {(4, None): FAST, (8, None): SLOW, (8, "bfloat16"): FAST, (16, None): SLOWEST}
    monkeypatch.setattr(measured_choices, "_seconds", lambda choice: known[choice.width, choice.autocast])
    return known


def wanted(*pairs):
    return [TrainingChoice(width, 128, 16, autocast) for width, autocast in pairs]


def test_the_widest_that_gets_its_updates_is_chosen_and_its_fastest_way(seconds):
    choices = wanted((4, None), (8, None), (8, "bfloat16"), (16, None))
    choice, measured = choose(choices, lambda each: each, SLOW * WANTED_UPDATES, lambda: False)
    assert (choice.width, choice.autocast, choice.seconds) == (8, "bfloat16", FAST)
    assert [each["seconds"] for each in measured] == [FAST, SLOW, FAST, SLOWEST]


def test_too_little_time_for_any_takes_the_fastest(seconds):
    choice, _ = choose(wanted((8, None), (4, None)), lambda each: each, 1.0, lambda: False)
    assert choice.width == 4


def test_measuring_ends_with_its_time_but_measures_one(seconds):
    _, measured = choose(wanted((4, None), (8, None)), lambda each: each, 1.0, lambda: True)
    assert len(measured) == 1


def test_ways_that_fail_are_passed_over_and_none_is_refused(seconds, caplog):
    def trainer_of(choice):
        if choice.width == 8:
            raise RuntimeError("no compiler\nat all")
        return choice

    choice, _ = choose(wanted((8, None), (4, None)), trainer_of, 1.0, lambda: False)
    assert choice.width == 4
    assert "cannot be used here: no compiler" in caplog.text
    with pytest.raises(RuntimeError, match="no way of training works on this device"):
        choose(wanted((8, None)), trainer_of, 1.0, lambda: False)


def test_a_gpu_is_offered_half_precision_and_graphs_and_a_processor_neither():
    assert {(each.autocast, each.compile_mode) for each in candidates(torch.device("cpu"))} == {(None, None)}
    ways = {(each.autocast, each.compile_mode) for each in candidates(torch.device("cuda"))}
    assert ways == {(None, None), ("bfloat16", None), ("bfloat16", "reduce-overhead")}
