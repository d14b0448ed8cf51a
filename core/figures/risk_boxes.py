"""Predicted risk of those who died early and of those who lived on, cohort by cohort (HDMoE's Figure 8)."""

from __future__ import annotations

import plotly.graph_objects as go

from core.arrays import FloatArray
from core.figures.canvas import Canvas
from core.figures.theme import pen, titled


def risk_boxes(
    rows: dict[str, tuple[FloatArray, FloatArray]],
    names: tuple[str, str],
    axis: str,
    title: str,
    subtitle: str,
    synthetic: bool = False,
) -> go.Figure:
    """Two boxes a cohort; whiskers end at 1.5 interquartile ranges, points lie beyond.

    Parameters
    ----------
    rows : cohort → risks of the first and of the second group
    names : what the two groups are
    axis : words for the risk axis
    """
    figure = Canvas()
    for index, name in enumerate(names):
        ink = pen(1 - index)
        cohorts = [cohort for cohort, pair in rows.items() for _ in pair[index]]
        figure.add_box(
            x=cohorts, y=[float(v) for pair in rows.values() for v in pair[index]], name=name, offsetgroup=str(index),
            boxpoints="outliers", marker={"color": ink.colour, "size": 3},
            line={"color": ink.colour, "width": 1.6}, fillcolor=ink.faint(),
        )  # fmt: skip
    titled(figure, title, subtitle, synthetic, 460)
    figure.update_layout(
        boxmode="group", showlegend=True, legend={"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom"},
        margin={"l": 70, "r": 20, "t": 110, "b": 40}, yaxis={"title": {"text": axis}},
    )  # fmt: skip
    return figure.figure()
