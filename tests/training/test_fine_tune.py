import logging

import pytest
import torch
from torch import nn

from monai_cardiac_gan.training import start_from_weights

NAMES = ("model.pt", "critic.pt")


def linear(value):
    layer = nn.Linear(1, 1)
    nn.init.constant_(layer.weight, value)
    return layer


def test_both_networks_go_on_from_the_files(tmp_path):
    for name, value in zip(NAMES, (3.0, 4.0), strict=True):
        torch.save(linear(value).state_dict(), tmp_path / name)
    generator, critic = linear(0.0), linear(0.0)
    start_from_weights(tmp_path, generator, critic, *NAMES)
    assert (generator.weight.item(), critic.weight.item()) == (3.0, 4.0)


def test_a_critic_that_is_not_there_begins_anew_and_that_is_said(tmp_path, caplog):
    torch.save(linear(3.0).state_dict(), tmp_path / "model.pt")
    generator, critic = linear(0.0), linear(0.5)
    with caplog.at_level(logging.WARNING):
        start_from_weights(tmp_path, generator, critic, *NAMES)
    assert (generator.weight.item(), critic.weight.item()) == (3.0, 0.5)
    assert "no critic.pt lies here, the critic begins anew" in caplog.text


def test_a_generator_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"model\.pt"):
        start_from_weights(tmp_path, linear(0.0), linear(0.0), *NAMES)
