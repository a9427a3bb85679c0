"""A data set of patches by subject that lies in memory."""

import numpy as np
import torch


class FewPatches:
    """Patches (N, H, W) float16 of several subjects, without padding if no bounds are given."""

    def __init__(self, counts, pixels, bounds=None, identical=()):
        self.names = [name for name, count in counts.items() for _ in range(count)]
        side = pixels.shape[-1]
        self.pixels = np.asarray(pixels, dtype=np.float16)
        self.bounds = np.tile([0, side, 0, side], (len(pixels), 1)) if bounds is None else np.asarray(bounds)
        self.identical_subjects = identical

    def subjects(self):
        return self.names

    def read(self, indices):
        return self.pixels[np.asarray(indices)], self.bounds[np.asarray(indices)]


def numbered(counts, first=0, side=16, identical=()):
    """Patches whose pixels are their numbers, and whose fields of view end at columns 1 to `side` in turn."""
    numbers = first + np.arange(sum(counts.values()))
    pixels = np.broadcast_to(numbers[:, None, None], (len(numbers), side, side))
    return FewPatches(counts, pixels, [[0, side, 0, 1 + number % side] for number in numbers], identical)


def noisy(brightness, each=12, side=32, seed=0):
    """Noise around each subject's brightness, `each` patches a subject."""
    random = torch.Generator().manual_seed(seed)
    centres = torch.tensor([value for value in brightness.values() for _ in range(each)])[:, None, None]
    pixels = centres + 0.3 * (2 * torch.rand(len(centres), side, side, generator=random) - 1)
    return FewPatches(dict.fromkeys(brightness, each), pixels.numpy())
