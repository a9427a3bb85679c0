"""What came out of inpainting: figures, numbers and one page that shows them."""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from ignite.engine import Engine, Events
from matplotlib.figure import Figure
from tqdm import tqdm

import monai_cardiac_gan
from monai_cardiac_gan.aorta import AortaDisc, AortaEllipse
from monai_cardiac_gan.atomic import write_json
from monai_cardiac_gan.data import VolumeEntry, read_manifest
from monai_cardiac_gan.evaluation.calibration_report import CENTRE, DIAMETER, PIXEL, read_calibration
from monai_cardiac_gan.evaluation.generate_patches import SAMPLES_FIGURE
from monai_cardiac_gan.inferers import (
    InpaintedPatch,
    InpaintingResult,
    PatchOrigin,
    UncertaintyCalibration,
)
from monai_cardiac_gan.reporting.page import Section, write_page
from monai_cardiac_gan.visualize import (
    figure_of_answers,
    figure_of_results,
    figure_of_starts,
    figure_of_traces,
    figure_of_uncertainty,
    save_figure,
    write_search_gif,
    write_search_video,
)
from monai_cardiac_gan.visualize.save_figure import DOTS_PER_INCH, FORMATS

__all__ = ["InpaintingReport"]

logger = logging.getLogger(__name__)

PNG = "png"
PIXEL_TOLERANCE = 0.01
"""By which sides of pixels may differ and still be the same, relative; resampling rounds them."""
SEARCH_MS, ANSWER_MS, SECOND_MS = 80, 500, 1000
"""How long a frame of an animation stands: a search is a motion, each answer wants to be looked at."""
RESULTS, PAGE, TEMPLATE = "results.json", "report.html", "report.html.j2"


