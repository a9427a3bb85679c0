import copy

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from monai_cardiac_gan.handlers import GeneratorEMA


def average_of(weights, **options):
    layer = nn.Linear(1, 1, bias=False).double()
    average = GeneratorEMA(layer, **options)
    for weight in weights:
        layer.weight.data.fill_(weight)
        average.update()
    return average


def test_without_a_ramp_it_is_the_closed_form_of_an_exponential_average():
    """Weights that rise by one each update: the average lags behind by d / (1 - d), less what has faded."""
    count, decay = 40, 0.9
    average = average_of(range(count), decay=decay, warm_up=False)
    lag = decay / (1 - decay) * (1 - decay ** (count - 1))
    assert average.network.weight.item() == pytest.approx(count - 1 - lag, abs=1e-12)


@settings(deadline=None, max_examples=30)
@given(
    st.lists(st.floats(-5, 5), min_size=1, max_size=25), st.floats(0, 0.999), st.booleans()
)  # fmt: skip
def test_it_is_a_weighted_mean_of_all_weights(weights, decay, warm_up):
    decays = [0.0] + [min(decay, (1 + t) / (10 + t)) if warm_up else decay for t in range(1, len(weights))]
    shares = [(1 - d) * np.prod(decays[t + 1 :]) for t, d in enumerate(decays)]
    assert sum(shares) == pytest.approx(1)
    average = average_of(weights, decay=decay, warm_up=warm_up)
    assert average.network.weight.item() == pytest.approx(np.dot(shares, weights), abs=1e-12)
    assert average.updates == len(weights)


def test_the_weights_it_was_built_with_are_not_in_it():
    assert average_of([3.0]).network.weight.item() == 3.0


def test_statistics_are_averaged_and_counts_are_copied():
    network = nn.BatchNorm1d(2)
    average = GeneratorEMA(network, decay=0.75, warm_up=False)
    for mean, count in ((0.0, 7), (8.0, 9)):
        network.running_mean.fill_(mean)
        network.num_batches_tracked.fill_(count)
        average.update()
    assert average.network.running_mean.tolist() == [2.0, 2.0]
    assert average.network.num_batches_tracked.item() == 9


def test_it_follows_the_updates_of_the_generator_alone(trainer_of):
    trainer = trainer_of(max_epochs=3)
    average = GeneratorEMA(trainer.generator, decay=0.5)
    average.attach(trainer)
    seen = []
    trainer.generator_optimizer.register_step_post_hook(lambda *_: seen.append(copy.deepcopy(trainer.generator)))
    trainer.run()
    assert average.updates == trainer.generator_updates == len(seen) == 6
    by_hand = seen[0].get_parameter("0.weight")
    for t, network in enumerate(seen[1:], start=1):
        decay = min(0.5, (1 + t) / (10 + t))
        by_hand = decay * by_hand + (1 - decay) * network.get_parameter("0.weight")
    torch.testing.assert_close(average.network.get_parameter("0.weight"), by_hand.detach())


def test_the_average_is_frozen_and_in_evaluation_mode():
    network = nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2))
    average = GeneratorEMA(network)
    assert not any(part.training for part in average.network.modules())
    assert not any(parameter.requires_grad for parameter in average.network.parameters())
    assert network.training
    assert all(parameter.requires_grad for parameter in network.parameters())


def test_a_resumed_average_goes_on_exactly(tmp_path):
    weights = np.random.default_rng(0).normal(size=20)
    whole = average_of(weights)
    first = average_of(weights[:9])
    torch.save(first.state_dict(), tmp_path / "average.pt")
    layer = nn.Linear(1, 1, bias=False).double()
    second = GeneratorEMA(layer)
    network = second.network
    second.load_state_dict(torch.load(tmp_path / "average.pt", weights_only=True))
    for weight in weights[9:]:
        layer.weight.data.fill_(weight)
        second.update()
    assert second.network is network
    assert torch.equal(second.network.weight, whole.network.weight)
    assert second.updates == 20


@pytest.mark.parametrize("decay", [-0.1, 1.0, float("nan")])
def test_a_decay_that_is_none_is_refused(decay):
    with pytest.raises(ValueError, match=r"decay is .*, expected 0 to below 1"):
        GeneratorEMA(nn.Linear(1, 1), decay=decay)
