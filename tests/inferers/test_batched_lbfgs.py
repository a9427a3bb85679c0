import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize

from monai_cardiac_gan.inferers import BatchedLBFGS
from monai_cardiac_gan.inferers.objective import Evaluation
from monai_cardiac_gan.inferers.traces import StopReason


class Rosenbrock:
    """sum 100 (x_{i+1} - x_i^2)^2 + (1 - x_i)^2, for many points; counts what each costs."""

    def __init__(self):
        self.counts = {}

    def __call__(self, points, rows=None):
        rows = torch.arange(len(points)) if rows is None else rows
        for row in rows.tolist():
            self.counts[row] = self.counts.get(row, 0) + 1
        with torch.enable_grad():
            points = points.detach().requires_grad_()
            values = (100 * (points[:, 1:] - points[:, :-1] ** 2) ** 2 + (1 - points[:, :-1]) ** 2).sum(1)
            (gradient,) = torch.autograd.grad(values.sum(), points)
        return Evaluation(values.detach(), gradient, {"value": values.detach()})


class Quadratic:
    def __init__(self, matrix, middle):
        self.matrix, self.middle = matrix, middle

    def __call__(self, points, rows=None):
        middle = self.middle if rows is None else self.middle[rows]
        away = points - middle
        gradient = away @ self.matrix
        values = 0.5 * (away * gradient).sum(1)
        return Evaluation(values, gradient, {"value": values})


STARTS = torch.randn(4, 5, dtype=torch.double, generator=torch.Generator().manual_seed(0))


def test_finds_the_valleys_end_about_as_soon_as_scipy():
    for start in STARTS.numpy():

        def value(point):
            found = Rosenbrock()(torch.tensor(point)[None])
            return found.total.item(), found.gradient[0].numpy()

        reference = minimize(value, start, jac=True, method="L-BFGS-B", options={"maxcor": 10, "ftol": 1e-14})
        outcome = BatchedLBFGS(2 * reference.nfev, tolerance=0)(Rosenbrock(), torch.tensor(start)[None])
        assert outcome.losses.item() <= max(1e-6, 1.1 * reference.fun)


def test_evaluations_are_counted_and_bounded():
    function = Rosenbrock()
    outcome = BatchedLBFGS(17, tolerance=0)(function, STARTS)
    assert outcome.evaluations.tolist() == [function.counts[row] for row in range(4)]
    assert outcome.evaluations.max() <= 17
    assert outcome.stops == (StopReason.ITERATIONS,) * 4


@given(seed=st.integers(0, 2**16), size=st.integers(2, 8))
@settings(deadline=None, max_examples=20)
def test_no_iteration_goes_up_and_the_best_is_returned(seed, size):
    starts = torch.randn(3, size, dtype=torch.double, generator=torch.Generator().manual_seed(seed))
    outcome = BatchedLBFGS(40)(Rosenbrock(), starts)
    assert (outcome.total.diff(dim=0) <= 0).all()
    assert torch.equal(outcome.losses, outcome.total[-1])
    torch.testing.assert_close(Rosenbrock()(outcome.latents).total, outcome.losses)


def test_each_problem_is_solved_as_if_alone():
    together = BatchedLBFGS(30)(Rosenbrock(), STARTS)
    for row in range(4):
        alone = BatchedLBFGS(30)(Rosenbrock(), STARTS[row : row + 1])
        torch.testing.assert_close(alone.latents[0], together.latents[row], rtol=1e-6, atol=1e-9)
        assert alone.evaluations[0] == together.evaluations[row]
        assert alone.stops[0] == together.stops[row]


def test_with_the_inverse_of_the_matrix_a_quadratic_takes_few_steps():
    scales = torch.logspace(0, 6, 5, dtype=torch.double)
    turn = torch.linalg.qr(torch.randn(5, 5, dtype=torch.double, generator=torch.Generator().manual_seed(1))).Q
    matrix = turn * scales @ turn.T
    function = Quadratic(matrix, torch.zeros(4, 5, dtype=torch.double))
    plain, exact = (
        BatchedLBFGS(12, preconditioner, tolerance=0)(function, STARTS)
        for preconditioner in (None, torch.linalg.inv(matrix))
    )
    assert (exact.losses < 1e-12 * exact.total[0]).all()
    assert (plain.losses > 1e6 * exact.losses).all()


def test_what_has_arrived_stops_and_the_others_go_on():
    starts = STARTS.clone()
    starts[2] = 1.0  # the bottom
    outcome = BatchedLBFGS(60, tolerance=1e-3, patience=3)(Rosenbrock(), starts)
    assert outcome.stops[2] in (StopReason.NO_STEP, StopReason.CONVERGED)
    assert outcome.evaluations[2] < 30 < outcome.evaluations[0]
    assert torch.equal(outcome.latents[2], starts[2])
    assert (outcome.total[:, 2] == 0).all()


def test_the_path_is_evenly_spaced_with_both_ends():
    outcome = BatchedLBFGS(40, tolerance=0)(Rosenbrock(), STARTS, snapshots=4)
    assert outcome.path.shape == (4, 4, 5)
    assert outcome.path_iterations[0] == 0
    assert outcome.path_iterations[-1] == len(outcome.total) - 1
    assert torch.equal(outcome.path[0], STARTS)
    assert np.ptp(np.diff(outcome.path_iterations)) <= 1


def test_a_start_that_is_not_finite_is_left():
    starts = STARTS.clone()
    starts[1, 0] = torch.inf
    outcome = BatchedLBFGS(20)(Rosenbrock(), starts)
    assert outcome.stops[1] == StopReason.NOT_FINITE
    assert outcome.evaluations[1] == 1
    assert (outcome.losses[[0, 2, 3]] < outcome.total[0, [0, 2, 3]]).all()


@pytest.mark.parametrize("settings", [{"evaluations": 0}, {"memory": 0}, {"patience": 0}, {"tolerance": -1e-3}])
def test_settings_that_make_no_sense_are_refused(settings):
    with pytest.raises(ValueError, match=r"must be at least 1, and tolerance .* at least 0"):
        BatchedLBFGS(**settings)


@pytest.mark.parametrize("shape", [(4, 4), (5, 3), (1, 5), (0, 0), (10, 10)])
def test_a_preconditioner_of_another_size_is_refused(shape):
    message = rf"preconditioner is \({shape[0]}, {shape[1]}\): expected \(5, 5\) for latents of 5 numbers, or a square whose side"
    with pytest.raises(ValueError, match=message):
        BatchedLBFGS(5, torch.ones(shape))(Rosenbrock(), STARTS)


def test_unknowns_that_are_several_latents_take_the_preconditioner_for_each():
    """Three copies of one quadratic in a row are solved as with the matrix of all of them, written out."""
    turn = torch.linalg.qr(torch.randn(5, 5, dtype=torch.double, generator=torch.Generator().manual_seed(1))).Q
    matrix = turn * torch.logspace(0, 4, 5, dtype=torch.double) @ turn.T
    whole = torch.zeros(15, 15, dtype=torch.double)
    for first in (0, 5, 10):
        whole[first : first + 5, first : first + 5] = matrix
    starts = torch.randn(2, 15, dtype=torch.double, generator=torch.Generator().manual_seed(2))
    function = Quadratic(whole, torch.zeros(2, 15, dtype=torch.double))
    one, written_out = (
        BatchedLBFGS(12, torch.linalg.inv(each), tolerance=0)(function, starts) for each in (matrix, whole)
    )
    torch.testing.assert_close(one.total, written_out.total)
    torch.testing.assert_close(one.latents, written_out.latents)
    assert (one.losses < 1e-12 * one.total[0]).all()
