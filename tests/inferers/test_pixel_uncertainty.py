import numpy as np
import pytest
import torch

from monai_cardiac_gan.inferers import gradient_descent_search, pixel_uncertainty


@pytest.fixture
def result(painter, judge, mask):
    patches = torch.rand(3, 1, 16, 16, generator=torch.Generator().manual_seed(0)) - 0.5
    search = gradient_descent_search(judge, latent_size=6, iterations=3, starts=5, progress=False)
    return search.search(patches, mask, painter)


def test_the_best_outside_the_mask_are_taken(result, mask):
    found = pixel_uncertainty(result, 3)
    known = ~mask[0, 0].numpy()
    for row in range(3):
        difference = np.abs(result.generated[row, :, 0].numpy() - result.patches[row, 0].numpy())
        order = difference[:, known].mean(1).argsort()[:3]
        assert found.ranks[row].tolist() == order.tolist()
        taken = result.inpainted[row, order, 0].numpy()
        np.testing.assert_allclose(found.mean[row, 0], taken.mean(0), atol=1e-6)
        np.testing.assert_allclose(found.std[row, 0], taken.std(0, ddof=1), atol=1e-6)
        np.testing.assert_allclose(found.mean[row, 0][known], result.patches[row, 0][known], atol=1e-6)
    assert (found.std[~mask.expand(3, 1, 16, 16)] < 1e-6).all()


@pytest.mark.parametrize("count", [1, 6])
def test_one_solution_has_no_deviation(result, count):
    with pytest.raises(ValueError, match=f"{count} of 5 solutions: expected 2 to 5; search from more starts"):
        pixel_uncertainty(result, count)
