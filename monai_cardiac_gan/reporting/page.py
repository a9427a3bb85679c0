"""HTML pages from the templates beside this file; nothing in them needs a network."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from monai_cardiac_gan.anomaly import AnswerKind
from monai_cardiac_gan.atomic import write_text

__all__ = ["Section", "write_page"]

PACKAGE = "monai_cardiac_gan.reporting"
UNKNOWN = "\N{EN DASH}"
"""Stands for a number that is not known."""


def asset(name: str) -> Markup:
    """A style sheet or script of ``assets``, to be put into a page as it is."""
    return Markup(files(PACKAGE).joinpath("assets", name).read_text(encoding="utf-8"))


def number(value: float | None, digits: int = 1, signed: bool = False) -> str:
    """A number as a page shows it; a dash where it is not known.

    Example:
        >>> number(22.04), number(0.5, 2, signed=True), number(None) == UNKNOWN, number(-0.01)
        ('22.0', '+0.50', True, '0.0')
    """
    if value is None:
        return UNKNOWN
    # adding zero turns a rounded -0.0 into 0.0
    return f"{round(float(value), digits) + 0.0:{'+' if signed else ''}.{digits}f}"


_TEMPLATES = Environment(
    loader=PackageLoader(PACKAGE), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
)
_TEMPLATES.globals |= {"asset": asset, "AnswerKind": AnswerKind}
_TEMPLATES.filters["number"] = number


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
