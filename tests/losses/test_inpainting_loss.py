import pytest
import torch
from torch import nn

from monai_cardiac_gan.losses import (
    CriticFeatures,
    CriticScore,
    InpaintingLoss,
    LatentNormPrior,
    MaskedL1,
    contextual_plus_perceptual_loss,
)

NOTHING_HIDDEN = torch.zeros(2, 1, 4, 4, dtype=torch.bool)


@pytest.fixture
def critic():
    return nn.Sequential(nn.Flatten(), nn.Linear(16, 1), nn.Flatten(0))


def test_the_papers_loss_is_the_distance_less_the_weighted_score(critic):
    images, targets = torch.rand(2, 2, 1, 4, 4, generator=torch.Generator().manual_seed(0))
    loss = contextual_plus_perceptual_loss(critic, 0.3)
    parts = loss(images, torch.zeros(2, 5), targets, NOTHING_HIDDEN)
    distance = (images - targets).abs().flatten(1).mean(1)
    assert list(parts) == ["contextual", "perceptual"]
    torch.testing.assert_close(loss.total(parts), distance - 0.3 * critic(images))


def test_terms_without_a_weight_count_once():
    loss = InpaintingLoss({"a": MaskedL1(), "b": LatentNormPrior()}, {"b": 2.0})
    assert loss.weights == {"a": 1.0, "b": 2.0}
    assert loss.total({"a": torch.tensor([1.0]), "b": torch.tensor([10.0])}).tolist() == [21.0]


def test_networks_are_named_once_and_can_be_left_out(critic):
    terms = {"score": CriticScore(critic), "features": CriticFeatures(critic, ["1"]), "contextual": MaskedL1()}
    loss = InpaintingLoss(terms, {"contextual": 0.5})
    assert loss.networks() == [critic]
    assert loss.without_networks().weights == {"contextual": 0.5}
    with pytest.raises(ValueError, match="expected at least one term"):
        InpaintingLoss({"score": CriticScore(critic)}).without_networks()


@pytest.mark.parametrize(
    ("terms", "weights"), [({}, {}), ({"a": MaskedL1()}, {"b": 1.0}), ({"a": MaskedL1()}, {"a": -1.0})]
)
def test_terms_and_weights_that_do_not_fit_are_refused(terms, weights):
    with pytest.raises(ValueError, match="expected at least one term and, for some of them, weights of at least 0"):
        InpaintingLoss(terms, weights)
