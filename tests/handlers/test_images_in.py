import pytest
import torch
from monai.data import MetaTensor

from monai_cardiac_gan.handlers.throughput import images_in


@pytest.mark.parametrize(
    "wrap", [lambda images: images, MetaTensor, lambda images: {"image": images, "subject": ["a"]}]
)
def test_images_of_any_batch_are_counted(wrap):
    assert images_in(wrap(torch.zeros(5, 1, 2, 2))) == 5
