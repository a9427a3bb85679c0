"""The page of one subject, made from its results alone."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib import colormaps
from matplotlib.figure import Figure

from monai_cardiac_gan.reporting.diameter_curve import NARROW, WIDE, diameter_curve, kind_of
from monai_cardiac_gan.reporting.notable_levels import farthest_level, largest_level, most_unusual_level
from monai_cardiac_gan.reporting.page import write_page
from monai_cardiac_gan.reporting.picture_strip import nearest_picture
from monai_cardiac_gan.reporting.subject_results import PAGE, Pictures, SubjectResults
from monai_cardiac_gan.reporting.subject_verdict import SIGN_WORDS
from monai_cardiac_gan.visualize import figure_of_diameters, save_figure

__all__ = ["PAGE", "write_subject_page"]

TEMPLATE = "subject.html.j2"
FIGURES = ("diameters.png", "diameters.svg")
DIFFERENCE_COLOURS = "berlin"
"""Crameri's diverging map: perceptually uniform, for colour-blind readers, black where nothing differs
(Crameri et al., Nature Communications 2020, 11:5444)."""
COLOURS = 256


def write_subject_page(results: SubjectResults, folder: Path) -> Path:
    """Write ``report.html``, and the curve as ``diameters.png`` and ``diameters.svg`` where there is one.

    Args:
        results: of the subject, as a search made them or as `read_results` reads them.
        folder: the files of ``results.files`` lie there, too.

    Returns:
        The page.
    """
    curves = {name: diameter_curve(results, size) for name, size in (("wide", WIDE), ("narrow", NARROW))}
    has_curve = curves["wide"] is not None
    figure = _figure(results) if has_curve else None
    for name in FIGURES:
        if figure is not None:
            save_figure(figure, folder / name)
        else:
            (folder / name).unlink(missing_ok=True)  # an earlier report's must not pass for this one's
    return write_page(
        folder / PAGE,
        TEMPLATE,
        results=results,
        curves=curves if has_curve else {},
        farthest=farthest_level(results.levels),
        largest=largest_level(results.levels),
        kinds=[kind_of(level, results.answer.stretches) for level in results.levels],
        sources=sorted({each.source for level in results.levels for each in level.normals}),
        viewer=_viewer(results, results.pictures) if results.pictures and results.pictures.slices else None,
        figures=FIGURES if has_curve else (),
        sign_words=SIGN_WORDS,
    )


def _viewer(results: SubjectResults, pictures: Pictures) -> dict[str, Any]:
    """What the scripts of the slices need."""
    farthest = most_unusual_level(results.levels) or farthest_level(results.levels)
    middle = len(pictures.slices) // 2
    colours = colormaps[DIFFERENCE_COLOURS](np.linspace(0, 1, COLOURS), bytes=True)[:, :3]
    return {
        "subject": results.subject.name,
        "image": results.subject.image,
        "size": pictures.size,
        "pixelMm": pictures.pixel_mm,
        "acquired": pictures.acquired,
        "expected": pictures.expected,
        "anomaly": pictures.anomaly,
        "anomalyRange": pictures.anomaly_range,
        "colours": colours.tolist(),
        "start": middle if farthest is None else nearest_picture(pictures.slices, farthest.mm_from_top),
        "slices": [
            {
                "slice": each.slice,
                "mm": each.mm_from_top,
                "origin": each.origin_mm,
                "right": each.right_mm,
                "down": each.down_mm,
                "centre": each.centre,
                "radius": each.radius,
                "hole": each.hole,
            }
            for each in pictures.slices
        ],
    }


def _figure(results: SubjectResults) -> Figure:
    levels = results.levels

    def values(name: str, of: Sequence[Any] = levels) -> np.ndarray:
        return np.array([np.nan if each is None else getattr(each, name) for each in of], dtype=np.float64)

    sexes = sorted({each.sex for level in levels for each in level.normals})
    found = {sex: [next((n for n in level.normals if n.sex == sex), None) for level in levels] for sex in sexes}
    return figure_of_diameters(
        values("mm_from_top"),
        values("area_equivalent_mm"),
        expected=values("expected_mm"),
        interval=(values("low_mm"), values("high_mm")),
        compared=np.array([level.is_compared for level in levels]),
        normals={sex: (values("low_mm", ranges), values("high_mm", ranges)) for sex, ranges in found.items()},
        stretches=[(each.from_mm, each.to_mm, each.kind) for each in results.answer.stretches],
        title=f"{results.subject.name}: {results.answer.headline}",
    )
