"""HTML pages from the templates beside this file; nothing in them needs a network."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from monai_cardiac_gan.atomic import write_text

__all__ = ["Section", "write_page"]

_TEMPLATES = Environment(
    loader=PackageLoader("monai_cardiac_gan.reporting"), autoescape=True, undefined=StrictUndefined, trim_blocks=True
)


@dataclass(frozen=True)
class Section:
    """A part of a report.

    Attributes:
        title: its heading.
        text: plain text; line breaks are kept.
        images: paths relative to the page.
    """

    title: str
    text: str
    images: Sequence[str]


def write_page(path: Path, template: str, **values: Any) -> Path:
    """Fill a template and write the page; all values are escaped.

    Args:
        path: of the page.
        template: file in ``templates``.
        values: what the template shows, by name.

    Returns:
        The path.
    """
    return write_text(path, _TEMPLATES.get_template(template).render(**values))
