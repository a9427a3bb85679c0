import pytest
import torch
from torch import nn

from monai_cardiac_gan.losses import CriticFeatures, CriticScore


class Critic(nn.Module):
    def __init__(self):
        super().__init__()
        self.first = nn.Conv2d(1, 3, 3, padding=1)
        self.second = nn.Conv2d(3, 2, 3, stride=2, padding=1)

    def forward(self, images):
        return self.second(self.first(images).relu()).flatten(1).sum(1)


@pytest.fixture
def critic():
    torch.manual_seed(0)
    return Critic().requires_grad_(False)


@pytest.fixture
def example():
    source = torch.Generator().manual_seed(1)
    images, targets = torch.rand(2, 4, 1, 8, 8, generator=source)
    mask = torch.zeros(4, 1, 8, 8, dtype=torch.bool)
    mask[:, :, 2:5, 3:6] = True
    return images, targets, mask


def test_the_score_turns_its_sign(critic, example):
    assert torch.equal(CriticScore(critic)(example[0], None, None, None), -critic(example[0]))


def test_scores_of_another_shape_are_refused():
    with pytest.raises(ValueError, match=r"critic gives scores \(2, 4\) for 2 images: expected \(2,\), one each"):
        CriticScore(nn.Flatten())(torch.zeros(2, 1, 2, 2), None, None, None)


def test_features_are_compared_with_those_of_the_filled_patch(critic, example):
    images, targets, mask = example
    pasted = torch.where(mask, images, targets)
    first = [critic.first(each) for each in (images, pasted)]
    second = [critic.second(each.relu()) for each in first]
    expected = sum((a - b).abs().flatten(1).mean(1) for a, b in (first, second)) / 2
    torch.testing.assert_close(CriticFeatures(critic, ["first", "second"])(images, None, targets, mask), expected)


def test_an_image_that_agrees_where_it_is_known_costs_nothing(critic, example):
    images, targets, mask = example
    same = torch.where(mask, images, targets)
    assert torch.equal(CriticFeatures(critic, ["second"])(same, None, targets, mask), torch.zeros(4))


def test_no_hook_stays(critic, example):
    CriticFeatures(critic, ["first"])(example[0], None, *example[1:])
    assert not critic.first._forward_hooks


@pytest.mark.parametrize(("layers", "named"), [(["third"], r"\['third'\]"), ([], "none were named")])
def test_layers_that_are_not_there_are_refused(critic, layers, named):
    with pytest.raises(ValueError, match=f"the critic has no layers .*{named}.*expected some of first, second"):
        CriticFeatures(critic, layers)
