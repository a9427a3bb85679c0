"""One page with all volumes, to see at a glance where the aorta was not found, and to put it right."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw, ImageFont

from monai_cardiac_gan.atomic import atomic_path
from monai_cardiac_gan.data import VolumeEntry, shortest_tail
from monai_cardiac_gan.reporting.page import write_page

__all__ = ["ROW", "write_contact_sheet"]

ROW = "row.png"
"""Picture of a volume in its folder (`visualize.contact_row`)."""
PAGE, TEMPLATE = "contact_sheet.html", "contact_sheet.html.j2"
PNG = "contact_sheet_{:03d}.png"
ROWS_PER_PNG = 20
"""Rows of a picture; 5 MB and 5000 pixels high."""
UNSURE_BELOW = 0.5
"""Tracks below this confidence are marked: of the real volumes looked at all lie above."""
FINE, UNSURE, EXCLUDED = "fine", "unsure", "excluded"
TEXT_HEIGHT = 18
LEAST_WIDTH = 600
"""Of a picture, pixels, so that captions fit."""


def write_contact_sheet(folder: Path, entries: Sequence[VolumeEntry]) -> list[Path]:
    """Write the sheet of a patch set as one HTML page and as pictures of 20 volumes each.

    Args:
        folder: of the patch set; the rows' pictures lie in the folders of the volumes.
        entries: of the manifest, in the order of the sheet.

    Returns:
        The page, and the pictures.
    """
    states = [state_of(entry) for entry in entries]
    counts = {state: states.count(state) for state in (FINE, UNSURE, EXCLUDED)}
    images: dict[str, list[str]] = {}
    for entry in entries:
        images.setdefault(entry.subject, []).append(entry.image)
    rows = [_row(entry, shortest_tail(entry.image, images[entry.subject])) for entry in entries]
    page = write_page(folder / PAGE, TEMPLATE, rows=rows, counts=counts)
    for old in folder.glob(PNG.replace("{:03d}", "*")):
        old.unlink()
    pictures = []
    for number, start in enumerate(range(0, len(entries), ROWS_PER_PNG)):
        picture = folder / PNG.format(number)
        with atomic_path(picture) as unfinished:
            _picture(folder, entries[start : start + ROWS_PER_PNG]).save(unfinished)
        pictures.append(picture)
    return [page, *pictures]


def state_of(entry: VolumeEntry) -> str:
    """``"excluded"``, ``"unsure"`` or ``"fine"``."""
    if not entry.is_kept:
        return EXCLUDED
    return UNSURE if (entry.track_confidence or 0.0) < UNSURE_BELOW else FINE


def caption(entry: VolumeEntry) -> str:
    """What a row says of its volume.

    Example:
        >>> caption(VolumeEntry("ann", "a.nii", "kept", track_confidence=0.83, grade=3.9, patches=110))
        'ann: kept, confidence 0.83, grade 3.9, 110 patches'
    """
    parts = [f"{entry.subject}: {entry.status}"]
    if entry.track_confidence is not None:
        parts.append(f"confidence {entry.track_confidence:.2f}")
    if entry.grade is not None:
        parts.append(f"grade {entry.grade:.1f}")
    if entry.patches:
        parts.append(f"{entry.patches} patches")
    return ", ".join(parts)


def _row(entry: VolumeEntry, image: str) -> dict[str, Any]:
    """What the template shows of a volume; the image as a correction names it."""
    return {
        "state": state_of(entry),
        "caption": caption(entry),
        "reason": entry.reason,
        "picture": entry.row,
        "tiles": list(entry.tiles or []),
        "subject": entry.subject,
        "image": image,
    }


def _picture(folder: Path, entries: Sequence[VolumeEntry]) -> Image.Image:
    rows = []
    for entry in entries:
        picture = None
        if entry.row and (path := folder / entry.row).exists():
            with Image.open(path) as file:
                picture = file.convert("RGB")
        rows.append((caption(entry) + (f"; {entry.reason}" if entry.reason else ""), picture))
    width = max([LEAST_WIDTH, *(picture.width for _, picture in rows if picture)])
    height = sum(TEXT_HEIGHT + (picture.height if picture else 0) for _, picture in rows)
    sheet = Image.new("RGB", (width, height), "white")
    draw, font, top = ImageDraw.Draw(sheet), ImageFont.load_default(size=13), 0
    for text, picture in rows:
        draw.text((4, top + 1), text, fill="black", font=font)
        top += TEXT_HEIGHT
        if picture:
            sheet.paste(picture, (0, top))
            top += picture.height
    return sheet
