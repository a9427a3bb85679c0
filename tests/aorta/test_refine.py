import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage.measure import CircleModel

from monai_cardiac_gan.aorta.refine import fit_circles, has_bright_wall, refine_circles


def scikit_image_circle(points):
    """Row, column and radius; scikit-image 0.26 renamed the way to ask for them."""
    if hasattr(CircleModel, "from_estimate"):
        model = CircleModel.from_estimate(points)
        return [*model.center, model.radius]
    model = CircleModel()
    model.estimate(points)
    return model.params


@given(seed=st.integers(0, 10_000), noise=st.floats(0, 0.5))
@settings(deadline=None, max_examples=30)
def test_the_algebraic_fit_is_the_one_of_scikit_image(seed, noise):
    rng = np.random.default_rng(seed)
    centre, radius = rng.uniform(-20, 20, 2), rng.uniform(5, 20)
    angles = np.arange(36) / 36 * 2 * np.pi
    points = centre + radius * np.stack([np.cos(angles), np.sin(angles)], -1) + rng.normal(0, noise, (36, 2))
    reference = scikit_image_circle(points)
    centres, radii = fit_circles(points[None], np.ones((1, 36)))
    np.testing.assert_allclose([*centres[0], radii[0]], reference, atol=1e-6)


@given(x=st.floats(30, 34), y=st.floats(30, 34), diameter=st.floats(16, 38), rough=st.floats(-3, 3))
@settings(deadline=None, max_examples=40)
def test_a_disc_is_found_to_a_tenth_of_a_voxel_from_a_rough_start(x, y, diameter, rough):
    axes = np.arange(64.0)
    share = np.clip(0.5 + (diameter / 2 - np.hypot(axes[:, None] - x, axes[None] - y)) / 1.5, 0, 1)
    volume = np.repeat((100 + 900 * share)[..., None], 2, -1).astype(np.float32)
    fitted = refine_circles(
        volume, np.ones(3), np.array([1]), np.array([[x + rough, y - rough]]), np.array([diameter / 2 + 1])
    )
    np.testing.assert_allclose(fitted.centres_mm[0], [x, y], atol=0.1)
    assert fitted.radii_mm[0] == pytest.approx(diameter / 2, abs=0.15)
    assert fitted.support[0] > 0.95
    assert not fitted.walled


def test_a_neighbour_as_bright_as_the_vessel_costs_support_but_moves_it_little():
    axes = np.arange(80.0)
    vessel = np.hypot(axes[:, None] - 40, axes[None] - 40) < 12
    organ = np.broadcast_to(axes[None] > 49, (80, 80))
    volume = np.where(vessel | organ, 1000.0, 100.0)[..., None].astype(np.float32)
    fitted = refine_circles(volume, np.ones(3), np.array([0]), np.array([[41.0, 39.0]]), np.array([11.0]))
    np.testing.assert_allclose(fitted.centres_mm[0], [40, 40], atol=1.0)
    assert fitted.radii_mm[0] == pytest.approx(12, abs=0.8)
    assert 0.5 < fitted.support[0] < 0.9


def test_the_spacing_turns_voxels_into_millimetres():
    x, y = np.arange(80) * 0.8, np.arange(50) * 1.5
    share = np.clip(0.5 + 10 - np.hypot(x[:, None] - 30, y[None] - 36), 0, 1)
    volume = (1000 * share)[..., None].astype(np.float32)
    fitted = refine_circles(volume, np.array([0.8, 1.5, 2.0]), np.array([0]), np.array([[31.0, 37.0]]), np.array([9.0]))
    np.testing.assert_allclose([*fitted.centres_mm[0], fitted.radii_mm[0]], [30, 36, 10], atol=0.2)


def walled(blood, wall, ground, radius=12.0, width=2.5):
    """Three slices of a lumen of this radius in a wall of this width, edges blurred over a voxel."""
    axes = np.arange(80.0)
    distance = np.hypot(axes[:, None] - 40, axes[None] - 40)
    lumen, vessel = (np.clip(0.5 + edge - distance, 0, 1) for edge in (radius, radius + width))
    image = ground + (wall - ground) * vessel + (blood - wall) * lumen
    return np.repeat(image[..., None], 3, -1).astype(np.float32)


@given(x=st.floats(-2, 2), y=st.floats(-2, 2), radius=st.floats(9, 15), wall=st.floats(2, 4))
@settings(deadline=None, max_examples=30)
def test_in_a_bright_wall_the_circle_is_the_lumen_s(x, y, radius, wall):
    volume = 100 * walled(1.0, wall, 0.2, radius)
    rough, reach = np.array([[40 + x, 40 + y]]), np.array([radius + 1.5])
    fitted = refine_circles(volume, np.ones(3), np.array([1]), rough, reach)
    np.testing.assert_allclose(fitted.centres_mm[0], [40, 40], atol=0.1)
    # two blurred edges 2.5 mm apart push each other outwards
    assert fitted.radii_mm[0] == pytest.approx(radius, abs=0.5)
    assert fitted.support[0] > 0.95
    assert fitted.walled


@pytest.mark.parametrize(
    ("blood", "wall", "ground", "expected"),
    [
        pytest.param(1.0, 2.0, 0.2, True, id="late enhancement"),
        pytest.param(1.0, 1.1, 0.2, False, id="a tenth brighter is a ripple"),
        pytest.param(1.0, 0.2, 0.2, False, id="bright blood"),
        pytest.param(0.2, 1.0, 1.0, False, id="black blood"),
    ],
)
def test_bright_walls_are_told_from_bright_and_from_black_blood(blood, wall, ground, expected):
    every, centres, radii = np.arange(3), np.full((3, 2), 40.0), np.full(3, 12.5)
    assert has_bright_wall(walled(blood, wall, ground), np.ones(3), every, centres, radii) is expected
