import json

import torch
from matplotlib.figure import Figure
from torch import nn

from monai_cardiac_gan.evaluation import EvaluateGenerators, evaluate_generators

SIDE, COUNT = 32, 24


class Patches:
    """Noise that ends in the middle of every other patch; two subjects."""

    def __init__(self, seed):
        self.pixels = 2 * torch.rand(COUNT, 1, SIDE, SIDE, generator=torch.Generator().manual_seed(seed)) - 1
        self.pixels[::2, :, :, SIDE // 2 :] = -1

    def all_patches(self):
        return self.pixels.half()

    def all_bounds(self):
        stops = torch.where(torch.arange(COUNT) % 2 == 0, SIDE // 2, SIDE)
        return torch.stack([torch.zeros(COUNT), torch.full((COUNT,), SIDE), torch.zeros(COUNT), stops], 1).long()

    def read(self, indices):
        return self.all_patches()[indices, 0].numpy(), self.all_bounds()[indices].numpy()

    def subjects(self):
        return [f"s{number // (COUNT // 2)}" for number in range(COUNT)]


class Noise(nn.Module):
    """Noise up to every border."""

    def forward(self, latents):
        source = torch.Generator().manual_seed(int(latents.abs().sum() * 1e3))
        return 2 * torch.rand(len(latents), 1, SIDE, SIDE, generator=source) - 1


def test_generated_patches_are_compared_through_the_field_of_view_of_held_out_ones(tmp_path, monkeypatch):
    seen = {}

    def noted(metrics, sets, real, subjects, seed):
        seen.setdefault("sets", sets)
        return []

    monkeypatch.setattr(evaluate_generators, "compare", noted)
    monkeypatch.setattr(evaluate_generators, "figure_of_spectra", lambda sets: seen.update(spectra=sets) or Figure())
    features = nn.Sequential(nn.AvgPool2d(8), nn.Flatten())
    EvaluateGenerators(
        {"noise": Noise()}, Patches(0), Patches(1), features, str(tmp_path), count=COUNT, latent_size=4
    ).run()
    blackened = (seen["sets"]["noise"][:, :, :, SIDE // 2 :] == -1).flatten(1)
    halves = blackened.all(1)
    assert torch.equal(halves, blackened.any(1))  # a patch is blackened as a whole half, or not at all
    assert 0.25 * COUNT < int(halves.sum()) < 0.75 * COUNT
    assert not bool((seen["sets"]["noise"][:, :, :, : SIDE // 2] == -1).any())
    assert torch.equal(seen["spectra"]["noise"], seen["sets"]["noise"])  # the spectra see what the metrics see
    assert torch.equal(seen["sets"][evaluate_generators.TRAINING], Patches(1).all_patches().float())
    assert json.loads((tmp_path / "metrics.json").read_text())["counts"]["held_out"] == COUNT
