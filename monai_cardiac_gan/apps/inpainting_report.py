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
from monai_cardiac_gan.aorta import AortaDisc, AortaEllipse, fit_ellipse, measure_disc
from monai_cardiac_gan.apps.calibrate_inpainting import CENTRE, DIAMETER, PIXEL, read_calibration
from monai_cardiac_gan.apps.generate import SAMPLES_FIGURE
from monai_cardiac_gan.apps.holes import side_of_pixels
from monai_cardiac_gan.apps.report_page import Section, write_page
from monai_cardiac_gan.data import read_manifest, write_json
from monai_cardiac_gan.inferers import DiscSpread, InpaintingResult, SpreadCalibration, disc_spread, pixel_spread
from monai_cardiac_gan.keys import Field, PatchColumn
from monai_cardiac_gan.visualize import (
    figure_of_results,
    figure_of_spread,
    figure_of_starts,
    figure_of_traces,
    save_figure,
    write_descent_gif,
    write_descent_video,
)

__all__ = ["InpaintingReport"]

logger = logging.getLogger(__name__)

RESULTS, PAGE = "results.json", "report.html"


class InpaintingReport:
    """Ignite handler: collect the results of an `InpaintingEvaluator`, then write figures, ``results.json``, ``report.html``.

    Args:
        output_dir: folder of the report.
        patch_set: the patch set's folder; its figures and its list of what was left out go into the report.
        calibration: a report of `CalibrateInpainting`; where it was learnt for this search, intervals are given.
        video: write the descents as MP4, too (needs the extra ``video``).
    """

    def __init__(
        self, output_dir: str, patch_set: str | None = None, calibration: str | None = None, video: bool = False
    ) -> None:
        self.output_dir = Path(output_dir)
        self.calibration, self.video = calibration, video
        self.patch_set = None if patch_set is None else Path(patch_set)
        self._entries: list[dict[str, Any]] = []
        self._sections: list[Section] = []

    def attach(self, engine: Engine) -> None:
        """Collect after each batch, write at the end."""
        engine.add_event_handler(Events.STARTED, self._start)
        engine.add_event_handler(Events.ITERATION_COMPLETED, self._collect)
        engine.add_event_handler(Events.COMPLETED, self._write)

    def _start(self, engine: Engine) -> None:
        self._entries, self._sections = [], []
        self._intervals: dict[str, SpreadCalibration] = {}
        if self.calibration is not None:
            self._intervals = read_calibration(self.calibration, engine.network, engine.inferer)
        self.output_dir.mkdir(parents=True, exist_ok=True)
        for old in (RESULTS, PAGE, *(path.name for path in self.output_dir.glob("patch_*"))):
            (self.output_dir / old).unlink(missing_ok=True)  # a report of an earlier run must not pass for this one's

    def _collect(self, engine: Engine) -> None:
        result: InpaintingResult = engine.state.output["result"]
        batch: Mapping[str, Any] = engine.state.batch
        for index in tqdm(range(len(result.patches)), desc="figures", leave=False):
            self._add(result, index, _origin(batch, index), side_of_pixels(batch[Field.IMAGE][index]))

    def _add(self, result: InpaintingResult, index: int, origin: dict[str, Any], pixel_mm: float) -> None:
        images = [image[0].numpy() for image in result.inpainted[index]]
        found = [measure_disc(image, pixel_mm) for image in images]
        patch = result.patches[index, 0].numpy()
        acquired = measure_disc(patch, pixel_mm)
        best = int(result.best()[index])
        spread = disc_spread(result.inpainted[index], pixel_mm)
        self._entries.append(
            {
                **origin,
                "losses_at_start": _terms(result, 0, index, best),
                "total_loss_start": float(result.traces.total[0, index, best]),
                "total_loss": float(result.losses[index, best]),
                "best_start": best,
                "losses_of_starts": result.losses[index].tolist(),
                "evaluations": result.evaluations[index].tolist(),
                "stops": list(result.stops[index]),
                "seconds_of_batch": result.seconds,
                "seed": result.seed,
                "acquired": _as_entry(acquired),
                "acquired_ellipse": _as_entry(_ellipse(patch, acquired, pixel_mm)),
                "expected": _as_entry(found[best]),
                "expected_ellipse": _as_entry(_ellipse(images[best], found[best], pixel_mm)),
                "expected_of_starts": [_as_entry(disc) for disc in found],
                "spread": asdict(spread),
                "intervals": self._interval_entry(spread),
            }
        )
        self._draw(result, index, found, acquired, pixel_mm)

    def _draw(
        self,
        result: InpaintingResult,
        index: int,
        found: list[AortaDisc | None],
        acquired: AortaDisc | None,
        pixel_mm: float,
    ) -> None:
        """Figures, animation and section of the patch that was noted last."""
        entry = self._entries[-1]
        stem = f"patch_{len(self._entries) - 1:03d}"
        figures = {
            f"{stem}_starts.png": figure_of_starts(result, index),
            f"{stem}_results.png": figure_of_results(result, index, found, acquired, pixel_mm),
            f"{stem}_losses.png": figure_of_traces(result, index),
        }
        if len(found) > 1:
            figures[f"{stem}_spread.png"] = self._figure_of_spread(result, index)
        for name, figure in figures.items():
            save_figure(figure, self.output_dir / name)
        gif = write_descent_gif(result, index, self.output_dir / f"{stem}_descent.gif")
        if self.video:
            write_descent_video(result, index, self.output_dir / f"{stem}_descent.mp4")
        title = f"{stem.replace('_', ' ').capitalize()}: {entry[PatchColumn.SUBJECT]}, slice {entry[PatchColumn.SLICE]}"
        self._sections.append(Section(title, _sentence(entry), [*figures, gif.name]))

    def _figure_of_spread(self, result: InpaintingResult, index: int) -> Figure:
        spread = pixel_spread(result)
        mean, deviation, hole = spread.mean[index], spread.deviation[index], result.holes[index]
        pixels = self._intervals.get(PIXEL)
        if pixels is None:
            return figure_of_spread(result.patches[index], mean, deviation, hole)
        width = pixels.half_width(deviation.numpy()) * hole.numpy()
        return figure_of_spread(
            result.patches[index], mean, width, hole, f"half of the {100 * pixels.level:.0f} % interval"
        )

    def _interval_entry(self, spread: DiscSpread) -> dict[str, Any] | None:
        """Calibrated intervals of diameter and centre; None where there is no calibration or no spread."""
        if not self._intervals or spread.found < 2:
            return None
        diameter, centre = self._intervals[DIAMETER], self._intervals[CENTRE]
        half = float(diameter.half_width(spread.diameter_deviation_mm or 0.0))
        middle = spread.diameter_mm or 0.0
        return {
            "level": diameter.level,
            "diameter_mm": [middle - half, middle + half],
            "centre_within_mm": float(centre.half_width(spread.centre_mm or 0.0)),
        }

    def _write(self, engine: Engine) -> None:
        volumes = self._volume_sections()
        write_json(
            self.output_dir / RESULTS,
            {
                "package_version": monai_cardiac_gan.__version__,
                "patches": self._entries,
                "volumes_left_out": [entry for entry in self._volumes() if entry["status"] != "kept"],
            },
        )
        generated = [Section("Real and generated patches", "", [SAMPLES_FIGURE])]
        generated = generated if (self.output_dir / SAMPLES_FIGURE).exists() else []
        page = write_page(self.output_dir / PAGE, [*volumes, *generated, *self._sections])
        logger.info("report: %s", page.resolve())
        logger.info("numbers: %s", (self.output_dir / RESULTS).resolve())

    def _volumes(self) -> list[dict[str, Any]]:
        return [] if self.patch_set is None else read_manifest(self.patch_set)["volumes"]

    def _volume_sections(self) -> list[Section]:
        """One section for the volumes: those kept with a figure, the others with the reason."""
        if self.patch_set is None:
            return []
        volumes = self._volumes()
        left_out = [f"{entry[Field.SUBJECT]}: {entry['reason']}" for entry in volumes if entry["status"] != "kept"]
        pictures = [entry.get("figure") or entry.get("row") for entry in volumes]
        images = [str(_relative(self.patch_set / name, self.output_dir)) for name in pictures if name]
        kept = len(volumes) - len(left_out)
        text = f"{kept} of {len(volumes)} volumes were kept." + "".join(f"\nLeft out: {line}" for line in left_out)
        return [Section("Volumes", text, images)]


