"""Limited-memory BFGS for many small problems at once, each with its own step and its own end."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from tqdm import tqdm

from monai_cardiac_gan.inferers.latent_optimizer import (
    OptimizationRecord,
    OptimizationResult,
    evenly_spaced,
)
from monai_cardiac_gan.inferers.objective import Evaluation, Objective
from monai_cardiac_gan.inferers.traces import StopReason

__all__ = ["BatchedLBFGS"]

MEMORY = 10
"""Steps that are remembered (Nocedal and Wright 2006, section 7.2, advise 3 to 20)."""
SUFFICIENT = 1e-4
"""Share of the decrease that the slope promises which has to come (Armijo; section 3.1, c1)."""
SHORTER = 0.4
"""Factor by which a step that did not descend enough is shortened."""
TRIES = 6
"""Step lengths tried along one direction."""
LEAST_CURVATURE = 1e-12
"""Steps along which the slope did not grow by more are not remembered: they would spoil the direction."""
FIRST_STEP = 1.0
"""Length of the first step in the space of latents, where a standard normal has the length 10."""


class BatchedLBFGS:
    r"""L-BFGS with a line search for each latent (Nocedal and Wright 2006, algorithms 7.4 and 3.1).

    All latents are evaluated together, those that have stopped are left out. The matrix that the two-loop recursion starts
    from is :math:`\gamma P` with a preconditioner P of the generator and
    :math:`\gamma = s^T y / y^T P y` of the last step.

    Args:
        evaluations: gradients that each search may take.
        preconditioner: (L, L), symmetric positive definite, see `metric_inverse`, or a function that gives it when a search
            begins; the identity if None. Unknowns that are several latents in a row take it for each of them.
        memory: steps that are remembered.
        tolerance: a search has converged when ``patience`` iterations together lowered the loss by less than this share.
        patience: see above.

    Raises:
        ValueError: when a count is below 1 or the tolerance is negative.
    """

    def __init__(
        self,
        evaluations: int = 100,
        preconditioner: Tensor | Callable[[], Tensor] | None = None,
        memory: int = MEMORY,
        tolerance: float = 1e-3,
        patience: int = 5,
    ) -> None:
        if min(evaluations, memory, patience) < 1 or tolerance < 0:
            raise ValueError(
                f"evaluations {evaluations}, memory {memory} and patience {patience} must be at least 1, and tolerance "
                f"{tolerance} at least 0: give other numbers."
            )
        self.evaluations, self.memory = evaluations, memory
        self.tolerance, self.patience = tolerance, patience
        self.preconditioner = preconditioner

    def __call__(
        self, objective: Objective, initial_latents: Tensor, snapshots: int = 2, progress: bool = False
    ) -> OptimizationResult:
        """See `LatentOptimizer`. One iteration is one step of all latents that are still under way."""
        state = _State(
            initial_latents.detach().clone(), objective(initial_latents), self._matrix(initial_latents), self.memory
        )
        record = OptimizationRecord.of(initial_latents)
        record.add(state.latents, state.found, keep=True)
        with tqdm(total=self.evaluations, desc="latent search", disable=None if progress else True) as bar:
            while len(rows := state.active(self.evaluations)):
                self._step(objective, state, rows)
                record.add(state.latents, state.found, keep=True)
                self._stop(state, record.totals)
                bar.update(int(state.evaluations.max()) - bar.n)
        kept = evenly_spaced(len(record.path) - 1, snapshots)
        record.path, record.iterations = [record.path[i] for i in kept], kept.tolist()
        stops = [stop or StopReason.ITERATIONS for stop in state.stops]
        return record.result(state.evaluations, stops)

    def _matrix(self, initial_latents: Tensor) -> Tensor:
        size = initial_latents.shape[1]
        given = self.preconditioner() if callable(self.preconditioner) else self.preconditioner
        matrix = torch.eye(size) if given is None else given
        part = len(matrix)
        if matrix.shape != (part, part) or not part or size % part:
            raise ValueError(
                f"the preconditioner is {tuple(matrix.shape)}: expected ({size}, {size}) for latents of {size} numbers, or a "
                "square whose side divides that."
            )
        # a vessel's latents lie one behind the other
        return torch.block_diag(*[matrix] * (size // part)).to(initial_latents)

    def _step(self, objective: Objective, state: _State, rows: Tensor) -> None:
        """Move the latents of these numbers along their directions, each as far as it descends."""
        directions, slopes = state.directions(rows)
        lengths = torch.ones_like(slopes)
        pending = torch.arange(len(rows), device=rows.device)
        before, begin = state.found.total[rows], state.latents[rows]
        moved = torch.zeros_like(pending, dtype=torch.bool)
        for _ in range(TRIES):
            tried = begin[pending] + lengths[pending, None] * directions[pending]
            found = objective(tried, rows[pending])
            state.evaluations[rows[pending]] += 1
            enough = found.total <= before[pending] + SUFFICIENT * lengths[pending] * slopes[pending]
            state.move(rows[pending][enough], tried[enough], found, enough)
            moved[pending[enough]] = True
            pending = pending[~enough]
            pending = pending[state.evaluations[rows[pending]] < self.evaluations]
            if not len(pending):
                break
            lengths[pending] *= SHORTER
        state.give_up(rows[~moved])

    def _stop(self, state: _State, totals: list[Tensor]) -> None:
        if len(totals) <= self.patience:
            return
        decrease = totals[-1 - self.patience] - totals[-1]
        slow = decrease <= self.tolerance * totals[-1].abs()
        for row in slow.nonzero()[:, 0].tolist():
            state.stops[row] = state.stops[row] or StopReason.CONVERGED


class _State:
    """Where all searches are, and what they remember."""

    def __init__(self, latents: Tensor, found: Evaluation, matrix: Tensor, memory: int) -> None:
        self.latents, self.found, self.matrix = latents, found, matrix
        count, size = latents.shape
        self.steps, self.changes = (latents.new_zeros(memory, count, size) for _ in range(2))
        self.weights = latents.new_zeros(memory, count)  # 1 / (s.y) of each remembered step, 0 where there is none
        self.scale = FIRST_STEP / (found.gradient @ matrix).norm(dim=1).clamp(min=LEAST_CURVATURE)
        self.first_scale = self.scale.clone()
        self.evaluations = torch.ones(count, dtype=torch.long, device=latents.device)
        self.stops: list[str] = [
            "" if finite else StopReason.NOT_FINITE for finite in torch.isfinite(found.total).tolist()
        ]

    def active(self, limit: int) -> Tensor:
        """Numbers of the searches that go on."""
        going = torch.tensor([not stop for stop in self.stops], device=self.latents.device)
        return (going & (self.evaluations < limit)).nonzero()[:, 0]

    def directions(self, rows: Tensor) -> tuple[Tensor, Tensor]:
        """Directions (n, L) downwards and the slopes (n,) along them, all negative; the two-loop recursion."""
        gradient = self.found.gradient[rows]
        steps, changes, weights = self.steps[:, rows], self.changes[:, rows], self.weights[:, rows]
        rest, factors = gradient.clone(), []
        for step, change, weight in zip(steps, changes, weights, strict=True):  # the newest first
            factor = weight * (step * rest).sum(1)
            rest = rest - factor[:, None] * change
            factors.append(factor)
        rest = self.scale[rows, None] * (rest @ self.matrix)
        for step, change, weight, factor in reversed(list(zip(steps, changes, weights, factors, strict=True))):
            rest = rest + step * (factor - weight * (change * rest).sum(1))[:, None]
        slopes = -(gradient * rest).sum(1)
        upwards = ~(slopes < 0)
        if bool(upwards.any()):
            plain = self.first_scale[rows, None] * (gradient @ self.matrix)
            rest = torch.where(upwards[:, None], plain, rest)
            slopes = -(gradient * rest).sum(1)
        return -rest, slopes

    def move(self, rows: Tensor, latents: Tensor, found: Evaluation, chosen: Tensor) -> None:
        """Take the evaluated latents that were chosen, and remember the steps."""
        if not len(rows):
            return
        gradient = found.gradient[chosen]
        step, change = latents - self.latents[rows], gradient - self.found.gradient[rows]
        curvature = (step * change).sum(1)
        good = curvature > LEAST_CURVATURE
        for store, value in ((self.steps, step), (self.changes, change)):
            store[1:, rows] = store[:-1, rows].clone()
            store[0, rows] = value
        self.weights[1:, rows] = self.weights[:-1, rows].clone()
        self.weights[0, rows] = torch.where(good, 1 / curvature.clamp(min=LEAST_CURVATURE), 0.0)
        along_change = (change * (change @ self.matrix)).sum(1).clamp(min=LEAST_CURVATURE)
        self.scale[rows] = torch.where(good, curvature / along_change, self.scale[rows])
        self.latents = self.latents.index_copy(0, rows, latents)
        parts = {name: value.index_copy(0, rows, found.parts[name][chosen]) for name, value in self.found.parts.items()}
        total = self.found.total.index_copy(0, rows, found.total[chosen])
        self.found = Evaluation(total, self.found.gradient.index_copy(0, rows, gradient), parts)

    def give_up(self, rows: Tensor) -> None:
        """Searches without a step downwards forget what they remember; those that had nothing to forget end."""
        for row in rows.tolist():
            if not bool(self.weights[:, row].any()):
                self.stops[row] = self.stops[row] or StopReason.NO_STEP
        self.weights[:, rows] = 0
        self.scale[rows] = self.first_scale[rows] = self.first_scale[rows] * SHORTER
