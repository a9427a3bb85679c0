import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from monai_cardiac_gan.aorta.circles import find_circles, hough_circles, or_walled

RADII = np.arange(4, 14)


def disc(centre, radius, size=64, inside=1.0, outside=0.0):
    rows, columns = np.ogrid[:size, :size]
    share = np.clip(0.5 + radius - np.hypot(rows - centre[0], columns - centre[1]), 0, 1)
    return outside + (inside - outside) * share


@given(
    row=st.integers(16, 48),
    column=st.integers(16, 48),
    radius=st.integers(5, 12),
    gain=st.floats(0.01, 1e4),
    offset=st.floats(0, 100),
)
@settings(deadline=None, max_examples=40)
def test_the_best_vote_is_the_disc_whatever_the_intensity_scale(row, column, radius, gain, offset):
    votes = hough_circles(offset * gain + gain * disc((row, column), radius), RADII)
    best_radius, best_row, best_column = np.unravel_index(votes.argmax(), votes.shape)
    assert (best_row, best_column) == (row, column)
    assert abs(RADII[best_radius] - radius) <= 1


def test_votes_equal_a_direct_sum_over_the_rim():
    """Independent way: sample the same gradient along the rim with spline interpolation."""
    from scipy import ndimage

    from monai_cardiac_gan.aorta.circles import _saturated_gradient

    image = disc((30, 34), 9) + 0.2 * disc((20, 20), 5)
    angles = np.linspace(0, 2 * np.pi, 720, endpoint=False)
    points = np.stack([30 + 9 * np.cos(angles), 34 + 9 * np.sin(angles)])
    gradient = [ndimage.map_coordinates(part, points, order=3) for part in _saturated_gradient(image)]
    direct = -(gradient[0] * np.cos(angles) + gradient[1] * np.sin(angles)).mean()
    assert abs(hough_circles(image, np.array([9]))[0, 30, 34] - direct) < 0.03


def test_a_dark_disc_votes_against_itself():
    votes = hough_circles(1 - disc((32, 32), 8), np.array([8]))
    assert votes[0, 32, 32] < -0.8


def test_a_ring_around_a_dark_core_scores_nothing_though_its_rim_is_perfect():
    ring = disc((32, 32), 10) - disc((32, 32), 7)
    filled, hollow = (find_circles(image, RADII, 5, 3) for image in (disc((32, 32), 10), ring))
    at_middle = np.linalg.norm(hollow.centres - 32, axis=1) < 2
    assert filled.scores[0] > 0.9
    assert hollow.scores[at_middle].max() < 0.05


def test_candidates_come_best_first_and_apart():
    image = disc((20, 20), 7) + 0.6 * disc((44, 40), 9)
    found = find_circles(image, RADII, 6, 3)
    assert np.all(np.diff(found.scores) <= 0)
    gaps = np.linalg.norm(found.centres[:, None] - found.centres[None], axis=-1) + 99 * np.eye(len(found.scores))
    assert gaps.min() > 3
    assert {(20.0, 20.0), (44.0, 40.0)} == {tuple(centre) for centre in found.centres[:2]}


@given(
    row=st.integers(18, 46),
    column=st.integers(18, 46),
    radius=st.integers(6, 11),
    blood=st.floats(0.3, 0.6),
    width=st.floats(1.5, 2.5),
)
@settings(deadline=None, max_examples=40)
def test_grey_blood_in_a_bright_wall_is_found_at_its_wall(row, column, radius, blood, width):
    outer, inner = disc((row, column), radius + width / 2), disc((row, column), radius - width / 2)
    votes = or_walled(hough_circles(outer - (1 - blood) * inner, RADII))
    best_radius, best_row, best_column = np.unravel_index(votes.argmax(), votes.shape)
    assert (best_row, best_column) == (row, column)
    assert abs(RADII[best_radius] - radius) <= 1
    assert votes.max() > 0.9


def test_walls_leave_bright_discs_and_the_outermost_radii_as_they_are():
    votes = hough_circles(disc((32, 32), 8), RADII)
    walled = or_walled(votes)
    assert walled[:, 32, 32].argmax() == votes[:, 32, 32].argmax() == 4
    assert walled[4, 32, 32] == votes[4, 32, 32]
    np.testing.assert_array_equal(walled[[0, -1]], votes[[0, -1]])
    assert np.all(walled >= votes)
