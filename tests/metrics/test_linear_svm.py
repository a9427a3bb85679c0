import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import approx_fprime, minimize

from monai_cardiac_gan.metrics import fit_linear_svm


def two_kinds(seed, count=40, size=3):
    rng = np.random.default_rng(seed)
    positive = np.arange(count) % 2 == 0
    return rng.normal(size=(count, size)) + 0.7 * positive[:, None], positive


def loss(parameters, features, positive, cost):
    margins = np.where(positive, 1, -1) * (features @ parameters[:-1] + parameters[-1])
    return 0.5 * parameters @ parameters + cost * (np.maximum(0, 1 - margins) ** 2).sum()


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 1000), cost=st.floats(0.01, 10))
def test_nothing_near_is_better(seed, cost):
    features, positive = two_kinds(seed)
    weights, bias = fit_linear_svm(features, positive, cost)
    found = np.append(weights, bias)
    slope = approx_fprime(found, loss, 1e-7, features, positive, cost)
    assert np.abs(slope).max() < 1e-3 * max(1, cost)
    other = minimize(
        loss, np.zeros(4), args=(features, positive, cost), method="Powell", options={"xtol": 1e-8, "ftol": 1e-12}
    )
    assert loss(found, features, positive, cost) <= other.fun + 1e-6


@pytest.mark.parametrize("cost", [0.1, 1.0, 10.0])
def test_two_points_in_closed_form(cost):
    """w² / 2 + 2 C (1 - w d)² is smallest at w = 4 C d / (1 + 4 C d²)."""
    for half in (0.5, 2.0):
        weights, bias = fit_linear_svm(np.array([[half], [-half]]), np.array([True, False]), cost)
        assert weights[0] == pytest.approx(4 * cost * half / (1 + 4 * cost * half**2), rel=1e-6)
        assert bias == pytest.approx(0, abs=1e-8)


def test_it_is_that_of_scikit_learn():
    svm = pytest.importorskip("sklearn.svm")
    features, positive = two_kinds(0)
    model = svm.LinearSVC(dual=False, tol=1e-10, max_iter=100_000).fit(features, positive)
    weights, bias = fit_linear_svm(features, positive)
    np.testing.assert_allclose(weights, model.coef_[0], atol=1e-4)
    assert bias == pytest.approx(model.intercept_[0], abs=1e-4)


def test_one_kind_and_other_shapes_are_refused():
    with pytest.raises(ValueError, match="all samples are of one kind: expected some of both"):
        fit_linear_svm(np.zeros((3, 2)), np.ones(3, dtype=bool))
    with pytest.raises(
        ValueError, match=r"the features are \(3, 2\) and the kinds \(4,\): expected \(N, F\) and \(N,\)"
    ):
        fit_linear_svm(np.zeros((3, 2)), np.ones(4, dtype=bool))
