"""One HTML page of sections with figures; no scripts, no network."""

from __future__ import annotations

import html
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Section", "write_page"]

HEAD = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>Expected and acquired aorta</title>
<style>
body { font-family: sans-serif; margin: 2em auto; max-width: 75em; padding: 0 1em; color: #222; }
img { max-width: 100%; margin: 0.5em 0; border: 1px solid #ddd; }
p { white-space: pre-line; }
.warning { background: #fff4d6; padding: 0.6em; }
</style>
</head>
<body>
<h1>Expected and acquired aorta</h1>
<p class="warning">Research software: not for diagnosis or any clinical decision.</p>
"""
FOOT = "</body>\n</html>\n"


@dataclass(frozen=True)
class Section:
    """A part of the page.

    Attributes:
        title: its heading.
        text: plain text; line breaks are kept.
        images: paths relative to the page.
    """

    title: str
    text: str
    images: Sequence[str]


def write_page(path: Path, sections: Sequence[Section]) -> Path:
    """Write the page so that nobody ever sees half of it; returns its path."""
    unfinished = path.with_name(f".{path.name}")
    unfinished.write_text(HEAD + "".join(_html(section) for section in sections) + FOOT, encoding="utf-8")
    os.replace(unfinished, path)
    return path


def _html(section: Section) -> str:
    images = "".join(
        f'<img src="{html.escape(str(name))}" alt="{html.escape(section.title)}">\n' for name in section.images
    )
    text = f"<p>{html.escape(section.text)}</p>\n" if section.text else ""
    return f"<h2>{html.escape(section.title)}</h2>\n{text}{images}"
