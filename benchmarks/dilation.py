"""Does the expected aorta follow the disease? Vessels are dilated, and what networks paint in their place is measured.

Usage: python benchmarks/dilation.py patches VOLUME ... [--preset amortised] [--output FILE]
       python benchmarks/dilation.py vessels VOLUME ... [--preset amortised] [--calibration FILE] [--output FILE]

``patches``: axial patches every 20 mm, centred on the vessel as the publication's are, each vessel widened by a factor;
holes of several sides, and one fitted to the widened vessel, painted by the U-Net and by a preset, patch by patch.
``vessels``: a stretch of the volume is widened around its middle slice (Gaussian along the vessel, 50 mm wide at half its
height), and all that follows is the way of the report: localised again, measured, painted along the predicted course,
expected. What was measured is kept in ``--output`` and not measured again.
"""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")  # one core

import numpy as np
import torch
from monai.data import MetaTensor
from scipy import ndimage
from torch import Tensor

from monai_cardiac_gan.anomaly import expect_vessel
from monai_cardiac_gan.aorta import AortaTrack, measure_disc
from monai_cardiac_gan.atomic import write_json
from monai_cardiac_gan.evaluation import compared_levels, measure_vessel, read_vessel_calibration
from monai_cardiac_gan.inferers import (
    AmortisedNetworks,
    ExpectVessel,
    LatentBank,
    LoadedNetworks,
    VesselNetworks,
    disc_mask,
    square_masks,
)
from monai_cardiac_gan.inferers.search_presets import AMORTISED, LBFGS
from monai_cardiac_gan.keys import Field
from monai_cardiac_gan.networks import load_network
from monai_cardiac_gan.networks.nets import (
    ComodulatedGenerator,
    InpaintingUNet,
    LatentEncoder,
    ResidualCritic,
    ResidualGenerator,
)
from monai_cardiac_gan.transforms import LocaliseAorta, RasVolume, ScaleByPercentiles, cut_along, standard_volume
from monai_cardiac_gan.transforms.lesion_shapes import source_share

MODELS = Path(__file__).resolve().parents[1] / "bundles" / "cardiac_aorta_wgan_gp" / "models"
PATCH_FACTORS, VESSEL_FACTORS = (0.7, 1.0, 1.3, 1.6), (1.0, 1.15, 1.3, 1.5)
WAYS = {AMORTISED: "amortised", LBFGS: "search"}
"""Preset of the report -> name in the tables."""
ACQUIRED, UNET = "acquired", "U-Net"
LEVEL_MM = 20.0
STRETCH_MM = 50.0
"""Full width at half maximum of a dilated stretch."""
FWHM_IN_SDS = 2 * np.sqrt(2 * np.log(2))
FITTED, MARGIN_MM = "fitted", 3.0
"""A hole that is a function of what was found: the widened vessel's disc and a margin, as `inferers.DiscMasks` makes it."""
REACH_MM = 20.0
"""How far from the middle of a patch an aorta is looked for, as in the report."""


def dilated(
    image: np.ndarray, spacing: np.ndarray, centre_mm: np.ndarray, diameter_mm: float, factor: float
) -> np.ndarray:
    """An axial image (X, Y) whose vessel is widened around its centre, by linear interpolation."""
    if factor == 1:
        return image
    grid = np.meshgrid(
        *(np.arange(side) * step for side, step in zip(image.shape, spacing, strict=True)), indexing="ij"
    )
    away = [axis - middle for axis, middle in zip(grid, centre_mm, strict=True)]
    share = source_share(np.hypot(*away), factor, diameter_mm)
    places = [(middle + share * d) / step for middle, d, step in zip(centre_mm, away, spacing, strict=True)]
    changed: np.ndarray = ndimage.map_coordinates(image, places, order=1, mode="nearest")
    return changed


def dilated_stretch(image: Tensor, track: AortaTrack, slice_index: int, factor: float) -> MetaTensor:
    """A volume (1, X, Y, Z) in RAS+ axes with a widened stretch around a slice of the track."""
    volume = RasVolume(image)
    array = volume.array.copy()
    heights = (track.slices - slice_index) * volume.spacing[2]
    factors = 1 + (factor - 1) * np.exp(-0.5 * (heights / (STRETCH_MM / FWHM_IN_SDS)) ** 2)
    for row, level in enumerate(track.slices):
        array[..., level] = dilated(
            array[..., level], volume.spacing[:2], track.centres_mm[row], track.diameters_mm[row], factors[row]
        )
    return MetaTensor(torch.from_numpy(array)[None], affine=torch.from_numpy(volume.affine))


def vessel_networks(models: Path, **options: Any) -> VesselNetworks:
    """The report's networks, with the weights of a folder."""
    size = {"width": 4, "max_channels": 128, "size": 128}
    names = ("model", "critic", "bank", "encoder", "inpainting_unet")
    return VesselNetworks(
        partial(ResidualGenerator, latent_size=100, noise=False, **size),
        partial(ResidualCritic, **size),
        partial(LatentBank, latent_size=100, count=2048),
        partial(LatentEncoder, latent_size=100),
        InpaintingUNet,
        *(str(models / f"{name}.pt") for name in names),
        **options,
    )


