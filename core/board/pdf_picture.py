"""A picture as vectors on a PDF page."""

from __future__ import annotations

from typing import Any

from reportlab.lib.colors import HexColor
from reportlab.platypus import Flowable

from core.board.fonts import BOLD, PLAIN
from core.board.picture import Area, Circle, Line, Picture, Text


class Drawn(Flowable):  # type: ignore[misc]  # reportlab has no types
    """A :class:`Picture` that flows with the text; scaled down where the column is narrower."""

    def __init__(self, picture: Picture) -> None:
        super().__init__()
        self.picture = picture
        self.scale = 1.0

    def wrap(self, available_width: float, available_height: float) -> tuple[float, float]:
        """Size taken on the page."""
        self.scale = min(1.0, available_width / self.picture.width)
        return self.picture.width * self.scale, self.picture.height * self.scale

    def draw(self) -> None:
        """Draw every shape; the picture's y runs down, the page's up."""
        pen = self.canv
        pen.saveState()
        pen.scale(self.scale, self.scale)
        for shape in self.picture.shapes:
            pen.saveState()
            if isinstance(shape, Line):
                self._line(pen, shape)
            elif isinstance(shape, Area):
                self._area(pen, shape)
            elif isinstance(shape, Circle):
                pen.setStrokeColor(HexColor(shape.colour))
                pen.setFillColor(HexColor(shape.fill))
                pen.setLineWidth(shape.width)
                pen.circle(shape.x, self._up(shape.y), shape.radius, stroke=int(shape.width > 0), fill=1)
            else:
                self._text(pen, shape)
            pen.restoreState()
        pen.restoreState()

    def _up(self, y: float) -> float:
        return self.picture.height - y

    def _line(self, pen: Any, shape: Line) -> None:
        pen.setStrokeColor(HexColor(shape.colour))
        pen.setLineWidth(shape.width)
        if shape.dash:
            pen.setDash(list(shape.dash))
        pen.drawPath(self._path(pen, shape.points), stroke=1, fill=0)

    def _area(self, pen: Any, shape: Area) -> None:
        pen.setFillColor(HexColor(shape.colour))
        pen.setFillAlpha(shape.opacity)
        path = self._path(pen, shape.points)
        path.close()
        pen.drawPath(path, stroke=0, fill=1)

    def _path(self, pen: Any, points: tuple[tuple[float, float], ...]) -> Any:
        path = pen.beginPath()
        path.moveTo(points[0][0], self._up(points[0][1]))
        for x, y in points[1:]:
            path.lineTo(x, self._up(y))
        return path

    def _text(self, pen: Any, shape: Text) -> None:
        pen.setFillColor(HexColor(shape.colour))
        pen.setFont(BOLD if shape.bold else PLAIN, shape.size)
        draw = {"start": pen.drawString, "middle": pen.drawCentredString, "end": pen.drawRightString}[shape.anchor]
        draw(shape.x, self._up(shape.y), shape.text)