class InpaintingReport:
    """Ignite handler: collect the results of an `InpaintingEvaluator`, then write figures, ``results.json``, ``report.html``.

    Args:
        output_dir: folder of the report.
        patch_set: the patch set's folder; its figures and its list of excluded volumes go into the report.
        calibration: a report of `CalibrateInpainting`; where it was learnt for this search, intervals are given.
        video: write the searches, or the answers, as MP4, too (needs the extra ``video``).
        figure_format: ``"png"``, or ``"pdf"`` or ``"svg"`` to write the figures in that format, too; the page shows PNG.
        dpi: dots per inch of the figures.

    Raises:
        ValueError: when the format is unknown or the resolution not positive.
    """

    def __init__(
        self,
        output_dir: str,
        patch_set: str | None = None,
        calibration: str | None = None,
        video: bool = False,
        figure_format: str = PNG,
        dpi: float = DOTS_PER_INCH,
    ) -> None:
        if figure_format not in FORMATS or not dpi > 0:
            raise ValueError(
                f"figure_format is {figure_format!r} and dpi {dpi}: expected one of {', '.join(FORMATS)} and more than 0."
            )
        self.output_dir = Path(output_dir)
        self.formats, self.dpi = tuple(dict.fromkeys([PNG, figure_format])), dpi
        self.calibration, self.video = calibration, video
        self.patch_set = None if patch_set is None else Path(patch_set)
        self._entries: list[dict[str, Any]] = []
        self._sections: list[Section] = []
        self._intervals: dict[str, UncertaintyCalibration] = {}
        self._is_pixel_told = False

    def attach(self, engine: Engine) -> None:
        """Collect after each batch, write at the end."""
        engine.add_event_handler(Events.STARTED, self._start)
        engine.add_event_handler(Events.ITERATION_COMPLETED, self._collect)
        engine.add_event_handler(Events.COMPLETED, self._write)

    def _start(self, engine: Engine) -> None:
        self._entries, self._sections, self._intervals, self._is_pixel_told = [], [], {}, False
        if self.calibration is not None:
            self._intervals = read_calibration(self.calibration, engine.network, engine.inferer, engine.mask)
        self.output_dir.mkdir(parents=True, exist_ok=True)
        for old in (RESULTS, PAGE, *(path.name for path in self.output_dir.glob("patch_*"))):
            (self.output_dir / old).unlink(missing_ok=True)  # a report of an earlier run must not pass for this one's

    def _collect(self, engine: Engine) -> None:
        result: InpaintingResult = engine.state.output["result"]
        for patch in tqdm(result, total=len(result), desc="figures", leave=False, disable=None):
            entry = {
                **patch_entry(patch),
                "seconds_of_batch": result.seconds,
                "seed": result.seed,
                "intervals": self._interval_entry(patch),
            }
            self._entries.append(entry)
            self._sections.append(self._drawn(patch, entry, f"patch_{len(self._entries) - 1:03d}"))

    def _drawn(self, patch: InpaintedPatch, entry: Mapping[str, Any], stem: str) -> Section:
        """Figures and animation of a patch, and the section that shows them."""
        figures = {f"{stem}_{name}.png": figure for name, figure in _figures(patch).items()}
        if len(patch.solutions) > 1:
            figures[f"{stem}_uncertainty.png"] = figure_of_uncertainty(patch, **self._pixel_interval(patch))
        for name, figure in figures.items():
            for kind in self.formats:
                save_figure(figure, (self.output_dir / name).with_suffix(f".{kind}"), self.dpi)
        name, frame_ms = ("search", SEARCH_MS) if patch.is_searched else ("answers", ANSWER_MS)
        gif = write_search_gif(patch, self.output_dir / f"{stem}_{name}.gif", frame_ms)
        if self.video:
            write_search_video(patch, self.output_dir / f"{stem}_{name}.mp4", round(SECOND_MS / frame_ms))
        title = f"{stem.replace('_', ' ').capitalize()}: {patch.origin.subject}, {_place(patch.origin)}"
        return Section(title, _sentence(entry), [*figures, gif.name])

    def _pixel_interval(self, patch: InpaintedPatch) -> dict[str, Any]:
        """Half of the calibrated interval of each pixel, for the figure; nothing where there is no calibration."""
        pixels = self._intervals_for(patch).get(PIXEL)
        if pixels is None:
            return {}
        half_width = pixels.half_width(patch.std.numpy()) * patch.mask.numpy()
        return {"half_width": half_width, "title": f"half of the {100 * pixels.level:.0f} % interval"}

    def _intervals_for(self, patch: InpaintedPatch) -> Mapping[str, UncertaintyCalibration]:
        """The intervals, if they were learnt from patches whose pixels are as large; a larger pixel is another task."""
        learnt = {each.pixel_mm for each in self._intervals.values()} - {None}
        if any(abs(patch.origin.pixel_mm / side - 1) > PIXEL_TOLERANCE for side in learnt if side):
            if not self._is_pixel_told:
                self._is_pixel_told = True
                logger.warning(
                    "pixels of %.3g mm, and the calibration's are of %s mm: no intervals are given; calibrate on such patches.",
                    patch.origin.pixel_mm, ", ".join(f"{side:.3g}" for side in learnt if side),
                )  # fmt: skip
            return {}
        return self._intervals

    def _interval_entry(self, patch: InpaintedPatch) -> dict[str, Any] | None:
        """Calibrated intervals of diameter and centre; None where there is no calibration, or fewer than two solutions."""
        found, intervals = patch.uncertainty, self._intervals_for(patch)
        diameter, centre = intervals.get(DIAMETER), intervals.get(CENTRE)
        if diameter is None or centre is None or found.found < 2:
            return None
        half = float(diameter.half_width(found.diameter_std_mm or 0.0))
        middle = found.diameter_mm or 0.0
        return {
            "level": diameter.level,
            "diameter_mm": [middle - half, middle + half],
            "centre_within_mm": float(centre.half_width(found.centre_std_mm or 0.0)),
        }

    def _write(self, engine: Engine) -> None:
        volumes = [] if self.patch_set is None else list(read_manifest(self.patch_set).volumes)
        excluded = [{"subject": v.subject, "image": v.image, "reason": v.reason} for v in volumes if not v.is_kept]
        version = monai_cardiac_gan.__version__
        content = {"package_version": version, "patches": self._entries, "excluded_volumes": excluded}
        write_json(self.output_dir / RESULTS, content)
        sections = self._volume_sections(volumes)
        if (self.output_dir / SAMPLES_FIGURE).exists():
            sections.append(Section("Real and generated patches", "", [SAMPLES_FIGURE]))
        page = write_page(self.output_dir / PAGE, TEMPLATE, sections=[*sections, *self._sections])
        logger.info("report: %s", page.resolve())
        logger.info("numbers: %s", (self.output_dir / RESULTS).resolve())

    def _volume_sections(self, volumes: list[VolumeEntry]) -> list[Section]:
        """One section for the volumes: those kept with a figure, the others with the reason."""
        if self.patch_set is None:
            return []
        excluded = [f"{entry.subject}: {entry.reason}" for entry in volumes if not entry.is_kept]
        pictures = [entry.figure or entry.row for entry in volumes]
        images = [os.path.relpath(self.patch_set / name, self.output_dir) for name in pictures if name]
        kept = len(volumes) - len(excluded)
        text = f"{kept} of {len(volumes)} volumes were kept." + "".join(f"\nExcluded: {line}" for line in excluded)
        return [Section("Volumes", text, images)]


