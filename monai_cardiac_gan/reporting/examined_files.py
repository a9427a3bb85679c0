"""Files for viewers beside the results of one subject: the centre line, and the volume as it is expected."""

from __future__ import annotations

import logging
from pathlib import Path

import numpy as np
import torch
from monai.data import MetaTensor

from monai_cardiac_gan.inferers import ExpectedVessel
from monai_cardiac_gan.reporting.subject_results import SubjectResults
from monai_cardiac_gan.reporting.viewer_files import write_centre_line, write_colours
from monai_cardiac_gan.reporting.volume_file import write_volume
from monai_cardiac_gan.transforms import VolumePainter, spread_along

__all__ = ["write_examined_files"]

logger = logging.getLogger(__name__)

CENTRE_LINE, COLOURS = "centre_line.mrk.json", "colours.ctbl"
EXPECTED, PAINTED, ANOMALY = "expected.nii.gz", "painted.nii.gz", "anomaly.nii.gz"


def write_examined_files(
    folder: Path,
    results: SubjectResults,
    image: MetaTensor,
    expected: ExpectedVessel,
    with_volumes: bool = True,
    anomaly: np.ndarray | None = None,
) -> dict[str, str]:
    """Write what viewers show: the centre line of the levels that were measured; the volume with the expected vessel, the
    voxels that were painted, and their colours; and how far they differ from what was acquired.

    Args:
        folder: where they go.
        results: with the levels.
        image: the acquired volume (1, X, Y, Z) on its file's grid.
        expected: what was painted; without a search no volume is written.
        with_volumes: whether volumes are written at all.
        anomaly: (N, S, S) map of every slice, in spreads (`anomaly_maps`); None writes none.

    Returns:
        What a file holds -> its name, of those that were written.

    Raises:
        OSError: when one cannot be written.
    """
    files = {}
    if any(level.area_equivalent_mm is not None for level in results.levels):
        write_centre_line(folder / CENTRE_LINE, results)
        files["centre line"] = CENTRE_LINE
    if not with_volumes or expected.search is None:
        return files
    painter = _painted(image, expected)
    write_volume(folder / EXPECTED, painter.volume, image)
    write_volume(folder / PAINTED, painter.painted.to(torch.uint8), image, np.uint8)
    write_colours(folder / COLOURS)
    if anomaly is not None:
        write_volume(folder / ANOMALY, spread_along(image, expected.patches, anomaly, expected.mask), image, np.float32)
        files["anomaly map"] = ANOMALY
    return files | {
        "expected volume": EXPECTED,
        "painted voxels": PAINTED,
        "colours of the painted voxels": COLOURS,
    }


def _painted(image: MetaTensor, expected: ExpectedVessel) -> VolumePainter:
    painter, refused = VolumePainter(image), []
    for row in range(len(expected.patches)):
        try:
            painter.add(expected.patches.patch(row), expected.painted[row], expected.mask)
        except ValueError as error:  # one slice that shows too little must not cost the others
            refused.append(error)
    if refused:
        logger.warning(
            "%d of %d slices are as acquired in the expected volume: %s",
            len(refused),
            len(expected.patches),
            refused[0],
        )
    return painter
