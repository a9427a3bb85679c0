import pytest
import torch
from torch import nn

from monai_cardiac_gan.networks.nets import ResidualCritic, ResidualGenerator
from monai_cardiac_gan.training.device_check import check_device, describe_device


def networks():
    return ResidualGenerator(10, 2, 8, size=16).double(), ResidualCritic(2, 8, size=16).double()


def test_this_processor_computes_with_the_precision_of_its_numbers():
    """Single precision has 24 bits, and the networks some dozen layers; bfloat16 has 8 bits."""
    assert check_device(*networks(), torch.device("cpu"), 10) < 1e-5
    assert 1e-3 < check_device(*networks(), torch.device("cpu"), 10, "bfloat16") < 0.2


def test_a_processor_is_described_by_its_threads_and_its_error():
    found = describe_device(torch.device("cpu"))
    assert found["name"] == f"CPU, {torch.get_num_threads()} threads"
    assert list(found["errors"]) == ["float32"]
    assert found["errors"]["float32"] < 1e-4


class WrongInSingle(nn.Module):
    """Doubles its scores in single precision, as a broken kernel would."""

    def __init__(self, critic):
        super().__init__()
        self.critic = critic

    def forward(self, images):
        return self.critic(images) * (2 if images.dtype == torch.float32 else 1)


def test_a_device_that_computes_otherwise_is_refused():
    generator, critic = networks()
    with pytest.raises(RuntimeError, match=r"cpu computes in float32 with a relative error of 1, expected at most"):
        check_device(generator, WrongInSingle(critic), torch.device("cpu"), 10)
