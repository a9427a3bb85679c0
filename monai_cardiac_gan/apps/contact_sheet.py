"""One page with all volumes, to see at a glance where the aorta was not found, and to put it right."""

from __future__ import annotations

import html
import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw, ImageFont

from monai_cardiac_gan.data.patch_set import UNFINISHED
from monai_cardiac_gan.keys import Field

__all__ = ["ROW", "write_contact_sheet"]

ROW = "row.png"
"""Picture of a volume in its folder (`visualize.contact_row`)."""
PAGE = "contact_sheet.html"
PNG = "contact_sheet_{:03d}.png"
ROWS_PER_PNG = 20
"""Rows of a picture; 5 MB and 5000 pixels high."""
UNSURE = 0.5
"""Tracks below this confidence are marked: of the real volumes looked at all lie above."""
TEXT_HEIGHT = 18
HEAD = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Contact sheet</title><style>
body{font-family:sans-serif;margin:1rem;background:#fff;color:#111}
tr{border-top:1px solid #ccc}td{vertical-align:top;padding:.4rem}
.left-out{background:#fbe3e0}.unsure{background:#fdf3d0}
img{display:block;cursor:crosshair;max-width:none}
textarea{width:100%;height:7rem;font-family:monospace}
#panel{position:sticky;bottom:0;background:#fff;border-top:2px solid #444;padding:.5rem}
label{margin-right:1rem}</style></head><body>
<h1>Contact sheet</h1>
"""
EXPLANATION = """<p>Each row: axial slices from the uppermost to the lowest that shows the aorta, then a coronal and a sagittal
view along it (patient's right on the left). Red volumes were left out, yellow ones are unsure. Where a course is wrong,
click into the descending aorta on one of the axial slices: its place is added below. Save the lines as a CSV file, give
it as <code>--corrections</code> and prepare again; only these volumes are done anew. A line without coordinates
(<code>subject,,,,</code>) leaves a volume out.</p>
<label><input type="checkbox" id="bad"> only volumes left out or unsure</label>
<table>
"""
TAIL = """</table><div id="panel">Corrections<textarea id="lines">subject,x,y,z,image
</textarea></div><script>
const quoted = text => /[",;\\s]/.test(text) ? '"' + text.replaceAll('"', '""') + '"' : text;
for (const image of document.querySelectorAll("img[data-tiles]")) image.addEventListener("click", event => {
  const column = event.offsetX, row = event.offsetY;
  for (const tile of JSON.parse(image.dataset.tiles)) {
    if (column < tile.left || column >= tile.left + tile.width) continue;
    const point = tile.origin.map((o, i) => (o + (column - tile.left) * tile.right[i] + row * tile.down[i]).toFixed(1));
    document.getElementById("lines").value +=
      [quoted(image.dataset.subject), ...point, quoted(image.dataset.image)].join(",") + "\\n";
  }
});
document.getElementById("bad").addEventListener("change", event => {
  for (const row of document.querySelectorAll("tr.fine")) row.hidden = event.target.checked;
});
</script></body></html>
"""


def write_contact_sheet(folder: Path, entries: Sequence[Mapping[str, Any]]) -> list[Path]:
    """Write the sheet of a patch set as one HTML page and as pictures of 20 volumes each.

    Args:
        folder: of the patch set; the rows' pictures lie in the folders of the volumes.
        entries: of the manifest, in the order of the sheet.

    Returns:
        The page, and the pictures.
    """
    lines = [_row(entry) for entry in entries]
    page = folder / PAGE
    _write_text(page, HEAD + _summary(entries) + EXPLANATION + "\n".join(lines) + TAIL)
    for old in folder.glob(PNG.replace("{:03d}", "*")):
        old.unlink()
    pictures = []
    for number, start in enumerate(range(0, len(entries), ROWS_PER_PNG)):
        picture = folder / PNG.format(number)
        _picture(folder, entries[start : start + ROWS_PER_PNG]).save(picture)
        pictures.append(picture)
    return [page, *pictures]


def state_of(entry: Mapping[str, Any]) -> str:
    """``"left-out"``, ``"unsure"`` or ``"fine"``."""
    if entry["status"] != "kept":
        return "left-out"
    return "unsure" if (entry.get("track_confidence") or 0.0) < UNSURE else "fine"


def caption(entry: Mapping[str, Any]) -> str:
    """What a row says of its volume.

    Example:
        >>> caption({"subject": "ann", "status": "kept", "reason": "", "track_confidence": 0.83, "grade": 3.9, "patches": 110})
        'ann: kept, confidence 0.83, grade 3.9, 110 patches'
    """
    parts = [f"{entry[Field.SUBJECT]}: {entry['status']}"]
    for name, text in (
        ("track_confidence", "confidence {:.2f}"),
        (Field.GRADE, "grade {:.1f}"),
        ("patches", "{} patches"),
    ):
        if entry.get(name) is not None:
            parts.append(text.format(entry[name]))
    return ", ".join(parts)


def _summary(entries: Sequence[Mapping[str, Any]]) -> str:
    states = [state_of(entry) for entry in entries]
    counts = {name: states.count(name) for name in ("fine", "unsure", "left-out")}
    parts = f"{counts['fine']} kept, {counts['unsure']} kept and unsure, {counts['left-out']} left out"
    return f"<p>{len(entries)} volumes: {parts}.</p>"


def _row(entry: Mapping[str, Any]) -> str:
    text = html.escape(caption(entry))
    if entry.get("reason"):
        text += f"<br>{html.escape(entry['reason'])}"
    image = ""
    if entry.get("row"):
        tiles = html.escape(json.dumps(entry.get("tiles", [])), quote=True)
        name = html.escape(Path(str(entry[Field.IMAGE])).name, quote=True)
        subject = html.escape(str(entry[Field.SUBJECT]), quote=True)
        image = (
            f'<img loading="lazy" src="{entry["row"]}" data-tiles="{tiles}" data-subject="{subject}" data-image="{name}" '
            f'alt="{subject}">'
        )
    return f'<tr class="{state_of(entry)}"><td>{text}{image}</td></tr>'


def _picture(folder: Path, entries: Sequence[Mapping[str, Any]]) -> Image.Image:
    rows = []
    for entry in entries:
        path = folder / str(entry.get("row") or "")
        picture = None
        if entry.get("row") and path.exists():
            with Image.open(path) as file:
                picture = file.convert("RGB")
        rows.append((caption(entry) + (f"; {entry['reason']}" if entry.get("reason") else ""), picture))
    width = max([600, *(picture.width for _, picture in rows if picture)])
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


def _write_text(path: Path, text: str) -> None:
    unfinished = path.with_name(path.name + UNFINISHED)
    unfinished.write_text(text, encoding="utf-8")
    os.replace(unfinished, path)