def networks_of(preset: str, models: Path) -> LoadedNetworks:
    """What the report paints with by the name of its preset."""
    if preset == LBFGS:
        return vessel_networks(models).load()
    settings = {
        "latent_size": 100,
        "width": 12,
        "max_channels": 256,
        "output_filter": 13,
        "spread": 1.25,
    }  # as report.json
    generator = partial(ComodulatedGenerator, **settings)
    return AmortisedNetworks(generator, str(models / "amortised.pt")).load()


class Kept:
    """Results by name in a JSON file: what is there is not measured again."""

    def __init__(self, path: Path | None) -> None:
        self.path = path
        self.results: dict[str, Any] = json.loads(path.read_text()) if path is not None and path.exists() else {}

    def get(self, name: str, measure: Callable[[], Any]) -> Any:
        """The result of that name."""
        if name not in self.results:
            self.results[name] = measure()
            if self.path is not None:
                write_json(self.path, self.results)
        return self.results[name]


def loaded(path: str) -> tuple[MetaTensor, AortaTrack]:
    """A volume on its own grid and the course of its aorta."""
    image: MetaTensor = standard_volume(None)({Field.IMAGE: path})[Field.IMAGE]
    return image, LocaliseAorta()(image)


def calibration_of(preset: str, models: Path) -> str:
    """File of what the report expects with a preset."""
    return str(models / ("vessel_calibration.json" if preset == LBFGS else "amortised_vessel_calibration.json"))


def name_of(path: str) -> str:
    """Of a volume's file."""
    return Path(path).name.split(".")[0]


def diameter_in(patch: Tensor) -> float | None:
    """Of the aorta in a patch (1, H, W) with pixels of 1 mm."""
    found = measure_disc(patch[0].numpy(), 1.0, reach_mm=REACH_MM)
    return None if found is None else found.diameter_mm


