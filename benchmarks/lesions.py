"""Each kind of simulated lesion in one volume: acquired, expected, anomaly map, truth, and what the level's scores say.

Usage: python benchmarks/lesions.py VOLUME PICTURE [--severity 0.667] [--at 0.5]

Every lesion lies at the same place of the same person, without any choice; the level with most of it is drawn. Scores are held
against the shipped normal people of the scan's kind.
"""

from __future__ import annotations

import argparse
import os
from functools import partial
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
from dilation import MODELS
from matplotlib.figure import Figure

from monai_cardiac_gan.evaluation import DetectVessel, ScanScorer, ScoreVessel
from monai_cardiac_gan.evaluation.score_scan import ScoredScan
from monai_cardiac_gan.inferers import AmortisedNetworks
from monai_cardiac_gan.keys import Field
from monai_cardiac_gan.networks.nets import ComodulatedGenerator, PatchFeatures
from monai_cardiac_gan.transforms import LesionSimulator, cut_along
from monai_cardiac_gan.transforms.lesion_shapes import LESIONS
from monai_cardiac_gan.visualize import save_figure

SHOWN = slice(32, 97)
"""Of a patch's rows and columns."""
RANGE = 6.0
ROWS = ("acquired", "expected", "anomaly map", "truth")
SETTINGS = {"latent_size": 100, "width": 12, "max_channels": 256, "output_filter": 13, "spread": 1.25}
"""As report.json."""


def scorer_of(models: Path) -> ScanScorer:
    """The report's, with the weights of a folder."""
    networks = AmortisedNetworks(partial(ComodulatedGenerator, **SETTINGS), str(models / "amortised.pt"), answers=8)
    features = ScoreVessel(PatchFeatures, str(models / "features.pt"))
    return ScanScorer(networks, str(models / "amortised_vessel_calibration.json"), features)


def shown(plane: np.ndarray) -> np.ndarray:
    """The patient's right on the left, the front on top."""
    return plane[SHOWN, SHOWN].T[::-1, ::-1]


def draw(figure: Figure, columns: list[tuple[str, list[np.ndarray]]]) -> None:
    """A column a lesion."""
    panels = figure.subplots(len(ROWS), len(columns), gridspec_kw={"wspace": 0.04, "hspace": 0.04})
    looks = [{"cmap": "gray", "vmin": -1, "vmax": 1}] * 2
    looks += [{"cmap": "berlin", "vmin": -RANGE, "vmax": RANGE}, {"cmap": "gray", "vmin": 0, "vmax": 1}]
    for column, (title, planes) in enumerate(columns):
        panels[0, column].set_title(title, fontsize=8)
        for row, (plane, look) in enumerate(zip(planes, looks, strict=True)):
            panels[row, column].imshow(shown(plane), **look)
            panels[row, column].set_xticks([])
            panels[row, column].set_yticks([])
    for row, name in enumerate(ROWS):
        panels[row, 0].set_ylabel(name, fontsize=8)


def column_of(kind: str, scan: ScoredScan, truth: np.ndarray, level: int, said: str) -> tuple[str, list[np.ndarray]]:
    """Title and planes of a level."""
    acquired = scan.expected.patches.pixels[scan.expected.levels[level], 0].numpy()
    return f"{kind}\n{said}", [acquired, scan.scored.expected[level], scan.scored.deviation[level], truth]


def main() -> None:
    """Draw one volume."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("volume")
    parser.add_argument("picture", type=Path)
    parser.add_argument("--severity", type=float, default=2 / 3)
    parser.add_argument("--at", type=float, default=0.5)
    arguments = parser.parse_args()
    score = scorer_of(MODELS)
    paths = [str(MODELS / f"detection_{name}.json") for name in ("acquired", "phantoms")]
    detect = DetectVessel(score.scorer, paths)
    image, track = score.load({Field.IMAGE: arguments.volume})
    columns = []
    for kind in LESIONS:
        made = LesionSimulator(kind, arguments.severity, at=arguments.at, direction=0.8)(image, track)
        scan = score(made.image, score.located(made.image))
        slices = scan.expected.patches.slices[scan.expected.levels]
        level = int(np.abs(slices - track.slices[made.middle]).argmin())
        place = scan.expected.levels[[level]]
        truth = cut_along(made.truth.float(), slices[[level]], scan.expected.course_mm[place]).pixels[0, 0].numpy()
        found = detect(scan.vessel, scan.expected, scan.levels, scan.expectation, score.parts()).detection
        said = "no verdict"
        if found is not None:
            stands = "\nstands out" if found.standing_out[level] else "\n"
            said = f"{found.judged.levels[level]:.1f}, most by {found.judged.leading(level)}{stands}"
        columns.append(column_of(kind, scan, truth, level, said))
    figure = Figure(figsize=(2.0 * len(columns), 8.6))
    draw(figure, columns)
    save_figure(figure, arguments.picture)


if __name__ == "__main__":
    main()
