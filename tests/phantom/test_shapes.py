import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monai_cardiac_gan.phantom.canvas import Canvas, Tissue
from monai_cardiac_gan.phantom.fields import SmoothField
from monai_cardiac_gan.phantom.grid import Grid
from monai_cardiac_gan.phantom.labels import PhantomLabel
from monai_cardiac_gan.phantom.shapes import axis_frame, capsule, ellipsoid, smooth_path, tube

coordinate = st.floats(-50, 50)
triple = st.tuples(coordinate, coordinate, coordinate)


def as_point(position):
    return tuple(np.float32(value) for value in position)


def cube(count=40, step=1.5):
    return Grid(np.random.default_rng(0), [np.arange(count) * step] * 3)


@given(
    position=triple, centre=triple, radius=st.floats(1, 30), axis=triple.filter(lambda axis: np.linalg.norm(axis) > 1)
)
@settings(deadline=None, max_examples=60)
def test_an_ellipsoid_with_equal_axes_is_a_sphere(position, centre, radius, axis):
    level = ellipsoid(as_point(position), centre, (radius,) * 3, axis_frame(axis))
    assert level == pytest.approx(np.linalg.norm(np.subtract(position, centre)) - radius, abs=1e-3)


@given(position=triple, start=triple, direction=triple.filter(lambda axis: np.linalg.norm(axis) > 1))
@settings(deadline=None, max_examples=60)
def test_a_capsule_is_as_far_as_its_nearest_sphere(position, start, direction):
    ends = np.array([start, np.add(start, direction)])
    share = np.linspace(0, 1, 2001)[:, None]
    nearest = np.linalg.norm(ends[0] + share * np.asarray(direction) - position, axis=1).min()
    assert capsule(as_point(position), ends, np.array([4.0, 4.0])) == pytest.approx(nearest - 4.0, abs=0.03)


def test_a_capsule_without_length_is_a_ball():
    level = capsule(as_point((3.0, 4.0, 0.0)), np.zeros((2, 3)), np.array([2.0, 2.0]))
    assert level == pytest.approx(3.0)


@given(axis=triple.filter(lambda axis: np.linalg.norm(axis) > 1e-3))
@settings(deadline=None, max_examples=60)
def test_a_frame_is_a_rotation_that_starts_with_its_axis(axis):
    frame = axis_frame(axis)
    np.testing.assert_allclose(frame @ frame.T, np.eye(3), atol=1e-9)
    assert np.linalg.det(frame) == pytest.approx(1)
    np.testing.assert_allclose(frame[0], np.asarray(axis) / np.linalg.norm(axis))


def test_a_path_passes_its_ends_and_starts_as_told():
    path = smooth_path([(0, 0, 0), (10, 0, 20), (30, 0, 0)], 200, start_direction=np.array([0.0, 0.0, 1.0]))
    np.testing.assert_allclose(path[[0, -1]], [(0, 0, 0), (30, 0, 0)], atol=1e-9)
    step = path[1] - path[0]
    assert step[2] / np.linalg.norm(step) > 0.99


def test_a_smooth_field_has_unit_variance_everywhere():
    axes = [np.arange(12.0) * 2, np.arange(10.0) * 3, np.arange(8.0) * 4]
    whole = (slice(None),) * 3
    draws = np.stack([SmoothField(np.random.default_rng(seed), axes, 20.0)[whole] for seed in range(600)])
    np.testing.assert_allclose(draws.std(0), 1, atol=0.17)  # five standard errors of 600 draws
    np.testing.assert_allclose(draws.mean(0), 0, atol=0.21)


def test_part_of_a_smooth_field_is_part_of_the_whole():
    field = SmoothField(np.random.default_rng(0), [np.arange(20.0)] * 3, 8.0)
    box = (slice(3, 9), slice(0, 20), slice(11, 12))
    np.testing.assert_allclose(field[box], field[(slice(None),) * 3][box], atol=1e-6)


def test_parts_of_a_box_cover_it_once():
    grid = cube(60)
    seen = np.zeros(grid.shape, dtype=int)
    for box in grid.parts(grid.everywhere):
        seen[box] += 1
    assert np.all(seen == 1)


def test_a_tube_beyond_the_view_is_none():
    assert tube(cube(), np.array([[500.0, 0, 0], [510.0, 0, 0]]), np.array([2.0, 2.0])) is None


def test_a_painted_ball_has_its_volume_in_labels_and_in_signal():
    grid = cube()
    canvas = Canvas(grid)
    x, y, z = grid.straight(grid.everywhere)
    radius = 20.0
    level = np.sqrt((x - 29.2) ** 2 + (y - 29.6) ** 2 + (z - 28.9) ** 2) - np.float32(radius)
    canvas.paint(grid.everywhere, level, Tissue(PhantomLabel.LIVER, 0.5))
    volume = 4 / 3 * np.pi * radius**3 / 1.5**3
    assert (canvas.labels == PhantomLabel.LIVER).sum() == pytest.approx(volume, rel=0.01)
    assert canvas.signal.sum() / 0.5 == pytest.approx(volume, rel=0.01)


def test_painting_only_over_some_labels_spares_the_others():
    grid = cube(10)
    canvas = Canvas(grid)
    canvas.labels[:5] = PhantomLabel.LUNG
    everything = np.full(grid.shape, -10.0, dtype=np.float32)
    canvas.paint(grid.everywhere, everything, Tissue(PhantomLabel.LIVER, 0.5), only=(PhantomLabel.LUNG,))
    assert np.all(canvas.labels[:5] == PhantomLabel.LIVER)
    assert np.all(canvas.labels[5:] == PhantomLabel.BACKGROUND)
    assert np.all(canvas.signal[5:] == 0)
