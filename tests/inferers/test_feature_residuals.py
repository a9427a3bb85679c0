import pytest
import torch

from monai_cardiac_gan.inferers import feature_residuals, square_mask
from monai_cardiac_gan.networks.nets import PatchFeatures

MASK = square_mask(49)


class Pixels:
    """The images themselves, at one place for 8 x 8 pixels."""

    def feature_maps(self, images):
        return [torch.nn.functional.avg_pool2d(images, 8)] * 3


def even(value, count=2):
    return torch.full((count, 1, 128, 128), float(value))


def answers_of(step, count=2):
    return torch.stack([even(-step, count), even(step, count)])


@pytest.mark.parametrize(("away", "step"), [(0.2, 0.1), (0.4, 0.2), (0.1, 0.1)])
def test_even_images_differ_by_how_far_answers_do(away, step):
    """Everywhere alike: r = away / sqrt(step^2 + step^2 / 4)."""
    found, maps = feature_residuals(even(away), even(0), answers_of(step), MASK, Pixels())
    torch.testing.assert_close(found, torch.full((2,), away / (1.25**0.5 * step)), rtol=1e-3, atol=0)
    assert (maps[:, ~MASK] == 0).all()
    torch.testing.assert_close(maps[:, 60:68, 60:68], found[0].expand(2, 8, 8), rtol=1e-3, atol=0)


def test_what_is_as_expected_has_no_residual():
    found, maps = feature_residuals(even(0.3), even(0.3), answers_of(0.1), MASK, Pixels())
    assert (found == 0).all()
    assert (maps == 0).all()


def test_what_was_not_hidden_has_no_part():
    acquired = even(0.0)
    acquired[..., :20, :] = 0.9
    assert (feature_residuals(acquired, even(0), answers_of(0.1), MASK, Pixels())[0] == 0).all()


def test_a_defect_shows_where_it_is():
    acquired = even(0.0)
    acquired[..., 56:64, 72:80] = 0.5
    _, maps = feature_residuals(acquired, even(0), answers_of(0.1), MASK, Pixels())
    rows, columns = divmod(int(maps[0].argmax()), 128)
    assert 56 <= rows < 64
    assert 72 <= columns < 80


def test_the_network_stays_as_it_was():
    torch.manual_seed(0)
    network = PatchFeatures().train()
    images = torch.rand(4, 1, 128, 128, generator=torch.Generator().manual_seed(1)) * 2 - 1
    before = {name: value.clone() for name, value in network.state_dict().items()}
    found, _ = feature_residuals(images[:2], images[2:], images.unflatten(0, (2, 2)), MASK, network)
    assert network.training
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())
    assert found.shape == (2,)


def test_shapes_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match=r"expected \(K, 1, H, W\) twice, \(S, K, 1, H, W\) and \(H, W\)"):
        feature_residuals(even(0), even(0, 3), answers_of(0.1), MASK, Pixels())
    with pytest.raises(ValueError, match=r"mask \(64, 64\)"):
        feature_residuals(even(0), even(0), answers_of(0.1), MASK[:64, :64], Pixels())
