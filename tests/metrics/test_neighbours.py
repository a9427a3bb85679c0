import numpy as np
import pytest
import torch
from scipy.spatial import cKDTree
from scipy.spatial.distance import cdist

from monai_cardiac_gan.metrics import neighbours
from monai_cardiac_gan.metrics.neighbours import distances_by_rows, kth_neighbour_distances, nearest


def samples(*counts, features=6, seed=0):
    rng = np.random.default_rng(seed)
    return [torch.from_numpy(rng.normal(size=(count, features))) for count in counts]


@pytest.fixture(params=[1, 100, 2**23])
def block(request, monkeypatch):
    """Distances held at once: a row, some rows, all."""
    monkeypatch.setattr(neighbours, "BLOCK", request.param)


@pytest.mark.usefixtures("block")
def test_blocks_together_are_all_distances():
    queries, points = samples(23, 41)
    rows, blocks = zip(*distances_by_rows(queries, points), strict=True)
    assert [row for some in rows for row in range(some.start, some.stop)] == list(range(23))
    np.testing.assert_allclose(torch.cat(blocks), cdist(queries, points), rtol=1e-12)


@pytest.mark.usefixtures("block")
@pytest.mark.parametrize("k", [1, 3, 40])
def test_kth_neighbours_are_those_of_a_search_tree(k):
    (points,) = samples(41)
    expected = cKDTree(points).query(points, k + 1)[0][:, -1]  # the point itself is the first
    np.testing.assert_allclose(kth_neighbour_distances(points, k), expected, rtol=1e-12)


@pytest.mark.usefixtures("block")
def test_nearest_points_are_those_of_a_search_tree():
    queries, points = samples(23, 41)
    distances, indices = nearest(queries, points)
    expected = cKDTree(points).query(queries)
    np.testing.assert_allclose(distances, expected[0], rtol=1e-12)
    assert indices.tolist() == expected[1].tolist()


def test_twins_are_neighbours_at_no_distance_and_points_are_none_of_themselves():
    (points,) = samples(5)
    assert kth_neighbour_distances(torch.cat([points, points]), 1).max() < 1e-7
    assert kth_neighbour_distances(points, 1).min() > 0.1


def test_a_common_offset_costs_no_precision():
    queries, points = samples(23, 41)
    shifted = torch.cat([block for _, block in distances_by_rows(queries + 1e6, points + 1e6)])
    np.testing.assert_allclose(shifted, cdist(queries, points), rtol=1e-7)


@pytest.mark.parametrize("k", [0, 4])
def test_more_neighbours_than_other_samples_are_refused(k):
    with pytest.raises(ValueError, match=f"k is {k} for 4 samples, expected 1 to 3"):
        kth_neighbour_distances(torch.zeros(4, 2), k)
