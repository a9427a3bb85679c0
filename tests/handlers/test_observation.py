import random

import numpy as np
import pytest
import torch
from torch import nn

from monai_cardiac_gan.handlers.observation import BATCH, device_of, fixed_latents, in_batches, undisturbed


def draws():
    return torch.rand(3).tolist(), np.random.rand(), random.random()  # noqa: NPY002


def test_whatever_is_drawn_inside_nothing_changes_outside():
    torch.manual_seed(1)
    np.random.seed(1)  # noqa: NPY002
    random.seed(1)
    expected = draws()
    torch.manual_seed(1)
    np.random.seed(1)  # noqa: NPY002
    random.seed(1)
    with undisturbed():
        draws()
    assert draws() == expected


def test_each_part_gets_its_own_mode_back_even_after_an_error():
    network = nn.Sequential(nn.Linear(1, 1), nn.Dropout().eval(), nn.Sequential(nn.Dropout()))
    before = [part.training for part in network.modules()]

    def look_and_fail():
        with undisturbed(network):
            assert not any(part.training for part in network.modules())
            assert not network(torch.ones(1, 1)).requires_grad
            raise KeyError("inside")

    with pytest.raises(KeyError, match="inside"):
        look_and_fail()
    assert [part.training for part in network.modules()] == before
    assert network(torch.ones(1, 1)).requires_grad


@pytest.mark.parametrize("count", [1, BATCH, BATCH + 1, 3 * BATCH])
def test_parts_give_what_the_whole_gives(count):
    network = nn.Linear(3, 2).double()
    inputs = torch.randn(count, 3)
    torch.testing.assert_close(in_batches(network, inputs), network(inputs.double()))


def test_a_network_without_weights_lies_on_the_cpu():
    assert device_of(nn.Flatten()) == torch.device("cpu")
    assert device_of(nn.Linear(1, 1, device="meta")) == torch.device("meta")


def test_latents_depend_on_the_seed_alone():
    torch.manual_seed(3)
    first = fixed_latents(2, 3, seed=5)
    assert torch.equal(first, fixed_latents(2, 3, seed=5))
    assert torch.equal(first, torch.randn(2, 3, generator=torch.Generator().manual_seed(5)))


def test_no_latents_are_refused():
    with pytest.raises(ValueError, match="0 latents were asked for: expected at least 1"):
        fixed_latents(0, 3, seed=5)
