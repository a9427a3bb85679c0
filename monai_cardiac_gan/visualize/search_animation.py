"""Animations: how an image changes in the course of its search."""

from __future__ import annotations

import importlib.util
import io
from pathlib import Path

import imageio.v3 as imageio
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from monai_cardiac_gan.atomic import atomic_file, atomic_path
from monai_cardiac_gan.inferers import InpaintedPatch
from monai_cardiac_gan.visualize.display import as_array, to_display
from monai_cardiac_gan.visualize.panels import MASK

__all__ = ["write_search_gif", "write_search_video"]

SCALE = 2
"""Screen pixels per pixel of a patch."""
GAP, HEADER = 6, 22
"""Screen pixels between two panels, and above them for the titles."""
GREYS = 94
"""Colours of the palette that are greys; two more are for the frame of the mask and the letters. Steps of a hundredth are not
seen, and 254 greys take twice the bytes."""
LARGEST_GIF = 1_000_000
"""Bytes; what mail and web pages bear. A hundred frames of a patch of 128 pixels take about three times as much."""
SHORTEST_MS = 10
FRAME, TEXT = GREYS, GREYS + 1
TITLES = ("acquired", "masked", "generated", "inpainted")


def write_search_gif(
    patch: InpaintedPatch, path: str | Path, frame_ms: int = 80, max_bytes: int | None = LARGEST_GIF
) -> Path:
    """Acquired, masked, generated and inpainted patch, a frame for each snapshot of the best search or drawn answer.

    Where all snapshots would take more than `max_bytes`, evenly spaced ones are shown, each for longer, the first and the last
    among them.

    The mask is framed in the generated image, which is shown as a whole. Radiological convention: the front is up, the
    patient's left at the right.

    Args:
        patch: of a search.
        path: where the GIF is written; its folder is made.
        frame_ms: time that each snapshot stands, ms; GIF knows steps of 10.
        max_bytes: largest size of the file; None shows all snapshots.

    Returns:
        The path.

    Raises:
        ValueError: when a frame would stand for less than 10 ms.
    """
    if frame_ms < SHORTEST_MS:
        raise ValueError(
            f"each frame stands for {frame_ms} ms: expected at least {SHORTEST_MS}, the shortest time that GIF knows."
        )
    frames = _frames(patch)
    content = _encoded(frames, len(frames), frame_ms)
    shown = len(frames)
    while max_bytes is not None and len(content) > max_bytes and shown > 2:
        shown = max(2, min(shown - 1, int(shown * max_bytes / len(content))))
        content = _encoded(frames, shown, frame_ms)
    path = Path(path)
    with atomic_file(path) as file:
        file.write(content)
    return path


def _encoded(frames: list[Image.Image], count: int, frame_ms: int) -> bytes:
    """A GIF of so many of the frames, evenly spaced, which lasts as long as all of them."""
    chosen = [frames[index] for index in np.linspace(0, len(frames) - 1, count).round().astype(int)]
    lasts = max(SHORTEST_MS, round(frame_ms * len(frames) / count / SHORTEST_MS) * SHORTEST_MS)
    file = io.BytesIO()
    # optimising would renumber the palette and could drop the colours of frame and letters
    chosen[0].save(file, format="GIF", save_all=True, append_images=chosen[1:], duration=lasts, loop=0, optimize=False)
    return file.getvalue()


def write_search_video(patch: InpaintedPatch, path: str | Path, frames_per_second: int = 12) -> Path:
    """What `write_search_gif` shows, as an MP4 (H.264) for slides; needs ffmpeg, which the extra ``video`` brings.

    Args:
        patch: of a search.
        path: where the MP4 is written; its folder is made.
        frames_per_second: snapshots shown in a second.

    Returns:
        The path.

    Raises:
        ValueError: when no frame would be shown in a second.
        ImportError: when ffmpeg is missing.
    """
    if frames_per_second < 1:
        raise ValueError(f"{frames_per_second} frames per second: expected at least 1.")
    if importlib.util.find_spec("imageio_ffmpeg") is None:
        raise ImportError(
            f"{path}: a video needs ffmpeg; pip install 'monai_cardiac_gan[video]', or write a GIF instead."
        )
    frames = np.stack([_even(np.asarray(frame.convert("RGB"))) for frame in _frames(patch)])
    path = Path(path)
    with atomic_path(path) as unfinished:
        imageio.imwrite(unfinished, frames, plugin="FFMPEG", fps=frames_per_second, macro_block_size=2)
    return path


def _even(frame: np.ndarray) -> np.ndarray:
    """H.264 knows even sides only."""
    return np.pad(frame, [(0, frame.shape[0] % 2), (0, frame.shape[1] % 2), (0, 0)])


def _frames(patch: InpaintedPatch) -> list[Image.Image]:
    acquired, hidden = _grey((_upright(as_array(patch.acquired)) + 1) / 2), _upright(as_array(patch.mask)) > 0
    frames, counted = [], "iteration" if patch.is_searched else "answer"
    for snapshot, iteration in zip(patch.snapshots, patch.snapshot_iterations.tolist(), strict=True):
        generated = _grey(_upright(as_array(snapshot)) / 255)
        inpainted = np.where(hidden, generated, acquired)
        masked = np.where(hidden, GREYS // 2, acquired)
        frames.append(_frame([acquired, masked, generated, inpainted], hidden, f"{counted} {iteration}"))
    return frames


def _upright(image: np.ndarray) -> np.ndarray:
    """Displayed patch with its first row at the top, as Pillow counts."""
    return to_display(image)[::-1]


def _grey(share: np.ndarray) -> np.ndarray:
    return (np.clip(share, 0, 1) * (GREYS - 1)).round().astype(np.uint8)


def _frame(panels: list[np.ndarray], hidden: np.ndarray, note: str) -> Image.Image:
    height, width = (SCALE * side for side in hidden.shape)
    frame = Image.new("P", (len(panels) * (width + GAP) - GAP, height + HEADER))
    frame.putpalette(_palette())
    draw = ImageDraw.Draw(frame)
    font = ImageFont.load_default(13)
    for index, (panel, title) in enumerate(zip(panels, TITLES, strict=True)):
        left = index * (width + GAP)
        frame.paste(Image.fromarray(panel.repeat(SCALE, 0).repeat(SCALE, 1)), (left, HEADER))
        text = f"{title}, {note}" if title == "generated" else title
        draw.text((left + 4, 3), text, fill=TEXT, font=font)
        if title == "generated":
            draw.rectangle(_box(hidden, left), outline=FRAME)
    draw.text((4, HEADER + height // 2 - 8), "R", fill=TEXT, font=font)
    draw.text((width - 14, HEADER + height // 2 - 8), "L", fill=TEXT, font=font)
    return frame


def _box(hidden: np.ndarray, left: int) -> tuple[int, int, int, int]:
    """Left, top, right and bottom of the mask in a panel, screen pixels."""
    rows, columns = np.nonzero(hidden)
    right, bottom = left + SCALE * (int(columns.max()) + 1), HEADER + SCALE * (int(rows.max()) + 1)
    return left + SCALE * int(columns.min()) - 1, HEADER + SCALE * int(rows.min()) - 1, right, bottom


def _palette() -> list[int]:
    greys = np.linspace(0, 255, GREYS).round().astype(int).repeat(3).tolist()
    frame = [int(MASK[first : first + 2], 16) for first in (1, 3, 5)]
    return [*greys, *frame, 255, 255, 255]
