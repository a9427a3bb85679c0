"""Learn from normal people what may be expected of others, and how far a normal vessel differs from it."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from monai_cardiac_gan.anomaly.expectation import Expectation, ExpectationModel, Levels, Measured, expect_vessel
from monai_cardiac_gan.anomaly.own_vessel import VesselPrior, learn_prior

__all__ = ["JudgedPerson", "learn_expectation", "people_needed"]


@dataclass(frozen=True)
class JudgedPerson:
    """How near one person's expectation came, made with all the others; mean absolute errors over the compared levels, mm.

    Attributes:
        levels: how many were compared.
        own_mm: of the own vessel alone.
        painted_mm: of what the networks paint alone; None where they painted no aorta.
        painted_found: levels on which an aorta was painted.
        expected_mm: of both together.
        others_mm: of the mean of the other people.
        displacement_mm: mean distance of the centre from the predicted course.
        largest_z: largest |z| of a diameter.
        largest_displacement: the same of a centre.
    """

    levels: int
    own_mm: float
    painted_mm: float | None
    painted_found: int
    expected_mm: float
    others_mm: float
    displacement_mm: float
    largest_z: float
    largest_displacement: float


@dataclass(frozen=True)
class _Person:
    measured: Measured
    levels: Levels


def learn_expectation(
    people: Mapping[str, tuple[Measured, Levels]], unseen: Collection[str], gap_mm: float, level: float = 0.9
) -> tuple[ExpectationModel, dict[str, JudgedPerson]]:
    r"""Learn the model from all people, and judge each with a model of all the others.

    The limit of |z| is conformal (Vovk, Gammerman and Shafer 2022, section 2.3): with the largest |z| of each of n persons, it
    is the :math:`\lceil (n + 1) p \rceil`-th smallest of them. A further person of the same kind then lies within the limit
    **at all levels** with a probability of at least p, as far as a model of all n is like those of n - 1 that the limit was
    learnt with. The limit of the displacement is learnt in the same way, and makes the same promise for itself. Levels of one
    person are not independent, and are not counted as if they were.

    Args:
        people: name -> what was measured and painted of each normal person, one vessel each.
        unseen: names of those whose patches no network was trained on; the weight of what is painted is learnt from them alone.
        gap_mm: slices nearer than this have no part in what is expected of a level.
        level: p.

    Returns:
        The model, and name -> how near it came.

    Raises:
        ValueError: when there are too few people for the level, one of them can be expected at no level or not at all of those
            that are compared, or the level is not between 0 and 1.
    """
    needed = people_needed(level)
    if len(people) < needed:
        raise ValueError(
            f"{len(people)} people: expected at least {needed} for a level of {level}; give more normal people, or ask for less."
        )
    persons = {name: _Person(*parts) for name, parts in people.items()}
    found = {name: _expected_by_others(name, persons, unseen, gap_mm) for name in persons}
    for name, each in found.items():
        _refuse_unexpected(name, persons[name].levels.is_compared, each)
    scale = _root_mean_square([_z(persons[name], each) ** 2 for name, each in found.items()])
    course = _root_mean_square([_away(persons[name], each) ** 2 / 2 for name, each in found.items()])
    judged = {name: _judged(name, persons, each, scale, course) for name, each in found.items()}
    rank = math.ceil(round((len(persons) + 1) * level, 6)) - 1
    model = replace(
        _model(list(persons), persons, unseen, gap_mm),
        scale=scale,
        diameter_limit=sorted(each.largest_z for each in judged.values())[rank],
        course_scale=course,
        course_limit=sorted(each.largest_displacement for each in judged.values())[rank],
        level=level,
    )
    return model, judged


def people_needed(level: float) -> int:
    r"""Least number of people for a level p, :math:`\lceil p / (1 - p) \rceil`.

    Raises:
        ValueError: when the level is not between 0 and 1.

    Example:
        >>> people_needed(0.9)
        9
    """
    if not 0 < level < 1:
        raise ValueError(f"the level is {level}: expected a share of people between 0 and 1, such as 0.9.")
    return math.ceil(round(level / (1 - level), 6))


def _expected_by_others(
    name: str, persons: Mapping[str, _Person], unseen: Collection[str], gap_mm: float
) -> Expectation:
    model = _model([other for other in persons if other != name], persons, unseen, gap_mm)
    return expect_vessel(persons[name].measured, persons[name].levels, model)


def _refuse_unexpected(name: str, is_compared: np.ndarray, found: Expectation) -> None:
    known = np.isfinite(found.z) & np.isfinite(found.displacement)
    if not is_compared.any() or not known[is_compared].all():
        raise ValueError(
            f"{name}: {(is_compared & known).sum()} of {is_compared.sum()} compared levels can be expected from the rest of the "
            "vessel: expected all of them, and at least one; leave this one out."
        )


def _model(
    names: list[str], persons: Mapping[str, _Person], unseen: Collection[str], gap_mm: float
) -> ExpectationModel:
    """Learnt from these people, without scales and limits."""
    prior = _prior([persons[name].measured for name in names])
    plain = ExpectationModel(prior, gap_mm, 0.0, 0.0, 1.0, math.inf, 1.0, math.inf, 0.0, len(names))
    weight, bias = _painted_weight([persons[name] for name in names if name in unseen], plain)
    return replace(plain, painted_weight=weight, painted_bias_mm=bias)


def _painted_weight(persons: list[_Person], plain: ExpectationModel) -> tuple[float, float]:
    r"""Weighted least squares of :math:`d - o = \beta (p - b - o)` with :math:`0 \le \beta \le 1`; zeros where nothing was
    painted, or it does not help."""
    pulls, wanted, weights = [], [], []
    for person in persons:
        found, levels = expect_vessel(person.measured, person.levels, plain), person.levels
        pull = levels.painted_mm - found.own_mm
        kept = levels.is_compared & np.isfinite(pull + found.z)
        pulls.append(pull[kept])
        wanted.append((levels.diameters_mm - found.own_mm)[kept])
        weights.append(found.std_mm[kept] ** -2)
    if not sum(map(len, pulls)):
        return 0.0, 0.0
    x, y, w = (np.concatenate(each) for each in (pulls, wanted, weights))
    middle, height = np.average(x, weights=w), np.average(y, weights=w)
    spread = np.average((x - middle) ** 2, weights=w)
    slope = np.average((x - middle) * y, weights=w) / spread if spread > 0 else 0.0
    weight = float(np.clip(slope, 0.0, 1.0))
    # the bias that is best for this weight, also where the slope was clipped
    return (weight, float(middle - height / weight)) if weight > 0 else (0.0, 0.0)


def _z(person: _Person, found: Expectation) -> np.ndarray:
    values: np.ndarray = np.abs(found.z[person.levels.is_compared])
    return values


def _away(person: _Person, found: Expectation) -> np.ndarray:
    values: np.ndarray = found.displacement[person.levels.is_compared]
    return values


def _root_mean_square(squares: list[np.ndarray]) -> float:
    """Every person weighs the same."""
    return float(np.sqrt(np.mean([each.mean() for each in squares])))


def _judged(name: str, persons: Mapping[str, _Person], found: Expectation, scale: float, course: float) -> JudgedPerson:
    person = persons[name]
    levels, kept = person.levels, person.levels.is_compared
    acquired = levels.diameters_mm[kept]
    others = _prior([each.measured for other, each in persons.items() if other != name])
    painted = np.abs(levels.painted_mm[kept] - acquired)
    is_painted = np.isfinite(painted)
    return JudgedPerson(
        levels=int(kept.sum()),
        own_mm=float(np.abs(found.own_mm[kept] - acquired).mean()),
        painted_mm=float(painted[is_painted].mean()) if is_painted.any() else None,
        painted_found=int(is_painted.sum()),
        expected_mm=float(np.abs(found.expected_mm[kept] - acquired).mean()),
        others_mm=float(np.abs(others.diameters_at(levels.heights_mm[kept]) - acquired).mean()),
        displacement_mm=float(found.displacement_mm[kept].mean()),
        largest_z=float(_z(person, found).max() / scale),
        largest_displacement=float(_away(person, found).max() / course),
    )


def _prior(measured: Sequence[Measured]) -> VesselPrior:
    return learn_prior(
        [each.heights_mm for each in measured],
        [each.diameters_mm for each in measured],
        [each.centres_mm for each in measured],
    )
