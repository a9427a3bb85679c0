"""Verdicts on many subjects as a table, with anomaly volumes, and without their pages."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from tqdm import tqdm

from monai_cardiac_gan.data import Record, file_name_of, write_table
from monai_cardiac_gan.evaluation import DetectVessel, ScanScorer
from monai_cardiac_gan.executors import choose_executor, run_all
from monai_cardiac_gan.keys import Field
from monai_cardiac_gan.reporting.subject_verdict import SIGN_WORDS, verdict_of
from monai_cardiac_gan.reporting.volume_file import write_volume
from monai_cardiac_gan.transforms import reason_of, spread_along

__all__ = ["COLUMNS", "Detect", "DetectedScan"]

logger = logging.getLogger(__name__)

TABLE = "detection.csv"
ANOMALY = "anomaly.nii.gz"
COLUMNS = (
    "subject",
    "image",
    "alarm",
    "p_value",
    "score",
    "limit",
    "normals",
    "kind",
    "most_unusual_mm_from_top",
    "most_unusual_by",
    "sentence",
    "error",
)
"""Of the table. ``alarm`` is empty where the normal people are too few, ``error`` where there is a verdict."""
PRELOADED = ("monai_cardiac_gan.reporting",)


@dataclass(frozen=True)
class DetectedScan:
    """One row of the table: columns as `COLUMNS`, those that are not known left out."""

    row: dict[str, Any]


class Detect:
    """A verdict on each volume (`DetectVessel`): at most 25 levels are painted, no slices between them, and no page is written.

    Only the localisation must be sure: quality and familiarity, which a report asks for, are not looked at.

    Writes ``detection.csv`` and, in a folder with the number of its row and its subject's name, ``anomaly.nii.gz``: how far each
    painted level differs from what is expected, in spreads, on the volume's own grid.

    Args:
        datalist: records (`data.read_datalist`).
        score: scores a scan.
        detect: holds scores against normal people.
        output_dir: where the table and the subjects' folders go.
        save_volumes: whether anomaly volumes are written.
        workers: processes; None takes all cores.
    """

    def __init__(
        self,
        datalist: Sequence[Record],
        score: ScanScorer,
        detect: DetectVessel,
        output_dir: str,
        save_volumes: bool = True,
        workers: int | None = 1,
    ) -> None:
        self.datalist, self.score, self.detect = list(datalist), score, detect
        self.folder, self.save_volumes, self.workers = Path(output_dir), save_volumes, workers

    def run(self) -> list[DetectedScan]:
        """Detect, and write; one row for each record, in their order.

        Raises:
            ValueError: when there is a verdict on none of them.
        """
        refused = {n: record for n, record in enumerate(self.datalist) if Field.ERROR in record}
        tasks = [(n, record) for n, record in enumerate(self.datalist) if n not in refused]
        work = partial(_detected, self.score, self.detect, str(self.folder) if self.save_volumes else None)
        found = {n: DetectedScan({**_names(each), "error": each[Field.ERROR]}) for n, each in refused.items()}
        with tqdm(total=len(tasks), desc="volumes", unit="volume", disable=None) as bar:
            for (number, record), future in run_all(
                work, tasks, *choose_executor(self.workers, None, len(tasks), PRELOADED)
            ):
                try:
                    found[number] = future.result()
                except (ValueError, RuntimeError, OSError) as error:
                    reason = reason_of(error, str(record[Field.IMAGE]))
                    logger.warning("no verdict: %s: %s", record[Field.SUBJECT], reason)
                    found[number] = DetectedScan({**_names(record), "error": reason})
                bar.update()
        scans = [found[number] for number in range(len(self.datalist))]
        path = write_table(self.folder / TABLE, COLUMNS, [each.row for each in scans])
        logger.info("detection: %s", path)
        if all("error" in each.row for each in scans):
            raise ValueError(f"no verdict on any of {len(scans)} volumes; the first: {scans[0].row['error']}")
        return scans


def _names(record: Record) -> dict[str, Any]:
    return {"subject": str(record[Field.SUBJECT]), "image": str(record[Field.IMAGE])}


def _detected(score: ScanScorer, detect: DetectVessel, folder: str | None, task: tuple[int, Record]) -> DetectedScan:
    number, record = task
    image, track = score.load(record)
    scan = score(image, track)
    found = detect(scan.vessel, scan.expected, scan.levels, scan.expectation, score.parts())
    if folder is not None and found.scored is not None:
        own = (
            Path(folder) / f"{number:04d}_{file_name_of(str(record[Field.SUBJECT]))}"
        )  # of a subject there may be several
        own.mkdir(parents=True, exist_ok=True)
        maps = found.scored.deviation.astype(np.float32)
        volume = spread_along(image, scan.expected.patches, maps, scan.expected.mask)
        write_volume(own / ANOMALY, volume.as_subclass(torch.Tensor), image, np.float32)
    if found.detection is None:
        return DetectedScan({**_names(record), "error": found.reason})
    length = float(scan.vessel.heights_mm.max())
    verdict = verdict_of(found.detection, scan.levels, score.step_mm, length)
    worst = int(np.argmax(found.detection.judged.levels))
    return DetectedScan(
        {
            **_names(record),
            "alarm": verdict.is_alarm,
            "p_value": verdict.p_value,
            "score": verdict.score,
            "limit": verdict.limit,
            "normals": verdict.normals,
            "kind": verdict.kind,
            "most_unusual_mm_from_top": round(float(scan.levels.heights_mm[worst]), 1),
            "most_unusual_by": SIGN_WORDS[found.detection.judged.leading(worst)],
            "sentence": verdict.sentence,
        }
    )
