import pytest
import torch
from monai.data import MetaTensor

from monai_cardiac_gan.metrics.feature_pairs import checked_features


@pytest.mark.parametrize(
    ("first", "second", "common"),
    [
        (torch.float16, torch.float16, torch.float32),
        (torch.float32, torch.float32, torch.float32),
        (torch.float32, torch.float64, torch.float64),
        (torch.int64, torch.bfloat16, torch.float32),
    ],
)
def test_both_come_out_in_the_finer_precision_of_the_two(first, second, common):
    matrices = checked_features(torch.ones(2, 3, dtype=first), torch.ones(4, 3, dtype=second))
    assert [matrix.dtype for matrix in matrices] == [common, common]
    assert [tuple(matrix.shape) for matrix in matrices] == [(2, 3), (4, 3)]


def test_metadata_and_gradients_are_left_behind():
    generated, real = checked_features(torch.ones(2, 3, requires_grad=True), MetaTensor(torch.ones(2, 3)))
    assert not generated.requires_grad
    assert type(real) is torch.Tensor


@pytest.mark.parametrize(
    ("generated", "real", "message"),
    [
        (torch.ones(2, 1, 4, 4), torch.ones(2, 3), r"generated features are \[2, 1, 4, 4\], expected \(N, F\)"),
        (torch.ones(2, 3), torch.ones(3), r"real features are \[3\], expected \(N, F\).*one row of numbers"),
        (torch.ones(1, 3), torch.ones(2, 3), "there are 1 generated samples, expected at least 2: give more"),
        (torch.ones(2, 3), torch.ones(2, 3) / 0, "real features hold values that are not finite"),
        (torch.ones(2, 3), torch.ones(2, 4), "have 3 features and real ones 4: pass both through the same"),
    ],
)
def test_what_is_no_pair_of_samples_is_refused(generated, real, message):
    with pytest.raises(ValueError, match=message):
        checked_features(generated, real)
