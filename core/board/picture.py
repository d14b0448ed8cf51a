"""A drawing as plain shapes, made once and written as SVG for the screen and as vectors for the PDF.

Coordinates run right and down from the top left corner, in points.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

INK, MUTED, ACCENT, WARNING, GRID, WHITE = "#17282B", "#55676B", "#0B5D66", "#9A3B00", "#E1E9EA", "#FFFFFF"
STAGE = "#D55E00"
Anchor = Literal["start", "middle", "end"]


@dataclass(frozen=True)
class Line:
    """A polyline through ``points``; ``dash`` lengths on and off, empty = solid."""

    points: tuple[tuple[float, float], ...]
    colour: str = INK
    width: float = 1.0
    dash: tuple[float, ...] = ()


@dataclass(frozen=True)
class Area:
    """A filled polygon without an outline; ``opacity`` 0..1."""

    points: tuple[tuple[float, float], ...]
    colour: str
    opacity: float = 1.0


@dataclass(frozen=True)
class Circle:
    """A disc, or a ring where ``fill`` is white."""

    x: float
    y: float
    radius: float
    colour: str
    fill: str
    width: float = 0.0


@dataclass(frozen=True)
class Text:
    """One line of text whose baseline is at ``y``."""

    x: float
    y: float
    text: str
    size: float
    colour: str = INK
    anchor: Anchor = "start"
    bold: bool = False


Shape = Line | Area | Circle | Text


@dataclass(frozen=True)
class Picture:
    """``alt`` says in words what is drawn."""

    width: float
    height: float
    alt: str
    shapes: tuple[Shape, ...]


@dataclass
class Plot:
    """Axes inside a picture under construction: data coordinates to points.

    ``left``, ``top``, ``right``, ``bottom`` margins · ``x_range``, ``y_range`` (low, high) of the data · ``font`` size
    of the labels in points.
    """

    width: float
    height: float
    x_range: tuple[float, float]
    y_range: tuple[float, float]
    font: float = 9.0
    margins: tuple[float, float, float, float] = (44, 12, 14, 34)
    shapes: list[Shape] = field(default_factory=list)

    def x(self, value: float) -> float:
        """Points from the left."""
        left, _, right, _ = self.margins
        low, high = self.x_range
        return left + (value - low) / (high - low) * (self.width - left - right)

    def y(self, value: float) -> float:
        """Points from the top."""
        _, top, _, bottom = self.margins
        low, high = self.y_range
        return self.height - bottom - (value - low) / (high - low) * (self.height - top - bottom)

    def axes(
        self, x_ticks: Sequence[tuple[float, str]], y_ticks: Sequence[tuple[float, str]], x_title: str, y_title: str
    ) -> None:
        """Grid, ticks and titles; the y title stands above the axis, where it is read without turning the head."""
        left, top, right, bottom = self.margins
        base = self.height - bottom
        for value, words in y_ticks:
            self.shapes.append(Line(((left, self.y(value)), (self.width - right, self.y(value))), GRID, 0.7))
            self.shapes.append(Text(left - 5, self.y(value) + self.font * 0.36, words, self.font, MUTED, "end"))
        for value, words in x_ticks:
            self.shapes.append(Line(((self.x(value), base), (self.x(value), base + 3)), MUTED, 0.8))
            self.shapes.append(Text(self.x(value), base + 4 + self.font, words, self.font, MUTED, "middle"))
        self.shapes.append(Line(((left, base), (self.width - right, base)), MUTED, 0.9))
        middle = left + (self.width - left - right) / 2
        self.shapes.append(Text(middle, self.height - 0.32 * self.font, x_title, self.font, MUTED, "middle"))
        self.shapes.append(Text(2, max(self.font, top - 1.15 * self.font), y_title, self.font, MUTED))

    def curve(
        self, points: Sequence[tuple[float, float]], colour: str, width: float, dash: tuple[float, ...] = ()
    ) -> None:
        """A line through data points."""
        self.shapes.append(Line(tuple((self.x(x), self.y(y)) for x, y in points), colour, width, dash))

    def area(self, points: Sequence[tuple[float, float]], colour: str, opacity: float) -> None:
        """A filled polygon through data points."""
        self.shapes.append(Area(tuple((self.x(x), self.y(y)) for x, y in points), colour, opacity))

    def label(self, x: float, y: float, text: str, **how: object) -> None:
        """Text at a data point; ``how`` as in :class:`Text`, with ``dx`` and ``dy`` in points."""
        dx, dy = float(str(how.pop("dx", 0))), float(str(how.pop("dy", 0)))
        size = float(str(how.pop("size", self.font)))
        self.shapes.append(Text(self.x(x) + dx, self.y(y) + dy, text, size, **how))  # type: ignore[arg-type]

    def picture(self, alt: str) -> Picture:
        """The finished drawing."""
        return Picture(self.width, self.height, alt, tuple(self.shapes))
