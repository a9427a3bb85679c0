import random

import numpy as np
import torch

from monai_cardiac_gan.engines import capture_random_state, restore_random_state

CPU = torch.device("cpu")


def draws():
    return torch.randn(5).tolist(), np.random.standard_normal(), random.gauss(0, 1)  # noqa: NPY002


def test_all_three_sources_go_on_where_they_were_noted(tmp_path):
    draws()  # an odd number of normals leaves one in reserve, in NumPy and in Python
    torch.save(capture_random_state(CPU), tmp_path / "state.pt")
    expected = draws(), draws()
    restore_random_state(torch.load(tmp_path / "state.pt", weights_only=True), CPU)
    assert (draws(), draws()) == expected
