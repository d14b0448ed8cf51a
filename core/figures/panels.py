"""Small multiples: a grid of panels on one canvas, each with axes of its own and a caption above it."""

from __future__ import annotations

from dataclasses import dataclass

from core.figures.canvas import Canvas
from core.figures.theme import INK


@dataclass(frozen=True)
class Panel:
    """Axis names of one panel, as a trace names them (``"x2"``, ``"y2"``)."""

    x: str
    y: str

    @property
    def x_layout(self) -> str:
        """The x axis as the layout names it."""
        return "xaxis" + self.x[1:]

    @property
    def y_layout(self) -> str:
        """The y axis as the layout names it."""
        return "yaxis" + self.y[1:]


def panel_grid(
    figure: Canvas, captions: list[list[str]], gap_x: float = 0.06, gap_y: float = 0.14
) -> list[list[Panel]]:
    """Lay out one panel for every caption, row by row from the top; gaps are shares of the drawing."""
    rows, columns = len(captions), len(captions[0])
    width = (1 - gap_x * (columns - 1)) / columns
    height = (1 - gap_y * (rows - 1)) / rows
    panels = []
    for r in range(rows):
        line = []
        for c in range(columns):
            number = r * columns + c + 1
            suffix = "" if number == 1 else str(number)
            panel = Panel(f"x{suffix}", f"y{suffix}")
            left, bottom = c * (width + gap_x), 1 - r * (height + gap_y) - height
            figure.update_layout(
                **{
                    panel.x_layout: {"domain": [left, left + width], "anchor": panel.y},
                    panel.y_layout: {"domain": [max(0.0, bottom), bottom + height], "anchor": panel.x},
                }
            )
            figure.add_annotation(
                x=left, xref="paper", xanchor="left", y=bottom + height, yref="paper", yanchor="bottom", yshift=4,
                text=captions[r][c], font={"size": 12, "color": INK}, showarrow=False,
            )  # fmt: skip
            line.append(panel)
        panels.append(line)
    return panels