def level_rows(image: MetaTensor, track: AortaTrack) -> np.ndarray:
    """Rows of the track every 20 mm that a report would compare."""
    vessel = measure_vessel(image, track)
    usable = np.flatnonzero([reason is None for reason in vessel.reasons])
    step = max(1, round(LEVEL_MM / vessel.slice_mm))
    return usable[step // 2 :: step]


def measure_patches(path: str, networks: LoadedNetworks, way: str, unet: torch.nn.Module, kept: Kept) -> None:
    """Diameters of all levels, factors and holes of one volume."""
    image, track = loaded(path)
    rows = level_rows(image, track)
    cut = cut_along(ScaleByPercentiles()(image), track.slices[rows], track.centres_mm[rows])
    middle = np.full(2, cut.pixels.shape[-1] // 2, float)
    for factor in PATCH_FACTORS:
        pixels = torch.stack([
            torch.from_numpy(dilated(pixel[0].numpy(), np.ones(2), middle, track.diameters_mm[row], factor))[None]
            for pixel, row in zip(cut.pixels, rows, strict=True)
        ])  # fmt: skip
        fitted = [disc_mask(middle, factor * diameter, MARGIN_MM) for diameter in track.diameters_mm[rows]]
        holes = square_masks() | {FITTED: torch.stack(fitted)[:, None]}
        for hole, masks in holes.items():
            kept.get(
                f"{way}: {name_of(path)}, x {factor}, {hole}",
                partial(painted_diameters, pixels, cut.valid, masks.expand_as(pixels), networks, way, unet),
            )


def painted_diameters(
    pixels: Tensor, valid: Tensor, masks: Tensor, networks: LoadedNetworks, way: str, unet: torch.nn.Module
) -> dict[str, list[float | None]]:
    """Way -> diameter in each patch."""
    with torch.no_grad():
        by_unet = torch.where(masks, unet(pixels, masks), pixels)
    found = networks.search.inferer.search(pixels, masks, networks.generator, valid)
    painted = {ACQUIRED: pixels, UNET: by_unet, way: found.best_inpainted()}
    return {name: [diameter_in(patch) for patch in patches] for name, patches in painted.items()}


def leak_table(results: dict[str, dict[str, list[float | None]]]) -> str:
    """Markdown: means of the painted diameters, and what share of the narrowing and of the widening they follow.

    Means are over the patches in which an aorta is found at every factor, acquired and painted; counts are those in which none
    is painted, at all factors.
    """
    lines = [
        f"| hole | painted by | {' | '.join(f'x {factor}' for factor in PATCH_FACTORS)} | follows | none painted | patches |",
        "|---|---|" + "---:|" * (len(PATCH_FACTORS) + 3),
    ]
    for hole in [*square_masks(), FITTED]:
        parts = [[each for name, each in results.items() if name.endswith(f"x {f}, {hole}")] for f in PATCH_FACTORS]
        values = {
            way: np.array([[np.nan if d is None else d for each in part for d in each[way]] for part in parts], float)
            for way in parts[0][0]
        }
        for way in list(values)[1:]:
            painted = values[way]
            both = np.isfinite(painted).all(0) & np.isfinite(values[ACQUIRED]).all(0)
            means, acquired = painted[:, both].mean(1), values[ACQUIRED][:, both].mean(1)
            changes = [(each - each[PATCH_FACTORS.index(1.0)])[[0, -1]] for each in (means, acquired)]
            follows = " / ".join(f"{100 * share:.0f} %" for share in changes[0] / changes[1])
            cells = [f"{mean:.1f} (of {there:.1f})" for mean, there in zip(means, acquired, strict=True)]
            cells += [follows, f"{np.isnan(painted).sum()} of {painted.size}", f"{both.sum()}"]
            lines.append(f"| {hole} | {way} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def measure_dilated_vessel(
    image: MetaTensor, middle: int, networks: LoadedNetworks, calibration: str
) -> dict[str, Any]:
    """The report's way for one volume, and what it says of the level nearest to a slice."""
    model = read_vessel_calibration(calibration)
    used, note = model.model_for(networks.digests, model.hole, model.step_mm)
    track = LocaliseAorta()(image)
    vessel = measure_vessel(image, track)
    expect = ExpectVessel(networks.search, networks.generator, used.prior, model.hole, model.step_mm, used.gap_mm)
    expected = expect(ScaleByPercentiles()(image), track)
    levels = compared_levels(vessel, expected)
    found = expect_vessel(vessel.along(), levels, used)
    row = int(np.abs(expected.patches.slices[expected.levels] - middle).argmin())
    places = (middle - expected.patches.slices[expected.levels]) * vessel.slice_mm
    return {
        "compared": bool(levels.is_compared[row]),
        "acquired_mm": float(levels.diameters_mm[row]),
        "painted_mm": float(levels.painted_mm[row]),
        "own_mm": float(found.own_mm[row]),
        "expected_mm": float(found.expected_mm[row]),
        "std_mm": float(found.std_mm[row]),
        "z": float(found.z[row]),
        "limit": used.diameter_limit,
        "compared_mm": _rounded(places, levels.is_compared),
        "wide": _rounded(places, found.is_wide),
        "narrow": _rounded(places, found.is_narrow),
        "displaced": _rounded(places, found.is_displaced),
        "note": note,
    }


def _rounded(values: np.ndarray, chosen: np.ndarray) -> list[float]:
    return [round(float(value), 1) for value in values[chosen]]


def measure_vessels(path: str, networks: LoadedNetworks, way: str, calibration: str, kept: Kept) -> None:
    """One volume with all factors, dilated at the middle of what can be compared."""
    image, track = loaded(path)
    usable = np.flatnonzero([reason is None for reason in measure_vessel(image, track).reasons])
    middle = int(track.slices[usable[len(usable) // 2]])
    for factor in VESSEL_FACTORS:
        changed = dilated_stretch(image, track, middle, factor)
        name = f"{way}: {name_of(path)}, x {factor}"
        kept.get(name, partial(measure_dilated_vessel, changed, middle, networks, calibration))


def vessel_table(results: dict[str, dict[str, Any]]) -> str:
    """Markdown, one row a volume and factor."""
    lines = [
        "| volume, dilated | acquired, mm | painted, mm | expected, mm | z (limit) | too wide, mm below middle | other flags |",
        "|---|---:|---:|---:|---:|---|---|",
    ]
    for name, each in results.items():
        others = "; ".join(f"{kind}: {each[kind]}" for kind in ("narrow", "displaced") if each[kind])
        wide = ", ".join(f"{mm:.0f}" for mm in each["wide"])
        lines.append(
            f"| {name.partition(': ')[2]} | {each['acquired_mm']:.1f} | {each['painted_mm']:.1f} | {each['expected_mm']:.1f} ± "
            f"{each['std_mm']:.1f} | {each['z']:+.1f} ({each['limit']:.1f}) | {wide or 'none'} | {others or 'none'} |"
        )
    return "\n".join(lines) + "\n"


def main() -> None:
    """Parse the command line, measure and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("part", choices=("patches", "vessels"))
    parser.add_argument("volumes", nargs="+")
    parser.add_argument("--models", type=Path, default=MODELS)
    parser.add_argument("--preset", choices=WAYS, default=AMORTISED)
    parser.add_argument("--calibration", help="of the vessel; that of the preset's report without it")
    parser.add_argument("--output", type=Path, help="JSON with what was measured; results in it are taken as they are")
    options = parser.parse_args()
    torch.set_num_threads(1)
    networks, kept, way = networks_of(options.preset, options.models), Kept(options.output), WAYS[options.preset]
    calibration = options.calibration or calibration_of(options.preset, options.models)
    unet = load_network(InpaintingUNet(), str(options.models / "inpainting_unet.pt")).eval()
    for path in options.volumes:
        if options.part == "patches":
            measure_patches(path, networks, way, unet, kept)
        else:
            measure_vessels(path, networks, way, calibration, kept)
    own = {name: each for name, each in kept.results.items() if name.startswith(f"{way}: ")}
    print(leak_table(own) if options.part == "patches" else vessel_table(own))


if __name__ == "__main__":
    main()
