"""Cases of an evaluation of detection as files, so that a run that was stopped goes on."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from monai_cardiac_gan.anomaly import ScoredLevels
from monai_cardiac_gan.atomic import atomic_file
from monai_cardiac_gan.evaluation.lesion_cases import Lesion, LesionCase

__all__ = ["read_cases", "write_cases"]

META = "meta"


def write_cases(path: Path, cases: Sequence[LesionCase]) -> None:
    """Write the cases of one subject, whole or not at all."""
    arrays: dict[str, np.ndarray] = {}
    meta = []
    for number, case in enumerate(cases):
        arrays |= {f"{number}/amounts": case.amounts, f"{number}/truth": case.truth}
        for place, (name, levels) in enumerate(case.levels.items()):
            parts = levels.heights_mm, levels.scores, levels.is_compared
            arrays |= {f"{number}/{place}/{part}": each for part, each in enumerate(parts)}
            if name in case.maps:
                arrays[f"{number}/{place}/map"] = case.maps[name]
        ways = [[name, list(levels.signs)] for name, levels in case.levels.items()]
        meta.append([case.subject, case.lesion.kind, case.lesion.severity, case.error, ways])
    arrays[META] = np.frombuffer(json.dumps(meta).encode(), np.uint8)
    with atomic_file(path) as file:
        np.savez_compressed(file, **arrays)  # type: ignore[arg-type, unused-ignore]


def read_cases(path: Path) -> list[LesionCase]:
    """Read what `write_cases` wrote.

    Raises:
        ValueError: when the file is damaged.
    """
    try:
        with np.load(path, allow_pickle=False) as arrays:
            meta = json.loads(arrays[META].tobytes())
            return [_case(arrays, number, *each) for number, each in enumerate(meta)]
    except (ValueError, KeyError, TypeError, OSError, EOFError, zipfile.BadZipFile) as error:
        raise ValueError(f"{path}: holds no cases ({error}): remove it, and run again.") from error


def _case(
    arrays: Any, number: int, subject: str, kind: str, severity: float, error: str | None, ways: list[Any]
) -> LesionCase:
    levels, maps = {}, {}
    for place, (name, signs) in enumerate(ways):
        heights, scores, compared = (arrays[f"{number}/{place}/{part}"] for part in range(3))
        levels[name] = ScoredLevels(heights, scores, compared, tuple(signs))
        if f"{number}/{place}/map" in arrays:
            maps[name] = arrays[f"{number}/{place}/map"]
    found = arrays[f"{number}/amounts"], maps, arrays[f"{number}/truth"]
    return LesionCase(subject, Lesion(kind, severity), levels, *found, error)
