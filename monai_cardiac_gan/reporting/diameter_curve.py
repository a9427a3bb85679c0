"""Where everything of the diameter curve lies in a drawing, so that a template only has to draw it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise

from matplotlib.ticker import MaxNLocator

from monai_cardiac_gan.reporting.subject_results import LevelResult, Stretch, SubjectResults

__all__ = ["NARROW", "WIDE", "Curve", "diameter_curve", "kind_of"]

WIDE, NARROW = (1000, 400), (360, 330)
"""Width and height in drawing units, for a desk and for a telephone; letters are 12 units high."""
LEFT, RIGHT, TOP, BOTTOM = 44, 8, 12, 74
"""Margins for the axes' numbers and, below, the names of the levels in two rows."""
NICE_STEPS = [1, 2, 5, 10]
TICKS_APART = 70
"""Drawing units between two numbers of the horizontal axis, at least."""
VERTICAL_TICKS = 6
ROOM_MM = 1.0
"""Above the largest and below the smallest diameter."""
Value = Callable[[LevelResult], "float | None"]


@dataclass(frozen=True)
class Tick:
    """A number at an axis."""

    at: float
    label: str


@dataclass(frozen=True)
class Span:
    """A part of the horizontal axis: a stretch that differs, or levels of one name."""

    left: float
    right: float
    label: str


@dataclass(frozen=True)
class Point:
    """The acquired diameter of a level."""

    x: float
    y: float
    kind: str | None
    level: LevelResult


@dataclass(frozen=True)
class Normals:
    """Published range of one sex: SVG points of its ends."""

    sex: str
    low: tuple[str, ...]
    high: tuple[str, ...]


@dataclass(frozen=True)
class Curve:
    """A drawing of diameters over the height; lengths in drawing units from the upper left corner.

    Attributes:
        width: of the drawing.
        height: of the drawing.
        left: edge of the plot, as the next three.
        right: edge.
        top: edge.
        bottom: edge.
        first_mm: height at the left edge, mm below the top of the track.
        last_mm: height at the right edge.
        across: numbers of the horizontal axis.
        up: numbers of the vertical axis, mm.
        acquired: SVG points of lines; a level without a value makes a gap, as in the next two.
        expected: lines.
        band: polygons of the interval.
        normals: one for each sex.
        stretches: those that differ; the label is their kind.
        names: of levels.
        points: of acquired diameters.
    """

    width: int
    height: int
    left: float
    right: float
    top: float
    bottom: float
    first_mm: float
    last_mm: float
    across: tuple[Tick, ...]
    up: tuple[Tick, ...]
    acquired: tuple[str, ...]
    expected: tuple[str, ...]
    band: tuple[str, ...]
    normals: tuple[Normals, ...]
    stretches: tuple[Span, ...]
    names: tuple[Span, ...]
    points: tuple[Point, ...]


def kind_of(level: LevelResult, stretches: Sequence[Stretch]) -> str | None:
    """How a level differs from what is expected, of `AnswerKind`; None where it does not, or was not compared."""
    if not level.is_compared:
        return None
    return next((each.kind for each in stretches if each.from_mm <= level.mm_from_top <= each.to_mm), None)


def diameter_curve(results: SubjectResults, size: tuple[int, int] = WIDE) -> Curve | None:
    """The curve of a subject; None where no diameter was measured.

    Args:
        results: of the subject.
        size: width and height of the drawing.
    """
    levels = results.levels
    if not any(level.area_equivalent_mm is not None for level in levels):
        return None
    return _Drawing(levels, size).curve(results.answer.stretches)


