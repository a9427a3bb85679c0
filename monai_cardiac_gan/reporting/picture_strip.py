"""Single pictures out of the strips of a subject's results."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence

from PIL import Image

from monai_cardiac_gan.reporting.subject_results import Pictures, SlicePicture

__all__ = ["nearest_picture", "thumbnail"]

PNG_URL = "data:image/png;base64,"
THUMBNAIL_MM = 64.0
"""Side of a thumbnail: three healthy aortas."""


def nearest_picture(slices: Sequence[SlicePicture], mm_from_top: float) -> int:
    """Number of the picture nearest to a height."""
    return min(range(len(slices)), key=lambda index: abs(slices[index].mm_from_top - mm_from_top))


def thumbnail(pictures: Pictures, index: int) -> str:
    """One acquired picture around the vessel, as a data URL.

    Args:
        pictures: the strips.
        index: of the picture, from the top.

    Raises:
        ValueError: when the strip is no PNG as a data URL.
    """
    if not pictures.acquired.startswith(PNG_URL):
        raise ValueError(
            f"the pictures begin with {pictures.acquired[:24]!r}: expected a PNG as a data URL, {PNG_URL}..."
        )
    with Image.open(io.BytesIO(base64.b64decode(pictures.acquired.removeprefix(PNG_URL)))) as strip:
        side = min(pictures.size, round(THUMBNAIL_MM / pictures.pixel_mm))
        column, row = pictures.slices[index].centre or ((pictures.size - 1) / 2,) * 2
        left, top = (min(max(round(at - side / 2), 0), pictures.size - side) for at in (column, row))
        top += index * pictures.size
        cut = strip.crop((left, top, left + side, top + side))
    file = io.BytesIO()
    cut.save(file, "PNG")
    return PNG_URL + base64.b64encode(file.getvalue()).decode()
