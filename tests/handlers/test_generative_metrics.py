from dataclasses import dataclass

import pytest
import torch
from torch import nn

from monai_cardiac_gan.handlers import GenerativeMetrics, GeneratorEMA
from monai_cardiac_gan.metrics import precision_recall, sliced_wasserstein_distance

REALS = torch.rand(20, 1, 4, 4, generator=torch.Generator().manual_seed(1))


@dataclass(frozen=True)
class Parts:
    low: float
    high: float


def test_names_hold_the_parts_and_all_functions_get_the_same_images(trainer_of):
    trainer, seen = trainer_of(), []

    def one(generated, real):
        seen.append((generated, real))
        return torch.tensor(1.5)

    metrics = {"one": one, "dict": lambda *_: {"a": 1, "b": 2.0}, "parts": lambda *_: Parts(0.0, 3.0), "again": one}
    GenerativeMetrics(metrics, REALS, sample_count=6, seed=5).attach(trainer)
    trainer.run()
    assert trainer.state.metrics == {
        "one": 1.5, "dict/a": 1.0, "dict/b": 2.0, "parts/low": 0.0, "parts/high": 3.0, "again": 1.5,
    }  # fmt: skip
    latents = torch.randn(6, 4, generator=torch.Generator().manual_seed(5))
    with torch.no_grad():
        expected = trainer.generator.eval()(latents)
    for generated, real in seen:
        torch.testing.assert_close(generated, expected)
        assert torch.equal(real, REALS[:6])


def test_the_average_can_be_measured_with_the_metrics_of_the_project(trainer_of):
    trainer = trainer_of(max_epochs=2)
    average = GeneratorEMA(trainer.generator)
    average.attach(trainer)
    features = {"shape": lambda generated, real: precision_recall(generated.flatten(1), real.flatten(1))}
    GenerativeMetrics(features, REALS, average.network, sample_count=20, every_epochs=2).attach(trainer)
    trainer.run()
    latents = torch.randn(20, 4, generator=torch.Generator().manual_seed(0))
    expected = precision_recall(average.network(latents).flatten(1), REALS.flatten(1))
    assert trainer.state.metrics == {
        "shape/precision": pytest.approx(expected.precision),
        "shape/recall": pytest.approx(expected.recall),
    }


def test_a_generator_of_the_real_images_is_at_no_distance(trainer_of):
    class Copier(nn.Module):
        def forward(self, latents):
            return reals[: len(latents)]

    reals = torch.rand(16, 1, 32, 32, generator=torch.Generator().manual_seed(1))
    trainer = trainer_of()
    metrics = {"sliced": sliced_wasserstein_distance}
    GenerativeMetrics(metrics, reals, Copier(), sample_count=16).attach(trainer)
    trainer.run()
    assert trainer.state.metrics
    assert all(value == pytest.approx(0, abs=1e-6) for value in trainer.state.metrics.values())


def test_generated_images_are_seen_through_the_field_of_view_of_real_ones(trainer_of):
    """Two masks for five images, taken in turn; reals stay as they are."""
    trainer, seen = trainer_of(), []
    valid = torch.ones(2, 1, 4, 4, dtype=torch.bool)
    valid[1, :, 2:] = False
    GenerativeMetrics({"kept": lambda *images: seen.append(images) or 0.0}, REALS, sample_count=5, valid=valid).attach(
        trainer
    )
    trainer.run()
    generated, real = seen[0]
    assert torch.equal(generated == -1, ~valid[[0, 1, 0, 1, 0]])
    assert torch.equal(real, REALS[:5])


def test_no_metrics_are_refused():
    with pytest.raises(ValueError, match="there are no metrics: give at least one function"):
        GenerativeMetrics({}, REALS)
