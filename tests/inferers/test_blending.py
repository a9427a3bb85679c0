import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage
from skimage.restoration import inpaint_biharmonic

from monai_cardiac_gan.inferers import FeatheredBlending, Paste, PoissonBlending, seam_error

ALL = [Paste(), FeatheredBlending(3.0), PoissonBlending()]


def drawn(seed, side=20):
    source = torch.Generator().manual_seed(seed)
    patches, generated = torch.rand(2, 2, 1, side, side, generator=source) * 1.6 - 0.8
    masks = torch.zeros(2, 1, side, side, dtype=torch.bool)
    masks[0, :, 5:12, 6:14] = True
    masks[1, :, :4, 10:] = True  # reaches two borders
    masks[1, :, 15, 3] = True
    return generated, patches, masks


@pytest.mark.parametrize("blending", ALL)
@given(seed=st.integers(0, 2**16))
@settings(deadline=None, max_examples=10)
def test_known_pixels_stay_bit_by_bit_and_inputs_too(blending, seed):
    generated, patches, masks = drawn(seed)
    before = generated.clone(), patches.clone()
    painted = blending(generated, patches, masks)
    assert torch.equal(painted[~masks], patches[~masks])
    assert torch.equal(generated, before[0])
    assert torch.equal(patches, before[1])
    assert painted.abs().max() <= 1


@pytest.mark.parametrize("blending", ALL)
def test_an_image_that_is_the_patch_leaves_it_as_it_is(blending):
    _, patches, masks = drawn(0)
    torch.testing.assert_close(blending(patches.clone(), patches, masks), patches)


@pytest.mark.parametrize("blending", ALL[1:])
def test_a_difference_in_brightness_alone_leaves_less_of_a_seam(blending):
    smooth = torch.linspace(-0.5, 0.5, 20).expand(2, 1, 20, 20)
    _, _, masks = drawn(0)
    pasted, blended = (seam_error(each(smooth + 0.4, smooth, masks), smooth, masks) for each in (Paste(), blending))
    torch.testing.assert_close(pasted, torch.full((2,), 0.4))
    assert (blended < 0.15).all()


def test_poisson_keeps_the_generated_curvature():
    generated, patches, masks = drawn(3)
    generated, patches = 0.2 * generated, 0.2 * patches  # nothing is clipped
    painted = PoissonBlending()(generated, patches, masks)
    for image, source, mask in zip(painted[:1, 0].double(), generated[:1, 0].double(), masks[:1, 0], strict=True):
        curvatures = [ndimage.laplace(each.numpy())[mask.numpy()] for each in (image, source)]
        np.testing.assert_allclose(*curvatures, atol=1e-5)


def test_poisson_of_nothing_is_harmonic_at_borders_too():
    _, patches, masks = drawn(5)
    painted = PoissonBlending()(torch.zeros_like(patches), patches, masks)[1, 0].double().numpy()
    wide = np.pad(painted, 1, mode="edge")  # nothing flows over the border
    curvature = ndimage.laplace(wide)[1:-1, 1:-1]
    np.testing.assert_allclose(curvature[masks[1, 0].numpy()], 0, atol=1e-5)


def test_smooth_surroundings_are_continued_as_scikit_image_does():
    rows, columns = np.mgrid[:20, :20] / 20
    patches = torch.tensor(rows + 0.5 * columns - 0.7, dtype=torch.float32)[None, None]
    masks = torch.zeros(1, 1, 20, 20, dtype=torch.bool)
    masks[..., 6:12, 7:13] = True
    painted = PoissonBlending()(torch.zeros(1, 1, 20, 20), patches, masks)
    expected = inpaint_biharmonic(patches[0, 0].numpy(), masks[0, 0].numpy())
    np.testing.assert_allclose(painted[0, 0], expected, atol=1e-3)


def test_the_seam_error_of_a_step():
    patches = torch.zeros(1, 1, 6, 6)
    masks = torch.zeros(1, 1, 6, 6, dtype=torch.bool)
    masks[..., 2:4, 2:4] = True
    assert seam_error(patches, patches, masks).item() == 0
    assert seam_error(patches + 0.25 * masks, patches, masks).item() == 0.25


@pytest.mark.parametrize("width", [0.0, -1.0])
def test_a_width_of_nothing_is_refused(width):
    with pytest.raises(ValueError, match="expected above 0; use Paste to blend nothing"):
        FeatheredBlending(width)
