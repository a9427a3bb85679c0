"""Every test, doctests included, starts from the same random numbers and tries the same examples."""

import random

import numpy as np
import pytest
import torch
from hypothesis import settings

# the same examples each time, so that a change fails for what it changes; new ones with --hypothesis-profile explore
settings.register_profile("fixed", derandomize=True)
settings.register_profile("explore", derandomize=False)
settings.load_profile("fixed")

LARGEST_SEED = 2**32 - 1
"""Of NumPy's global generator."""


@pytest.fixture(autouse=True)
def _seeded(request: pytest.FixtureRequest) -> None:
    """Seed all global generators with ``--randomly-seed``: no test depends on those before it."""
    seed = int(request.config.getoption("randomly_seed")) % LARGEST_SEED
    random.seed(seed)
    np.random.seed(seed)  # noqa: NPY002 (what MONAI's transforms draw from)
    torch.manual_seed(seed)
