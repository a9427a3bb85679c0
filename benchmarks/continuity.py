"""How smoothly what is expected runs along a vessel, and how near it comes, with and without coupled levels.

Usage: python benchmarks/continuity.py VOLUME ... [--preset amortised] [--holes 41 49] [--output FILE]

Each vessel is painted as in the report (`inferers.ExpectVessel`). A search has levels every 10 mm, the slices between by latents
in between, with coupling weight 0 and 0.1; the amortised preset knows no coupling. For comparison slices in the middle of the
vessel are searched one by one. Jumps of
centre and diameter are from slice to slice, times 2 mm by the distance of the slices; both by the circle that is found in
the patch, in acquired patches as in painted ones. Slices that a report does not compare are left out. What was measured is
kept in ``--output`` and not measured again: give each smoothing a file of its own.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import torch
from dilation import MODELS, REACH_MM, WAYS, Kept, calibration_of, loaded, name_of, networks_of
from monai.data import MetaTensor
from torch import Tensor

from monai_cardiac_gan.anomaly import VesselPrior
from monai_cardiac_gan.aorta import AortaTrack, measure_disc
from monai_cardiac_gan.evaluation import measure_vessel, read_vessel_calibration
from monai_cardiac_gan.inferers import AmortisedVessel, ExpectedVessel, ExpectVessel, LoadedNetworks, VesselSearch
from monai_cardiac_gan.inferers.amortised_vessel import SMOOTHING_MM
from monai_cardiac_gan.inferers.search_presets import AMORTISED, LBFGS
from monai_cardiac_gan.transforms import ScaleByPercentiles

WEIGHTS = (0.0, 0.1)
HOLES = (41, 49)
ALONE = 32
"""Slices in the middle of a vessel that are searched one by one."""
ALONE_BY = ("alone", "alone, amortised")
"""Ends of the names of such slices, searched and painted without a search."""
STEP_MM = 2.0
"""Distance that jumps are given for."""

Found = list[list[float] | None]


def circles(patches: Tensor, course_mm: np.ndarray) -> Found:
    """Centre along both axes and diameter, mm, of the aorta in each patch (N, 1, S, S) with pixels of 1 mm; None without one.

    Centres are those in the volume: a patch lies with pixel S // 2 on the course.
    """
    found: Found = []
    for patch, middle in zip(patches, course_mm, strict=True):
        disc = measure_disc(patch[0].numpy(), 1.0, reach_mm=REACH_MM)
        place = None if disc is None else disc.centre - patch.shape[-1] // 2 + middle
        found.append(None if disc is None or place is None else [*map(float, place), disc.diameter_mm])
    return found


def jumps(found: Found, slice_mm: float) -> tuple[list[float], list[float]]:
    """Of centre and diameter between neighbouring slices that both have a circle, mm in 2 mm.

    Example:
        >>> jumps([[0.0, 0.0, 20.0], [0.3, 0.4, 19.0], None, [9.0, 9.0, 9.0]], slice_mm=1.0)
        ([1.0], [2.0])
    """
    pairs = [(a, b) for a, b in pairwise(found) if a is not None and b is not None]
    per = STEP_MM / slice_mm
    centres = [per * float(np.hypot(a[0] - b[0], a[1] - b[1])) for a, b in pairs]
    return centres, [per * abs(a[2] - b[2]) for a, b in pairs]


def differences(acquired: Found, painted: Found) -> list[float]:
    """Painted less acquired diameters where both have one, mm."""
    return [p[2] - a[2] for a, p in zip(acquired, painted, strict=True) if a is not None and p is not None]


def compared_rows(image: MetaTensor, track: AortaTrack, slices: np.ndarray) -> tuple[np.ndarray, float]:
    """Which of some slices a report compares, and the distance of slices, mm."""
    vessel = measure_vessel(image, track)
    return np.array([vessel.reason_of(int(each)) is None for each in slices]), vessel.slice_mm


def measure_hole(
    image: MetaTensor, track: AortaTrack, networks: LoadedNetworks, prior: VesselPrior, hole: int, weight: float | None
) -> dict[str, Any]:
    """Circles along one vessel, acquired and painted with one hole and one weight of the coupling, None without a search."""
    search = networks.search if weight is None else VesselSearch(networks.search.inferer, weight)
    expected = ExpectVessel(search, networks.generator, prior, hole)(ScaleByPercentiles()(image), track)
    kept, slice_mm = compared_rows(image, track, expected.patches.slices)
    levels = np.isin(np.arange(len(kept)), expected.levels) & kept
    acquired, painted = (
        circles(patches, expected.course_mm) for patches in (expected.patches.pixels, expected.painted)
    )
    return {
        "slice_mm": slice_mm,
        "acquired": _chosen(acquired, kept),
        "painted": _chosen(painted, kept),
        "levels": {"acquired": _chosen(acquired, levels), "painted": _chosen(painted, levels)},
    }


def _chosen(found: Found, rows: np.ndarray) -> Found:
    return [each for each, row in zip(found, rows, strict=True) if row]


def measure_alone(
    image: MetaTensor, track: AortaTrack, networks: LoadedNetworks, prior: VesselPrior, hole: int
) -> dict[str, Any]:
    """Circles of slices in the middle of one vessel, each searched as if it were the only one."""
    expected: ExpectedVessel = ExpectVessel(None, None, prior, hole)(ScaleByPercentiles()(image), track)
    kept, slice_mm = compared_rows(image, track, expected.patches.slices)
    rows = np.flatnonzero(kept)
    rows = rows[max(0, len(rows) // 2 - ALONE // 2) :][:ALONE]
    pixels, masks = expected.patches.pixels[rows], expected.mask.expand(len(rows), 1, -1, -1)
    found = networks.search.inferer.search(pixels, masks, networks.generator, expected.patches.valid[rows])
    return {"slice_mm": slice_mm, "painted": circles(found.best_inpainted(), expected.course_mm[rows])}


def _percentiles(values: Sequence[float]) -> str:
    return f"{np.median(values):.2f}, {np.percentile(values, 95):.2f}" if len(values) else "-"


def jump_table(results: dict[str, dict[str, Any]], hole: int, weights: Sequence[float | None] = WEIGHTS) -> str:
    """Markdown: median and 95th percentile of all volumes' jumps in one hole."""
    ways = {
        "acquired": (f"{hole} px, {weights[0]}", "acquired"),
        "each slice alone": (f"{hole} px, {ALONE_BY[None in weights]}", "painted"),
    }
    ways |= {_label(weight): (f"{hole} px, {weight}", "painted") for weight in weights}
    lines = [
        f"| {hole} px | centre, mm in 2 mm: median, 95 % | diameter, mm in 2 mm: median, 95 % | pairs of slices | no aorta |",
        "|---|---:|---:|---:|---:|",
    ]
    for label, (end, key) in ways.items():
        parts = [each for name, each in results.items() if name.endswith(f", {end}")]
        both = [jumps(each[key], each["slice_mm"]) for each in parts]
        centres, diameters = ([value for pair in both for value in pair[place]] for place in (0, 1))
        missing = sum(circle is None for each in parts for circle in each[key])
        slices = sum(len(each[key]) for each in parts)
        lines.append(
            f"| {label} | {_percentiles(centres)} | {_percentiles(diameters)} | {len(centres)} | {missing} of {slices} |"
        )
    return "\n".join(lines) + "\n"