def _origin(batch: Mapping[str, Any], index: int) -> dict[str, Any]:
    """Where a patch of a batch came from: entries of its metadata."""
    meta = getattr(batch[Field.IMAGE][index], "meta", {})
    subject = meta.get(PatchColumn.SUBJECT, batch.get(Field.SUBJECT, ["unknown"] * (index + 1))[index])
    names = (PatchColumn.CENTRE_X, PatchColumn.CENTRE_Y, PatchColumn.DIAMETER, PatchColumn.PADDED)
    level = int(meta.get(PatchColumn.SLICE, -1))
    return {PatchColumn.SUBJECT: subject, PatchColumn.SLICE: level} | {
        name: float(meta[name]) if name in meta else None for name in names
    }


def _ellipse(image: np.ndarray, disc: AortaDisc | None, pixel_mm: float) -> AortaEllipse | None:
    return None if disc is None else fit_ellipse(image, disc, pixel_mm)


def _as_entry(disc: AortaDisc | AortaEllipse | None) -> dict[str, Any] | None:
    """A disc or an ellipse for JSON; None where no aorta was found."""
    if disc is None:
        return None
    return {name: value.tolist() if isinstance(value, np.ndarray) else value for name, value in asdict(disc).items()}


def _terms(result: InpaintingResult, iteration: int, index: int, start: int) -> dict[str, float]:
    """Each term of the loss, not weighted."""
    return {name: float(values[iteration, index, start]) for name, values in result.traces.terms.items()}


def _sentence(entry: Mapping[str, Any]) -> str:
    acquired, expected = entry["acquired"], entry["expected"]
    parts = [
        f"{name} diameter {disc['diameter_mm']:.1f} mm" if disc else f"{name}: no aorta found"
        for name, disc in (("acquired", acquired), ("expected", expected))
    ]
    if entry["intervals"]:
        low, high = entry["intervals"]["diameter_mm"]
        parts[-1] += f" ({100 * entry['intervals']['level']:.0f} % interval {low:.1f} to {high:.1f} mm)"
    return (
        f"{', '.join(parts)}; loss {entry['total_loss_start']:.4f} at the start, {entry['total_loss']:.4f} at the end."
    )


def _relative(path: Path, start: Path) -> Path:
    return Path(os.path.relpath(path, start))
