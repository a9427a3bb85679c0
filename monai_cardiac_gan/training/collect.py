"""What a training program leaves: weights, figures, tables and a record, in few files that travel."""

from __future__ import annotations

import json
import logging
import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from monai_cardiac_gan.atomic import atomic_path, write_json

__all__ = ["MOST_BYTES", "collect"]

logger = logging.getLogger(__name__)

MOST_BYTES, MOST_ARCHIVES = 16_500_000, 3
"""Of one file, and files of weights: three have room for generator and critic of width 32 (14 and 15 MB) and all others."""
OPTIONAL = "amortised_critic.pt"
"""Only its training needs it: left out where it would take a file of its own."""
FIGURES = {
    "gan_128/training_curves.png": "training_curves.png",
    "report/samples_generator.png": "samples.png",
    "report/metrics.md": "metrics.md",
}
"""File in the state -> file among the results."""


def collect(state: Path, output: Path, record: Mapping[str, Any]) -> list[Path]:
    """Write weights (ZIP archives of at most 16.5 MB), figures, the table of metrics, and ``run.json`` with the record.

    Args:
        state: folder of the stages' results; what is not there is left out.
        output: where the files go; ``log.txt`` lies there already.
        record: what is to be known of the run.

    Returns:
        All files of the results, the log included.
    """
    files = [*_archives((state / "models").glob("*.*"), output)]
    for source, name in FIGURES.items():
        if (state / source).exists():
            with atomic_path(output / name) as working:
                working.write_bytes((state / source).read_bytes())
            files.append(output / name)
    files.append(write_json(output / "run.json", {**record, **_known(state)}))
    return files + [path for path in [output / "log.txt"] if path.exists()]


def _archives(weights: Iterable[Path], output: Path) -> list[Path]:
    """Archives ``weights_0.zip`` and so on: each file, the largest first, into the first one that has room; `OPTIONAL` last."""
    groups: list[list[Path]] = []
    sizes: list[int] = []
    kept = ((path.name != OPTIONAL, path.stat().st_size, path) for path in weights if path.name != "best.pt")
    for needed, size, path in sorted(kept, reverse=True):
        number = next((number for number, full in enumerate(sizes) if full + size <= MOST_BYTES), len(sizes))
        if number >= MOST_ARCHIVES and not needed:
            logger.warning("%s: left out, %d files of weights are full", path.name, number)
            continue
        if number == len(sizes):
            groups.append([])
            sizes.append(0)
        groups[number].append(path)
        sizes[number] += size
    for old in output.glob("weights_*.zip"):
        old.unlink()
    return [_archive(group, output / f"weights_{number}.zip") for number, group in enumerate(groups)]


def _archive(paths: Iterable[Path], target: Path) -> Path:
    with atomic_path(target) as working, zipfile.ZipFile(working, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in paths:
            archive.write(path, path.name)
    return target


def _known(state: Path) -> dict[str, Any]:
    """Tables of the stages, where they were written."""
    tables = {
        "benchmark": "benchmark.json",
        "metrics": "report/metrics.json",
        "history": "gan_128/history.json",
        "amortised_history": "amortised/history.json",
    }
    return {
        name: json.loads((state / path).read_text(encoding="utf-8"))
        for name, path in tables.items()
        if (state / path).exists()
    }
