"""Figures of an audit's gate: against the measured burden, beside the controls, and from seed to seed."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from core.analysis.audit_tables import THIS_RUN, associations
from core.analysis.comparisons import interval, p_value
from core.figures.canvas import Canvas
from core.figures.theme import ACCENT, INK, MUTED, titled
from core.results.audit import Association, AuditReport, Stability
from core.statistics.rank_interval import spearman_interval

TOP_PX, BOTTOM_PX, ROW_PX, NAME_PX = 84, 56, 46, 210
PLOT_PX = 330


def weight_figure(report: AuditReport, gate: Association) -> go.Figure:
    """Mean tumour weight with its 95 % interval in each fifth of the measured tumour-over-liver burden."""
    figure = Canvas()
    x = list(range(1, len(gate.bins) + 1))
    reach = [1.96 * b.error for b in gate.bins]
    ends = [v for b, r in zip(gate.bins, reach, strict=True) for v in (b.weight - r, b.weight + r)]
    low, high = min([*ends, 0.5]), max([*ends, 0.5])
    pad = max(0.18 * (high - low), 0.02)
    figure.add_shape(type="line", xref="paper", yref="y", x0=0, x1=1, y0=0.5, y1=0.5,
                     line={"color": MUTED, "width": 1.2, "dash": "dot"}, layer="below")  # fmt: skip
    figure.add_scatter(
        x=x, y=[b.weight for b in gate.bins], mode="lines+markers", line={"color": ACCENT, "width": 1.6},
        marker={"size": 10, "color": ACCENT, "symbol": "circle"},
        error_y={"type": "data", "array": reach, "color": ACCENT, "thickness": 1.6, "width": 5},
        hovertext=[f"{b.patients:,} patients: mean weight {b.weight:.2f}" for b in gate.bins],
        hovertemplate="%{hovertext}<extra></extra>", cliponaxis=False,
    )  # fmt: skip
    names = [str(i) for i in x]
    names[0], names[-1] = "mostly<br>liver disease", "mostly<br>tumour"
    figure.update_layout(
        margin={"l": 72, "r": 24, "t": TOP_PX, "b": 76}, dragmode=False,
        xaxis={"title": "Fifths of the patients by measured burden", "tickvals": x, "ticktext": names,
               "range": [0.6, len(x) + 0.4], "showgrid": False},
        yaxis={"title": "Mean weight of the tumour expert", "range": [low - pad, high + pad], "nticks": 6},
    )  # fmt: skip
    subtitle = f"n {gate.patients:,} · out of fold · 95 % intervals"
    titled(figure, "Weight of the tumour expert by measured burden", subtitle, report.synthetic, TOP_PX + 76 + PLOT_PX)
    return figure.figure()


def association_figure(report: AuditReport) -> go.Figure:
    """Rank correlation of the tumour weight with the measured burden, the run first, then its controls."""
    figure = Canvas()
    rows = associations(report)
    for at, (name, gate) in enumerate(rows):
        _row(
            figure, at, f"<b>{name}</b>" if name == THIS_RUN else name, gate.correlation,
            spearman_interval(gate.correlation, gate.patients), p_value(gate.p),
        )  # fmt: skip
    _rows_layout(figure, len(rows), "Rank correlation of weight and burden")
    subtitle = f"n {max(g.patients for _, g in rows):,} · 95 % intervals"
    titled(figure, "Does the gate follow the markers?", subtitle, report.synthetic, _height(len(rows)))
    figure.update_yaxes(ticks="", linecolor="rgba(0,0,0,0)")
    return figure.figure()


def stability_figure(report: AuditReport, stability: Stability) -> go.Figure:
    """Agreement of the seeds on the same test patients: mean, and the range that holds 95 % of the pairs."""
    figure = Canvas()
    s = stability
    _row(figure, 0, "weight (rank correlation)", s.rank_correlation, (s.rank_low, s.rank_high))
    _row(figure, 1, "groups (adjusted Rand)", s.rand_index, (s.rand_low, s.rand_high))
    _rows_layout(figure, 2, "Agreement (1 = the same in every seed)")
    subtitle = f"{s.pairs} pairs of seeds, {report.folds} folds · bars hold 95 % of the pairs"
    titled(figure, "Do other seeds find the same?", subtitle, report.synthetic, _height(2))
    figure.update_yaxes(ticks="", linecolor="rgba(0,0,0,0)")
    return figure.figure()


def _height(rows: int) -> int:
    return TOP_PX + BOTTOM_PX + ROW_PX * max(rows, 2)


def _rows_layout(figure: Canvas, rows: int, title: str) -> None:
    figure.add_shape(type="line", xref="x", yref="paper", x0=0, x1=0, y0=0, y1=1,
                     line={"color": MUTED, "width": 1.4, "dash": "dot"}, layer="below")  # fmt: skip
    figure.update_layout(
        margin={"l": NAME_PX, "r": 24, "t": TOP_PX, "b": BOTTOM_PX}, dragmode=False,
        xaxis={"title": title, "range": [-1.05, 1.05], "nticks": 6, "tickangle": 0},
        yaxis={"range": [max(rows, 2) - 0.5, -0.7], "showticklabels": False, "showgrid": False},
    )  # fmt: skip


def _row(figure: Canvas, at: int, name: str, value: float, ends: tuple[float, float], more: str = "") -> None:
    """A square with its interval, the numbers above it, its name at the left."""
    figure.add_annotation(x=0, xref="paper", xanchor="right", xshift=-14, y=at, showarrow=False, text=name)
    if not np.isfinite(value):
        figure.add_annotation(x=0, y=at, text="not estimable", showarrow=False, font={"color": MUTED})
        return
    words = interval(value, *ends) + (f", {more}" if more else "")
    figure.add_scatter(
        x=[value], y=[at], mode="markers", marker={"symbol": "square", "size": 9, "color": ACCENT if not at else INK},
        error_x={"type": "data", "symmetric": False, "array": [ends[1] - value], "arrayminus": [value - ends[0]],
                 "color": ACCENT if not at else INK, "thickness": 1.6, "width": 5},
        hovertemplate=f"{words}<extra></extra>", cliponaxis=False,
    )  # fmt: skip
    # numbers stand inside the axes whatever the value: -1 and 1 would push them out
    middle = min(0.45, max(-0.45, value))
    figure.add_annotation(x=middle, y=at, yshift=16, showarrow=False, text=words, bgcolor="white",
                          borderpad=0, font={"size": 12, "color": INK})  # fmt: skip