class _Drawing:
    """Millimetres to drawing units."""

    def __init__(self, levels: Sequence[LevelResult], size: tuple[int, int]) -> None:
        self.levels, (self.width, self.height) = levels, size
        self.right, self.bottom = self.width - RIGHT, self.height - BOTTOM
        heights = [level.mm_from_top for level in levels]
        self.room_mm = _apart(heights) / 2
        self.first_mm, self.last_mm = min(heights) - self.room_mm, max(heights) + self.room_mm
        diameters = [value for level in levels for value in _diameters(level) if value is not None]
        self.low, self.high = min(diameters) - ROOM_MM, max(diameters) + ROOM_MM

    def x(self, mm_from_top: float) -> float:
        share = (mm_from_top - self.first_mm) / (self.last_mm - self.first_mm)
        return round(LEFT + share * (self.right - LEFT), 2)

    def y(self, diameter_mm: float) -> float:
        return round(self.bottom - (diameter_mm - self.low) / (self.high - self.low) * (self.bottom - TOP), 2)

    def curve(self, stretches: Sequence[Stretch]) -> Curve:
        across = _ticks(self.first_mm, self.last_mm, max(2, int(self.width / TICKS_APART)))
        return Curve(
            self.width, self.height, LEFT, self.right, TOP, self.bottom, self.first_mm, self.last_mm,
            across=tuple(Tick(self.x(value), f"{value:g}") for value in across),
            up=tuple(Tick(self.y(value), f"{value:g}") for value in _ticks(self.low, self.high, VERTICAL_TICKS)),
            acquired=self.lines(lambda level: level.area_equivalent_mm),
            expected=self.lines(lambda level: level.expected_mm),
            band=self.band(),
            normals=tuple(self.normals(sex) for sex in _sexes(self.levels)),
            stretches=tuple(self.span(each.from_mm, each.to_mm, each.kind) for each in stretches),
            names=tuple(self.span(*each) for each in _names(self.levels, self.room_mm)),
            points=tuple(
                Point(self.x(level.mm_from_top), self.y(level.area_equivalent_mm), kind_of(level, stretches), level)
                for level in self.levels if level.area_equivalent_mm is not None
            ),
        )  # fmt: skip

    def lines(self, value: Value) -> tuple[str, ...]:
        return tuple(self.joined(run, value) for run in _runs(self.levels, value))

    def joined(self, levels: Sequence[LevelResult], value: Value) -> str:
        values = [(level.mm_from_top, value(level)) for level in levels]
        return " ".join(f"{self.x(height)},{self.y(found)}" for height, found in values if found is not None)

    def band(self) -> tuple[str, ...]:
        both = _runs(self.levels, lambda level: None if level.low_mm is None else level.high_mm)
        return tuple(
            f"{self.joined(run, lambda level: level.high_mm)} {self.joined(run[::-1], lambda level: level.low_mm)}"
            for run in both
        )

    def normals(self, sex: str) -> Normals:
        def line(name: str) -> tuple[str, ...]:
            return self.lines(
                lambda level: next((getattr(each, name) for each in level.normals if each.sex == sex), None)
            )

        return Normals(sex, line("low_mm"), line("high_mm"))

    def span(self, first_mm: float, last_mm: float, label: str) -> Span:
        return Span(self.x(max(first_mm, self.first_mm)), self.x(min(last_mm, self.last_mm)), label)


def _apart(heights: Sequence[float]) -> float:
    """Usual distance of two levels, mm."""
    steps = sorted(later - earlier for earlier, later in pairwise(heights))
    return steps[len(steps) // 2] if steps else 1.0


def _diameters(level: LevelResult) -> Iterator[float | None]:
    yield from (level.area_equivalent_mm, level.expected_mm, level.low_mm, level.high_mm)
    for each in level.normals:
        yield from (each.low_mm, each.high_mm)


def _ticks(low: float, high: float, count: int) -> list[float]:
    return [
        float(value) for value in MaxNLocator(count, steps=NICE_STEPS).tick_values(low, high) if low <= value <= high
    ]


def _runs(levels: Sequence[LevelResult], value: Value) -> Iterator[list[LevelResult]]:
    """Neighbouring levels that have a value."""
    return (list(run) for known, run in groupby(levels, lambda level: value(level) is not None) if known)


def _sexes(levels: Sequence[LevelResult]) -> list[str]:
    return sorted({each.sex for level in levels for each in level.normals})


def _names(levels: Sequence[LevelResult], room_mm: float) -> Iterator[tuple[float, float, str]]:
    """Ends of neighbouring levels of one name, half the way to the next level at either side."""
    for name, run in groupby(levels, lambda level: level.name):
        heights = [level.mm_from_top for level in run]
        yield heights[0] - room_mm, heights[-1] + room_mm, name
