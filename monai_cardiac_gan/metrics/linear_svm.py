"""A linear support vector machine."""

from __future__ import annotations

import numpy as np
from scipy.optimize import minimize

__all__ = ["fit_linear_svm"]

ITERATIONS = 1000
"""Of L-BFGS; some hundred features take fewer than a hundred."""
TOLERANCE = 1e-8
"""Of the largest part of the gradient, over the number of samples."""


def fit_linear_svm(features: np.ndarray, positive: np.ndarray, cost: float = 1.0) -> tuple[np.ndarray, float]:
    r"""Weights and bias of the linear function that tells two kinds of samples apart with the widest margin.

    .. math:: \min_{w, b} \frac{1}{2} (\lVert w \rVert^2 + b^2) + C \sum_i \max(0, 1 - y_i (w \cdot x_i + b))^2

    with :math:`y_i` 1 or -1. This is what scikit-learn's ``LinearSVC(dual=False)`` minimises (LIBLINEAR's L2-regularised L2-loss
    classifier), which the package does not need for this: the loss is convex and smooth, so that L-BFGS finds its minimum.

    Args:
        features: (N, F).
        positive: (N,) bool, which samples are of the positive kind; some of both.
        cost: C, 1 in both libraries.

    Returns:
        w (F,) and b.

    Raises:
        ValueError: when the shapes differ, or there is one kind only.

    Example:
        Two samples at -1 and 1, without a bias by symmetry: w² / 2 + 2 (1 - w)² is smallest at w = 0.8.

        >>> weights, bias = fit_linear_svm(np.array([[-1.0], [1.0]]), np.array([False, True]))
        >>> weights.round(4).tolist(), abs(round(bias, 4))
        ([0.8], 0.0)

    Source: Fan et al. 2008, "LIBLINEAR: a library for large linear classification".
    """
    features, positive = np.asarray(features, dtype=np.float64), np.asarray(positive, dtype=bool)
    if features.ndim != 2 or positive.shape != (len(features),):
        raise ValueError(
            f"the features are {features.shape} and the kinds {positive.shape}: expected (N, F) and (N,), one kind for each."
        )
    if positive.all() or not positive.any():
        raise ValueError("all samples are of one kind: expected some of both, to be told apart.")
    extended = np.column_stack([features, np.ones(len(features))])
    signed = extended * np.where(positive, 1.0, -1.0)[:, None]

    def objective(weights: np.ndarray) -> tuple[float, np.ndarray]:
        missing = np.maximum(0.0, 1 - signed @ weights)
        value = 0.5 * weights @ weights + cost * missing @ missing
        return value, weights - 2 * cost * signed.T @ missing

    options = {"maxiter": ITERATIONS, "gtol": TOLERANCE * len(features), "ftol": 0.0}
    found = minimize(objective, np.zeros(extended.shape[1]), jac=True, method="L-BFGS-B", options=options).x
    return found[:-1], float(found[-1])
