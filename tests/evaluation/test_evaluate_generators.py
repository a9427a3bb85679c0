import json

import numpy as np
import pytest
import torch
from few_patches import FewPatches
from torch import nn

from monai_cardiac_gan.evaluation import EvaluateGenerators, patch_measures

SIDE, EACH = 64, 12
HELD_OUT, TRAIN = ("la_1", "la_2", "ph_1"), ("la_3", "la_4", "la_5", "ph_2", "ph_3")


def discs(names, seed):
    """Noisy discs, those of phantoms larger; every other patch ends before the last columns."""
    random = torch.Generator().manual_seed(seed)
    distance = torch.hypot(*torch.meshgrid(*[torch.arange(float(SIDE)) - (SIDE - 1) / 2] * 2, indexing="ij"))
    radius = torch.tensor([12.0 if name.startswith("ph") else 8.0 for name in names for _ in range(EACH)])[
        :, None, None
    ]
    radius = radius + torch.rand(len(radius), 1, 1, generator=random)
    pixels = (
        (radius - distance).clamp(0, 1) - 0.5 + 0.1 * torch.randn(len(radius), SIDE, SIDE, generator=random)
    ).clamp(-1, 1)
    stops = np.where(np.arange(len(radius)) % 2, SIDE, SIDE - 8)
    for patch, stop in zip(pixels, stops, strict=True):
        patch[:, stop:] = -1
    return FewPatches(dict.fromkeys(names, EACH), pixels.numpy(), [[0, SIDE, 0, stop] for stop in stops])


class Phantoms(nn.Module):
    """A generator that paints phantoms alone."""

    def forward(self, latents):
        seed = int(latents.abs().sum() * 1e3)
        return torch.from_numpy(discs(["ph_9"] * (1 + len(latents) // EACH), seed).pixels[: len(latents)]).float()[
            :, None
        ]


class Copier(nn.Module):
    """A generator that gives training patches back."""

    def forward(self, latents):
        return torch.from_numpy(discs(TRAIN, 1).pixels[: len(latents)]).float()[:, None]


@pytest.fixture
def evaluate(tmp_path, monkeypatch):
    for name, few in {"PAIRS": 10, "DIRECTIONS": 8, "NEIGHBOURHOODS": 4}.items():
        monkeypatch.setattr(patch_measures, name, few)

    def evaluated(generators, held_out=HELD_OUT, **settings):
        features = nn.Sequential(nn.AvgPool2d(16), nn.Flatten())
        return EvaluateGenerators(
            generators, discs(held_out, 0), discs(TRAIN, 1), features, str(tmp_path), 40, latent_size=4, **settings
        ).run()

    return evaluated


def value(rows, metric, label):
    return next(row.values[label] for row in rows if row.metric == metric)


def test_a_group_shows_what_the_mixture_hides(evaluate, tmp_path):
    results = evaluate({"phantoms": Phantoms()}, groups={"acquired": "la_*", "phantoms": "ph_*"}, subjects=False)
    metric = "aorta_geometry/aorta_diameter_ks"
    assert value(results["acquired"].rows, metric, "phantoms") == 1.0
    assert value(results["phantoms"].rows, metric, "phantoms") < 0.6
    assert value(results["acquired"].rows, metric, "training patches") < 0.6
    content = json.loads((tmp_path / "metrics.json").read_text())
    assert content["groups"]["acquired"]["protocol"]["held_out"] == ["la_1", "la_2"]
    assert content["groups"]["acquired"]["protocol"]["training"] == ["la_3", "la_4", "la_5"]
    assert content["groups"]["phantoms"]["protocol"]["splits"] == [["ph_2"], ["ph_3"]]
    assert {path.name for path in tmp_path.glob("*.png")} == {
        f"{kind}_{group}.png"
        for kind in ("spectra", "samples_phantoms", "nearest_phantoms")
        for group in content["groups"]
    }
    text = (tmp_path / "metrics.md").read_text()
    for group in ("acquired", "phantoms"):
        assert (
            f"## {group}\n\n{results[group].protocol}\n\n| metric | better | real vs real | phantoms | training" in text
        )


def test_each_held_out_person_has_a_table_of_its_own(evaluate, tmp_path):
    (result,) = evaluate({"phantoms": Phantoms()}).values()
    assert list(result.subjects) == ["la_1", "la_2", "ph_1"]
    metric = "aorta_geometry/aorta_diameter_ks"
    numbers = {name: value(rows, metric, "phantoms") for name, (_, rows) in result.subjects.items()}
    assert numbers["la_1"] == numbers["la_2"] == 1.0
    assert numbers["ph_1"] < 0.75
    content = json.loads((tmp_path / "metrics.json").read_text())["groups"]["all"]
    assert content["subjects"]["la_1"]["protocol"]["patches"] == EACH
    assert len(content["subjects"]["la_1"]["protocol"]["splits"]) == 7
    assert content["over_subjects"] == {}
    text = (tmp_path / "metrics.md").read_text()
    assert "3 subjects: listed singly instead of intervals, which need 5 subjects." in text
    assert text.count("\n#### ") == 3


def test_copies_are_counted_beside_the_recall_of_planted_ones(evaluate, tmp_path):
    (result,) = evaluate({"copier": Copier()}, subjects=False).values()
    found = json.loads((tmp_path / "metrics.json").read_text())["groups"]["all"]["copies"]["copier"]
    assert found["flagged_share"] == result.copies["copier"].copies.share
    assert found["planted_recall"] == result.copies["copier"].detector.recall
    assert found["highest_correlation"] == pytest.approx(1, abs=1e-3)
    first = result.copies["copier"].most_alike[0]
    held_out = len(HELD_OUT) * EACH
    assert (
        result.copies["copier"].nearest_train[first] == held_out + first % 40
    )  # a copy of the patch of its own number
    assert str(result.copies["copier"]) in (tmp_path / "metrics.md").read_text()


def test_five_people_have_intervals(evaluate, tmp_path):
    names = [f"la_{number}" for number in range(10, 15)]
    (result,) = evaluate({"phantoms": Phantoms()}, names, groups={"acquired": "la_*"}).values()
    metric = "power_spectrum"
    interval = json.loads((tmp_path / "metrics.json").read_text())["groups"]["acquired"]["over_subjects"][metric][
        "phantoms"
    ]
    numbers = [value(rows, metric, "phantoms") for _, rows in result.subjects.values()]
    assert interval["mean"] == pytest.approx(np.mean(numbers))
    assert min(numbers) <= interval["low"] <= interval["mean"] <= interval["high"] <= max(numbers)
    assert "Mean over 5 held-out subjects" in (tmp_path / "metrics.md").read_text()
