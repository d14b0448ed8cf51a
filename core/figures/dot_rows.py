"""Measured values with their intervals, one line a row, one colour a series."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import plotly.graph_objects as go

from core.figures.canvas import Canvas
from core.figures.theme import GROUP_COLOURS, MUTED, titled

ROW_PX = 30


@dataclass(frozen=True)
class Dot:
    """One value: its row, its series, and its interval where there is one."""

    row: str
    series: str
    value: float
    low: float | None = None
    high: float | None = None


def dot_rows(dots: Sequence[Dot], title: str, subtitle: str, axis: str, line: float | None = None) -> go.Figure:
    """Rows from top to bottom in the order of ``dots``; ``line`` a value to read them against."""
    figure = Canvas()
    rows, names = (list(dict.fromkeys(getattr(d, k) for d in dots)) for k in ("row", "series"))
    for i, name in enumerate(names):
        mine = [d for d in dots if d.series == name]
        shift = 0.0 if len(names) == 1 else 0.36 * (i / (len(names) - 1) - 0.5)
        figure.add_scatter(
            x=[d.value for d in mine], y=[rows.index(d.row) + shift for d in mine], mode="markers", name=name,
            marker={"color": GROUP_COLOURS[i % len(GROUP_COLOURS)], "size": 9,
                    "symbol": ("circle", "diamond", "square", "circle-open")[i % 4], "line": {"width": 1.5}},
            error_x={"type": "data", "symmetric": False, "thickness": 1.2, "width": 0,
                     "color": GROUP_COLOURS[i % len(GROUP_COLOURS)],
                     "array": [0.0 if d.high is None else d.high - d.value for d in mine],
                     "arrayminus": [0.0 if d.low is None else d.value - d.low for d in mine]},
            hovertemplate="%{x:.3f}<extra></extra>",
        )  # fmt: skip
    if line is not None:
        figure.add_shape(type="line", x0=line, x1=line, yref="paper", y0=0, y1=1, layer="below",
                         line={"color": MUTED, "dash": "dot", "width": 1.2})  # fmt: skip
    titled(figure, title, subtitle, False, 170 + len(rows) * ROW_PX)
    figure.update_layout(
        showlegend=len(names) > 1, legend={"orientation": "h", "x": 0, "y": 1.0, "yanchor": "bottom"},
        margin={"l": 260, "r": 24, "t": 110, "b": 50}, xaxis={"title": {"text": axis}, "tickformat": ".2f"},
        yaxis={"tickvals": list(range(len(rows))), "ticktext": rows, "range": [len(rows) - 0.5, -0.5],
               "showgrid": False},
    )  # fmt: skip
    return figure.figure()
