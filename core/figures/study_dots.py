"""A study of one setting: the C-index of every row under both protocols, and what a paper printed."""

from __future__ import annotations

from dataclasses import dataclass

import plotly.graph_objects as go

from core.figures.canvas import Canvas
from core.figures.theme import ACCENT, GROUP_COLOURS, INK, MUTED, titled

ROW_PX = 34


@dataclass(frozen=True)
class StudyRow:
    """C-index and its standard deviation over folds under each protocol; ``paper`` is None where it prints none."""

    label: str
    honest: tuple[float, float]
    optimistic: tuple[float, float]
    paper: float | None = None


def study_dots(rows: list[StudyRow], title: str, subtitle: str, synthetic: bool = False) -> go.Figure:
    """One line a row: filled = honest, open = optimistic, cross = the paper."""
    figure = Canvas()
    labels = [row.label for row in rows]
    series = (("honest", ACCENT, "circle", -0.12), ("optimistic", GROUP_COLOURS[1], "circle-open", 0.12))
    places = list(range(len(rows)))
    for name, colour, symbol, shift in series:
        values = [getattr(row, name) for row in rows]
        figure.add_scatter(
            x=[v for v, _ in values], y=[p + shift for p in places], mode="markers", name=name,
            marker={"color": colour, "symbol": symbol, "size": 10, "line": {"width": 2}},
            error_x={"type": "data", "array": [sd for _, sd in values], "color": colour, "thickness": 1.2, "width": 0},
            hovertemplate="%{x:.3f}<extra></extra>",
        )  # fmt: skip
    known = [(p, row.paper) for p, row in zip(places, rows, strict=True) if row.paper is not None]
    figure.add_scatter(
        x=[v for _, v in known], y=[p for p, _ in known], mode="markers", name="paper (optimistic, other inputs)",
        marker={"color": INK, "symbol": "x-thin", "size": 9, "line": {"width": 2, "color": INK}},
        hovertemplate="%{x:.3f}<extra></extra>",
    )  # fmt: skip
    figure.add_shape(type="line", x0=0.5, x1=0.5, yref="paper", y0=0, y1=1, line={"color": MUTED, "dash": "dot"})
    titled(figure, title, subtitle, synthetic, 170 + len(rows) * ROW_PX)
    figure.update_layout(
        showlegend=True, legend={"orientation": "h", "x": 0, "y": 1.0, "yanchor": "bottom"},
        margin={"l": 230, "r": 20, "t": 110, "b": 50}, xaxis={"title": {"text": "C-index"}, "tickformat": ".2f"},
        yaxis={"tickvals": places, "ticktext": labels, "range": [len(rows) - 0.5, -0.5], "showgrid": False},
    )  # fmt: skip
    return figure.figure()
