"""What was learnt of normal vessels, as a file; what it says of painted diameters holds for one search alone."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from monai_cardiac_gan.anomaly import ExpectationModel, JudgedPerson, VesselPrior
from monai_cardiac_gan.atomic import write_json

__all__ = ["VesselCalibration", "read_vessel_calibration", "write_vessel_calibration"]

FORMAT = 1
"""Version of the file; a reader refuses others."""


@dataclass(frozen=True)
class VesselCalibration:
    """What may be expected of vessels, and how far normal ones differ from it.

    Attributes:
        model: what expectations are made with.
        hole: side of the hole that was painted, pixels of 1 mm.
        step_mm: distance of the levels.
        search: part of the search -> digest of its settings and weights (`inferers.search_digests`).
        unseen: people whose patches no network was trained on; painted diameters are judged by them alone.
        judged: person -> how near an expectation came that was made with all the others.
        excluded: person -> why the model was not learnt from him.
        package_version: that measured it.
    """

    model: ExpectationModel
    hole: int
    step_mm: float
    search: Mapping[str, str]
    unseen: tuple[str, ...]
    judged: Mapping[str, JudgedPerson]
    excluded: Mapping[str, str]
    package_version: str

    def model_for(self, search: Mapping[str, str], hole: int, step_mm: float) -> tuple[ExpectationModel, str | None]:
        """The model for a search: without painted diameters where another one was calibrated, and a sentence that says so.

        Args:
            search: part of the search -> digest.
            hole: side of the hole, pixels of 1 mm.
            step_mm: distance of the levels, which are searched together.
        """
        different = sorted(
            name for name in search.keys() | self.search.keys() if search.get(name) != self.search.get(name)
        )
        if step_mm != self.step_mm:
            different.insert(0, "distance of the levels")
        if hole != self.hole:
            different.insert(0, "hole")
        if not different:
            return self.model, None
        return replace(self.model, painted_weight=0.0), (
            f"painted diameters have no part in what is expected: they were calibrated with another {', '.join(different)}; run "
            "calibrate_report.json for these"
        )


def write_vessel_calibration(path: str | os.PathLike[str], calibration: VesselCalibration) -> Path:
    """Write it as JSON."""
    content = {"format": FORMAT, **asdict(calibration)}
    prior = content["model"]["prior"]
    for name in ("heights_mm", "diameters_mm", "course_mm"):
        prior[name] = np.round(prior[name], 3).tolist()
    return write_json(path, content)


def read_vessel_calibration(path: str | os.PathLike[str]) -> VesselCalibration:
    """Read what `write_vessel_calibration` wrote.

    Raises:
        FileNotFoundError: when there is none.
        ValueError: when the file is no such calibration, or of another version.
    """
    if not Path(path).exists():
        raise FileNotFoundError(
            f"{path}: no such calibration of vessels: run calibrate_report.json for these weights, or name another one "
            "(expectation_path)."
        )
    try:
        content: dict[str, Any] = json.loads(Path(path).read_text(encoding="utf-8"))
        if content["format"] != FORMAT:
            raise ValueError(f"format is {content['format']!r}, expected {FORMAT}")
        prior = content["model"].pop("prior")
        arrays = {name: np.asarray(value) for name, value in prior.items() if isinstance(value, list)}
        model = ExpectationModel(prior=VesselPrior(**(prior | arrays)), **content["model"])
        judged = {name: JudgedPerson(**each) for name, each in content["judged"].items()}
        rest = {name: content[name] for name in ("hole", "step_mm", "search", "excluded", "package_version")}
        return VesselCalibration(model=model, unseen=tuple(content["unseen"]), judged=judged, **rest)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(
            f"{path}: holds no calibration of vessels that this version reads ({error}): run calibrate_report.json."
        ) from error
