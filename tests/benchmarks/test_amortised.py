from types import SimpleNamespace

import torch
from amortised import compare


class Timed:
    """Takes the seconds that it is told, one patch after the other."""

    def __init__(self, *seconds):
        self.seconds, self.shapes = iter(seconds), []

    def search(self, patches, mask, generator):
        self.shapes.append(tuple(patches.shape))
        return SimpleNamespace(seconds=next(self.seconds))


def test_the_first_patch_warms_up_and_ratios_are_of_the_same_patch():
    quick, slow = Timed(9.0, 1.0, 2.0, 3.0), Timed(9.0, 10.0, 10.0, 60.0)
    found = compare(quick, None, slow, None, torch.zeros(4, 1, 8, 8), None)
    assert found == {"answers, s": 2.0, "search, s": 10.0, "ratio": 0.1}
    assert quick.shapes == slow.shapes == [(1, 1, 8, 8)] * 4
