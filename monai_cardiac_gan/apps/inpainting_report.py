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
from monai.data import MetaTensor
from tqdm import tqdm

import monai_cardiac_gan
from monai_cardiac_gan.aorta import AortaDisc, measure_disc
from monai_cardiac_gan.apps.generate import SAMPLES_FIGURE
from monai_cardiac_gan.apps.report_page import Section, write_page
from monai_cardiac_gan.data import read_manifest, write_json
from monai_cardiac_gan.inferers import InpaintingResult
from monai_cardiac_gan.keys import Field, PatchColumn
from monai_cardiac_gan.visualize import (
    figure_of_results,
    figure_of_starts,
    figure_of_traces,
    save_figure,
    write_descent_gif,
)

__all__ = ["InpaintingReport"]

logger = logging.getLogger(__name__)

RESULTS, PAGE = "results.json", "report.html"


class InpaintingReport:
    """Ignite handler: collect the results of an `InpaintingEvaluator`, then write figures, ``results.json``, ``report.html``.

    Args:
        output_dir: folder of the report.
        patch_set: the patch set's folder; its figures and its list of what was left out go into the report.
    """

    def __init__(self, output_dir: str, patch_set: str | None = None) -> None:
        self.output_dir = Path(output_dir)
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
        self.output_dir.mkdir(parents=True, exist_ok=True)
        for old in (RESULTS, PAGE, *(path.name for path in self.output_dir.glob("patch_*"))):
            (self.output_dir / old).unlink(missing_ok=True)  # a report of an earlier run must not pass for this one's

    def _collect(self, engine: Engine) -> None:
        result: InpaintingResult = engine.state.output["result"]
        batch: Mapping[str, Any] = engine.state.batch
        for index in tqdm(range(len(result.patches)), desc="figures", leave=False):
            self._add(result, index, _origin(batch, index), _pixel_mm(batch, index))

    def _add(self, result: InpaintingResult, index: int, origin: dict[str, Any], pixel_mm: float) -> None:
        number = len(self._entries)
        found = [measure_disc(image[0].numpy(), pixel_mm) for image in result.inpainted[index]]
        acquired = measure_disc(result.patches[index, 0].numpy(), pixel_mm)
        best = int(result.best()[index])
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
                "expected": _as_entry(found[best]),
                "expected_of_starts": [_as_entry(disc) for disc in found],
                "diameter_spread_mm": _spread(found),
            }
        )
        figures = {
            f"patch_{number:03d}_starts.png": figure_of_starts(result, index),
            f"patch_{number:03d}_results.png": figure_of_results(result, index, found, acquired, pixel_mm),
            f"patch_{number:03d}_losses.png": figure_of_traces(result, index),
        }
        for name, figure in figures.items():
            save_figure(figure, self.output_dir / name)
        gif = write_descent_gif(result, index, self.output_dir / f"patch_{number:03d}_descent.gif")
        title = f"Patch {number}: {origin[PatchColumn.SUBJECT]}, slice {origin[PatchColumn.SLICE]}"
        self._sections.append(Section(title, _sentence(self._entries[-1]), [*figures, gif.name]))

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
        figures = sorted((self.patch_set / "figures").glob("*.png"))
        images = [str(_relative(path, self.output_dir)) for path in figures]
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


def _pixel_mm(batch: Mapping[str, Any], index: int) -> float:
    """Side of a patch's pixels, from its affine; 1 mm where it has none."""
    image = batch[Field.IMAGE][index]
    return float(np.linalg.norm(np.asarray(image.affine)[:3, 0])) if isinstance(image, MetaTensor) else 1.0


def _as_entry(disc: AortaDisc | None) -> dict[str, Any] | None:
    """A disc for JSON; None where no aorta was found."""
    if disc is None:
        return None
    return {name: value.tolist() if isinstance(value, np.ndarray) else value for name, value in asdict(disc).items()}


def _spread(discs: list[AortaDisc | None]) -> float | None:
    """Standard deviation of the diameters that were found; None for fewer than two."""
    diameters = [disc.diameter_mm for disc in discs if disc is not None]
    return float(np.std(diameters, ddof=1)) if len(diameters) > 1 else None


def _terms(result: InpaintingResult, iteration: int, index: int, start: int) -> dict[str, float]:
    """Each term of the loss, not weighted."""
    return {name: float(values[iteration, index, start]) for name, values in result.traces.terms.items()}


def _sentence(entry: Mapping[str, Any]) -> str:
    acquired, expected = entry["acquired"], entry["expected"]
    parts = [
        f"{name} diameter {disc['diameter_mm']:.1f} mm" if disc else f"{name}: no aorta found"
        for name, disc in (("acquired", acquired), ("expected", expected))
    ]
    return (
        f"{', '.join(parts)}; loss {entry['total_loss_start']:.4f} at the start, {entry['total_loss']:.4f} at the end."
    )


def _relative(path: Path, start: Path) -> Path:

    return Path(os.path.relpath(path, start))
