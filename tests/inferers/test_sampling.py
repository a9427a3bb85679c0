import torch
from torch import nn

from monai_cardiac_gan.inferers import sample_patches
from monai_cardiac_gan.networks.nets import ResidualGenerator


def noisy_generator():
    torch.manual_seed(0)
    generator = ResidualGenerator(latent_size=7, width=2, max_channels=8, size=16, noise=True)
    for name, parameter in generator.named_parameters():
        if "noise" in name:
            nn.init.ones_(parameter)
    return generator


def test_the_same_seed_gives_the_same_patches_noise_included():
    generator = noisy_generator()
    first = sample_patches(generator, 10, latent_size=7, seed=3)
    torch.manual_seed(99)
    assert first.shape == (10, 1, 16, 16)
    assert torch.equal(sample_patches(generator, 10, latent_size=7, seed=3), first)
    assert not torch.equal(sample_patches(generator, 10, latent_size=7, seed=4), first)


def test_latents_do_not_depend_on_the_batch_and_the_state_of_the_caller_stays():
    generator = ResidualGenerator(latent_size=7, width=2, max_channels=8, size=16).train()
    before = torch.get_rng_state()
    whole, parts = (sample_patches(generator, 10, 7, seed=1, batch_size=size) for size in (10, 3))
    torch.testing.assert_close(whole, parts)
    assert generator.training
    assert torch.equal(torch.get_rng_state(), before)
