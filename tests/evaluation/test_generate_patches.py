import numpy as np
import torch

from monai_cardiac_gan.evaluation import GeneratePatches
from monai_cardiac_gan.keys import Field
from monai_cardiac_gan.networks.nets import ResidualGenerator


def generator():
    """Its weights of the pixel noise are 0 at the start of a training, and then nothing is drawn."""
    torch.manual_seed(0)
    network = ResidualGenerator(5, 2, 8, size=16, noise=True)
    for name, parameter in network.named_parameters():
        if "noise" in name:
            torch.nn.init.ones_(parameter)
    return network


def test_the_same_seed_gives_the_same_patches_whatever_was_drawn_before(tmp_path):
    reals = [{Field.IMAGE: torch.zeros(1, 16, 16)}] * 3
    drawn = []
    for seed in (1, 2):
        network = generator()
        torch.manual_seed(seed)
        torch.rand(seed)
        state = torch.random.get_rng_state()
        drawn.append(GeneratePatches(network, None, 7, str(tmp_path / str(seed)), reals, latent_size=5, seed=3).run())
        assert torch.equal(torch.random.get_rng_state(), state)
    np.testing.assert_array_equal(*drawn)
    np.testing.assert_array_equal(np.load(tmp_path / "1" / "generated.npy"), drawn[0])
    other = GeneratePatches(generator(), None, 7, str(tmp_path / "other"), reals, latent_size=5, seed=4).run()
    assert np.abs(other - drawn[0]).mean() > 0.01
    assert (tmp_path / "1" / "generated.png").stat().st_size > 1000
