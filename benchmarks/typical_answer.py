"""Which single image of the conditioned generator to expect: the typical answer beside medians, means and drawn answers.

Usage: python benchmarks/typical_answer.py PATCH_SET [--models FOLDER] [--patches 48] [--hole 41] [--answers 16]

Held-out patches, evenly spaced. All patches have the same latents. "One noise" gives all answers the same pattern of pixel noise.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import torch
from torch import Tensor

from monai_cardiac_gan.aorta import measure_disc
from monai_cardiac_gan.data import AortaPatchDataset
from monai_cardiac_gan.inferers import square_mask
from monai_cardiac_gan.keys import Field
from monai_cardiac_gan.metrics import hole_spectrum
from monai_cardiac_gan.networks import load_network
from monai_cardiac_gan.networks.nets import ComodulatedGenerator

MODELS = Path(__file__).resolve().parents[1] / "bundles" / "cardiac_aorta_wgan_gp" / "models"
CHUNK = 16
"""Patches at once."""
TYPICAL, WHOLE, NONE = "typical answer", "typical answer, whole noise", "typical answer, no noise"


def single_images(generator: ComodulatedGenerator, patches: Tensor, masks: Tensor, count: int) -> dict[str, Tensor]:
    """Name -> (N, 1, H, W), the generator's images."""
    seen = [
        torch.cat(part) for part in zip(*map(generator.encode, patches.split(CHUNK), masks.split(CHUNK)), strict=True)
    ]

    def painted(paint: Callable[[list[Tensor]], Tensor]) -> Tensor:
        return torch.cat([paint(list(part)) for part in zip(*(each.split(CHUNK) for each in seen), strict=True)])

    def mean_style(part: list[Tensor], strength: float) -> Tensor:
        return generator.paint(
            part, generator.mean_style().expand(len(part[0]), -1), strength, generator.draw_noise([1])
        )

    def answer(latent: Tensor, seed: int) -> Tensor:
        noise = generator.draw_noise([seed])
        return painted(lambda part: generator.decode(part, latent.expand(len(part[0]), -1), noise))

    def answers(seeds: list[int]) -> Tensor:
        return torch.stack([answer(latent, seed) for latent, seed in zip(latents, seeds, strict=True)])

    latents = torch.randn(count, generator.latent_size, generator=torch.Generator().manual_seed(0))
    own_noise = answers([10 + number for number in range(count)])
    distances = ((own_noise - own_noise.mean(0)).abs() * masks).flatten(2).sum(2)
    return {
        TYPICAL: painted(lambda part: generator.decode_typical(part, generator.draw_noise([1]))),
        WHOLE: painted(lambda part: mean_style(part, 1.0)),
        NONE: painted(lambda part: mean_style(part, 0.0)),
        f"median of {count} answers": own_noise.median(0).values,
        f"mean of {count} answers": own_noise.mean(0),
        f"the answer nearest to the mean of {count}": own_noise[distances.argmin(0), torch.arange(len(patches))],
        "one answer": own_noise[0],
        f"median of {count} answers with one noise": answers([10] * count).median(0).values,
    }


def row(name: str, images: Tensor, patches: Tensor, masks: Tensor, valid: Tensor, subjects: list[str]) -> str:
    """Markdown: L1, errors of centre and diameter where an aorta is found in both, and the spectrum in the hole."""
    painted, hidden = torch.where(masks, images, patches), masks & valid
    l1 = (((painted - patches).abs() * hidden).flatten(1).sum(1) / hidden.flatten(1).sum(1)).mean()
    found = [
        (measure_disc(one[0].numpy()), measure_disc(other[0].numpy()))
        for one, other in zip(patches, painted, strict=True)
    ]
    pairs = [(before, after) for before, after in found if before is not None and after is not None]
    centre = np.mean([np.linalg.norm(before.centre - after.centre) for before, after in pairs])
    diameter = np.mean([abs(before.diameter_mm - after.diameter_mm) for before, after in pairs])
    spectrum = hole_spectrum(painted[:, None], patches, masks, subjects)
    ratio = "-" if spectrum is None or spectrum.ratio is None else f"{spectrum.ratio:.1f}"
    return f"| {name} | {l1:.3f} | {centre:.2f} | {diameter:.2f} | {ratio} |"


@torch.no_grad()
def main() -> None:
    """Measure and show."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("patch_set")
    parser.add_argument("--models", type=Path, default=MODELS)
    parser.add_argument("--patches", type=int, default=48)
    parser.add_argument("--hole", type=int, default=41)
    parser.add_argument("--answers", type=int, default=16)
    options = parser.parse_args()
    torch.set_num_threads(1)
    generator = ComodulatedGenerator(width=12, max_channels=256, output_filter=13)
    load_network(generator, str(options.models / "amortised.pt")).eval()
    data = AortaPatchDataset(options.patch_set, split="test", limit=options.patches)
    items = [data[number] for number in range(len(data))]
    patches = torch.stack([item[Field.IMAGE].as_tensor().float() for item in items])
    valid = torch.stack([item[Field.VALID] for item in items])
    masks = square_mask(options.hole).expand_as(patches)
    print("| | L1 | centre, mm | diameter, mm | spectrum, times real |\n|---|---:|---:|---:|---:|")
    for name, images in single_images(generator, patches, masks, options.answers).items():
        print(row(name, images, patches, masks, valid, [item[Field.SUBJECT] for item in items]))


if __name__ == "__main__":
    main()
