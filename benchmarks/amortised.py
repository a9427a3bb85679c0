"""What answers of the amortised preset cost beside one search, at equal width.

Usage: python benchmarks/amortised.py PATCH_SET [--models FOLDER] [--patches 9] [--answers 16] [--hole 49]

Held-out patches one by one: the L-BFGS search from one start with the weights of the folder, and so many answers of a
`ComodulatedGenerator` of the same width and channels; its time does not depend on its weights, which are the first ones. Both in
turn for each patch; the table gives medians and the median of the ratios.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from statistics import median

import torch
from inpainting import BUNDLE, networks
from torch import Tensor, nn

from monai_cardiac_gan.data import AortaPatchDataset
from monai_cardiac_gan.inferers import AmortisedInferer, lbfgs_search, square_mask
from monai_cardiac_gan.networks.nets import ComodulatedGenerator

WIDTH, MAX_CHANNELS = 4, 128
"""Of `networks`."""


def compare(
    search: AmortisedInferer,
    generator: nn.Module,
    slow: object,
    slow_generator: nn.Module,
    patches: Tensor,
    mask: Tensor,
) -> dict[str, float]:
    """Median seconds of both for a patch, and the median of the ratios; the first patch warms up and is not counted."""
    times = []
    for patch in patches.split(1):
        searched = slow.search(patch, mask, slow_generator).seconds  # type: ignore[attr-defined]
        times.append((search.search(patch, mask, generator).seconds, searched))
    drawn, searched = zip(*times[1:], strict=True)
    ratios = [one / other for one, other in times[1:]]
    return {"answers, s": median(drawn), "search, s": median(searched), "ratio": median(ratios)}


def main() -> None:
    """Measure and show."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("patch_set")
    parser.add_argument("--models", type=Path, default=BUNDLE / "models")
    parser.add_argument("--patches", type=int, default=9)
    parser.add_argument("--answers", type=int, default=16)
    parser.add_argument("--hole", type=int, default=49)
    arguments = parser.parse_args()
    generator, critic, bank, encoder, unet = networks(arguments.models, torch.device("cpu"))
    slow = lbfgs_search(critic, bank, encoder, unet, progress=False, snapshots=2)
    drawing = AmortisedInferer(starts=arguments.answers)
    conditioned = ComodulatedGenerator(width=WIDTH, max_channels=MAX_CHANNELS).eval()
    patches = AortaPatchDataset(arguments.patch_set, split="test", limit=arguments.patches).all_patches().float()
    mask = square_mask(arguments.hole)
    found = compare(drawing, conditioned, slow, generator, patches, mask)
    print(
        f"{arguments.answers} answers beside one search, {len(patches) - 1} patches, {torch.get_num_threads()} threads"
    )
    for name, value in found.items():
        print(f"{name}: {value:.3g}")


if __name__ == "__main__":
    main()
