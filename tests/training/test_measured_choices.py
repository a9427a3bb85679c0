import pytest
import torch

from monai_cardiac_gan.networks.nets import ResidualCritic, ResidualGenerator
from monai_cardiac_gan.training import measured_choices
from monai_cardiac_gan.training.collect import MOST_BYTES
from monai_cardiac_gan.training.measured_choices import (
    AS_FAST,
    WANTED_UPDATES,
    TrainingChoice,
    candidates,
    choose,
)

FAST, SLOW, SLOWEST = 0.1, 0.2, 0.4


@pytest.fixture
def seconds(monkeypatch):
    """Seconds of an update by width and precision, in place of a measurement."""
    known = {(4, None): FAST, (8, None): SLOW, (8, "bfloat16"): FAST, (16, None): SLOWEST}
    monkeypatch.setattr(measured_choices, "_seconds", lambda choice, _: known[choice.width, choice.autocast])
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


def test_a_gpu_is_offered_graphs_and_half_precision_and_a_processor_neither():
    assert {(each.autocast, each.cuda_graphs) for each in candidates(torch.device("cpu"))} == {(None, False)}
    first, *recorded = candidates(torch.device("cuda"))
    assert not first.cuda_graphs  # where graphs fail, something works
    assert [(each.width, each.autocast) for each in recorded] == [
        (width, autocast) for width in (8, 16, 32) for autocast in (None, "bfloat16")
    ]
    assert all(each.cuda_graphs for each in recorded)


def test_what_is_recorded_is_measured_after_its_third_penalty():
    """Two updates of each kind come first, and every eighth, beginning with the first, has a penalty."""
    assert TrainingChoice(8, 256, 32).warm_up == 4
    assert TrainingChoice(8, 256, 32, cuda_graphs=True).warm_up == 24 >= 2 * 8 + 1


@pytest.mark.parametrize("width", sorted({each.width for each in candidates(torch.device("cuda"))}))
def test_weights_of_all_that_may_be_chosen_can_be_sent(width):
    (choice, *_) = (each for each in candidates(torch.device("cuda")) if each.width == width)
    own = {"width": width, "max_channels": choice.max_channels, "subpixel": choice.subpixel}
    sizes = [
        sum(4 * each.numel() for each in net.parameters()) for net in (ResidualGenerator(**own), ResidualCritic(**own))
    ]
    assert choice.subpixel
    assert sizes[0] < 15_000_000
    assert sizes[1] < MOST_BYTES


def test_of_those_about_as_fast_as_the_fastest_the_widest_is_chosen(seconds):
    seconds[16, None] = 0.9 * AS_FAST * FAST
    seconds[8, None] = 1.1 * AS_FAST * FAST
    choice, _ = choose(wanted((4, None), (8, None), (16, None)), lambda each: each, 1.0, lambda: False)
    assert choice.width == 16
