import pytest
import torch
from torch import nn

from monai_cardiac_gan.losses import refuse_sample_mixing


class MinibatchDeviation(nn.Module):
    """Adds the deviation over the batch to each image (Karras et al. 2018, section 3)."""

    def forward(self, images):
        return images + images.std(0).mean()


def critic_with(layer):
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(1, 4, 3, padding=1), layer, nn.LeakyReLU(0.2), nn.Conv2d(4, 1, 8), nn.Flatten(0))


def images(count=3):
    return torch.randn(count, 1, 8, 8, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("count", [1, 2, 5])
def test_batch_normalisation_is_refused_by_name(count):
    with pytest.raises(ValueError, match=r"depends on the other images .*\(BatchNorm2d at 1\).*use GroupNorm"):
        refuse_sample_mixing(critic_with(nn.BatchNorm2d(4)), images(count))


def test_batch_normalisation_without_running_statistics_is_refused_in_evaluation():
    critic = critic_with(nn.BatchNorm2d(4, track_running_stats=False)).eval()
    with pytest.raises(ValueError, match="BatchNorm2d at 1"):
        refuse_sample_mixing(critic, images())


def test_other_mixing_is_refused_by_what_it_does():
    with pytest.raises(ValueError, match="no batch normalisation found: look for statistics over the first axis"):
        refuse_sample_mixing(critic_with(MinibatchDeviation()), images())


@pytest.mark.parametrize(
    "layer",
    [nn.LayerNorm([4, 8, 8]), nn.GroupNorm(2, 4), nn.InstanceNorm2d(4, affine=True), nn.Identity(), nn.Dropout()],
)
def test_normalisation_within_an_image_is_accepted(layer):
    refuse_sample_mixing(critic_with(layer), images())


def test_batch_normalisation_with_fixed_statistics_is_accepted():
    refuse_sample_mixing(critic_with(nn.BatchNorm2d(4)).eval(), images())


def test_critic_and_random_state_are_left_as_they_were():
    critic = nn.Sequential(critic_with(nn.BatchNorm2d(4)), nn.Dropout(0.5))
    before = {name: value.clone() for name, value in critic.state_dict().items()}
    random_state = torch.get_rng_state()
    with torch.no_grad(), pytest.raises(ValueError, match=r"BatchNorm2d at 0\.1"):
        refuse_sample_mixing(critic, images())
    assert torch.equal(torch.get_rng_state(), random_state)
    assert all(torch.equal(value, before[name]) for name, value in critic.state_dict().items())
    assert all(parameter.grad is None for parameter in critic.parameters())