def _label(weight: float | None) -> str:
    return "vessel, amortised" if weight is None else f"vessel, coupling {weight:g}"


def error_table(
    results: dict[str, dict[str, Any]], holes: Sequence[int], weights: Sequence[float | None] = WEIGHTS
) -> str:
    """Markdown: mean absolute difference (and mean difference) of the levels' diameters, one column a volume."""
    names = list(dict.fromkeys(name.split(",")[0] for name in results))
    lines = [f"| hole, px | coupling | {' | '.join(names)} | mean |", "|---:|---:|" + "---:|" * (len(names) + 1)]
    for hole in holes:
        for weight in weights:
            parts = [results[f"{name}, {hole} px, {weight}"]["levels"] for name in names]
            each = [differences(part["acquired"], part["painted"]) for part in parts]
            cells = [
                f"{np.mean(np.abs(values)):.2f} ({np.mean(values):+.2f}; {sum(c is not None for c in part['painted'])} of "
                f"{len(part['painted'])})"
                for values, part in zip(each, parts, strict=True)
            ]
            mean = np.mean([np.mean(np.abs(values)) for values in each])
            lines.append(
                f"| {hole} | {'none' if weight is None else f'{weight:g}'} | {' | '.join(cells)} | {mean:.2f} |"
            )
    return "\n".join(lines) + "\n"


def main() -> None:
    """Parse the command line, measure and print tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("volumes", nargs="+")
    parser.add_argument("--holes", type=int, nargs="+", default=list(HOLES))
    parser.add_argument("--models", type=Path, default=MODELS)
    parser.add_argument("--preset", choices=WAYS, default=AMORTISED)
    parser.add_argument(
        "--smoothing_mm", type=float, default=SMOOTHING_MM, help="along the vessel, of the amortised preset"
    )
    parser.add_argument(
        "--calibration", help="of the vessel, whose mean course is taken; that of the preset without it"
    )
    parser.add_argument("--output", type=Path, help="JSON with what was measured; results in it are taken as they are")
    options = parser.parse_args()
    torch.set_num_threads(1)
    networks, kept = networks_of(options.preset, options.models), Kept(options.output)
    weights: Sequence[float | None] = WEIGHTS if options.preset == LBFGS else (None,)
    if isinstance(networks.search, AmortisedVessel):
        networks = replace(networks, search=AmortisedVessel(networks.search.inferer, options.smoothing_mm))
    calibration = options.calibration or calibration_of(options.preset, options.models)
    alone = ALONE_BY[None in weights]
    prior = read_vessel_calibration(calibration).model.prior
    for path in options.volumes:
        vessel = (*loaded(path), networks, prior)
        for hole in options.holes:
            for weight in weights:
                kept.get(f"{name_of(path)}, {hole} px, {weight}", partial(measure_hole, *vessel, hole, weight))
        last = options.holes[-1]
        kept.get(f"{name_of(path)}, {last} px, {alone}", partial(measure_alone, *vessel, last))
    print(jump_table(kept.results, options.holes[-1], weights))
    print(error_table(kept.results, options.holes, weights))


if __name__ == "__main__":
    main()