def patch_entry(patch: InpaintedPatch) -> dict[str, Any]:
    """What is known of an inpainted patch, for JSON."""
    discs = [_as_entry(disc) for disc in patch.discs]
    return {
        **patch.origin.as_entry(),
        **(_search_entry(patch, discs) if patch.is_searched else _answers_entry(patch, discs)),
        "acquired": _as_entry(patch.acquired_disc),
        "acquired_ellipse": _as_entry(patch.acquired_ellipse),
        "expected": _as_entry(patch.expected_disc),
        "expected_ellipse": _as_entry(patch.expected_ellipse),
        "uncertainty": asdict(patch.uncertainty),
    }


def _search_entry(patch: InpaintedPatch, discs: list[dict[str, Any] | None]) -> dict[str, Any]:
    """How far the search of each start came."""
    best = patch.best
    return {
        "losses_at_start": {name: float(values[0, best]) for name, values in patch.traces.terms.items()},
        "total_loss_start": float(patch.traces.total[0, best]),
        "total_loss": float(patch.losses[best]),
        "best_start": best,
        "losses_of_starts": patch.losses.tolist(),
        "evaluations": patch.evaluations.tolist(),
        "stops": list(patch.stops),
        "expected_of_starts": discs,
    }


def _answers_entry(patch: InpaintedPatch, discs: list[dict[str, Any] | None]) -> dict[str, Any]:
    """How far each answer that was drawn lies from the mean of all."""
    return {
        "answers": len(discs),
        "distances_from_mean": patch.losses.tolist(),
        "expected_of_answers": discs,
    }


def _figures(patch: InpaintedPatch) -> dict[str, Figure]:
    """What shows how the solutions came about, in the page's order."""
    if not patch.is_searched:
        return {"answers": figure_of_answers(patch)}
    return {
        "starts": figure_of_starts(patch),
        "results": figure_of_results(patch),
        "losses": figure_of_traces(patch.traces, patch.best),
    }


def _place(origin: PatchOrigin) -> str:
    """The slice, of which grid it is, and where that lies: the volume's own slices may be thicker."""
    if origin.affine is None:
        return f"slice {origin.slice}"
    slice_mm, z_mm = float(np.linalg.norm(origin.affine[:3, 2])), float(origin.affine[2, 3])
    height = f"{round(origin.slice * slice_mm, 1):g} mm above the lowest slice"
    return f"{height} (slice {origin.slice} of the {slice_mm:.3g} mm grid of patches, z {z_mm:.1f} mm in the scanner)"


def _as_entry(disc: AortaDisc | AortaEllipse | None) -> dict[str, Any] | None:
    """A disc or an ellipse for JSON; None where no aorta was found."""
    if disc is None:
        return None
    return {name: value.tolist() if isinstance(value, np.ndarray) else value for name, value in asdict(disc).items()}


def _sentence(entry: Mapping[str, Any]) -> str:
    acquired, expected = entry["acquired"], entry["expected"]
    parts = [
        f"{name} diameter {disc['diameter_mm']:.1f} mm" if disc else f"{name}: no aorta found"
        for name, disc in (("acquired", acquired), ("expected", expected))
    ]
    if entry["intervals"]:
        low, high = entry["intervals"]["diameter_mm"]
        about = " about the mean of the answers" if "answers" in entry else ""
        parts[-1] += f" ({100 * entry['intervals']['level']:.0f} % interval{about} {low:.1f} to {high:.1f} mm)"
    if "answers" in entry:
        count = entry["answers"]
        return f"{', '.join(parts)}; {f'{count} answers were' if count > 1 else 'one answer was'} drawn."
    return (
        f"{', '.join(parts)}; loss {entry['total_loss_start']:.4f} at the start, {entry['total_loss']:.4f} at the end."
    )
