from collections.abc import Callable

import numpy as np
import pytest

from monai_cardiac_gan.anomaly import Levels, Measured

SLICES = np.arange(0.0, 221.0, 2.0)
HEIGHTS = np.arange(5.0, 220.0, 10.0)


def person(
    diameter: Callable[[np.ndarray], np.ndarray],
    course: Callable[[np.ndarray], np.ndarray] = lambda mm: np.zeros((len(mm), 2)),
    painted: Callable[[np.ndarray], np.ndarray] = lambda mm: np.full(len(mm), np.nan),
    is_compared: np.ndarray | None = None,
) -> tuple[Measured, Levels]:
    """A vessel of 220 mm with 22 levels; diameters, centres and painted diameters are functions of the height."""
    measured = Measured(SLICES, diameter(SLICES), course(SLICES))
    flags = np.ones(len(HEIGHTS), bool) if is_compared is None else is_compared
    return measured, Levels(HEIGHTS, diameter(HEIGHTS), course(HEIGHTS), painted(HEIGHTS), flags)


@pytest.fixture
def make_person() -> Callable[..., tuple[Measured, Levels]]:
    """See `person`."""
    return person
