"""Figures of an audit's markers: what each expert knows of them, and the run beside its controls."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import plotly.graph_objects as go

from core.analysis.audit_tables import THIS_RUN
from core.analysis.audit_verdicts import LEVEL
from core.analysis.comparisons import interval, p_value
from core.figures.canvas import Canvas
from core.figures.theme import ACCENT, FAINT, INK, MUTED, pen, shortened, titled
from core.results.audit import AuditReport, Difference, MarkerRow, Selectivity

ROW_PX, HEAD_PX = 30, 34
TOP_PX, BOTTOM_PX = 108, 56
NAME_PX, WORDS_PX = 190, 150


def block_order(report: AuditReport) -> tuple[str, ...]:
    """The blocks that were tested, the tumour first, as everywhere on the page."""
    return tuple(b for b in report.factors[::-1] if b in report.selectivity)


def marker_figure(report: AuditReport, label: Callable[[str], str]) -> go.Figure:
    """Paired dots: R² of each marker from its own expert (filled) and from the other one (open), by block.

    The corrected p of the difference stands at the right, in bold where it is below 0.05.
    """
    figure = Canvas()
    rows = [(b, [m for m in report.markers if m.block == b]) for b in block_order(report)]
    height, place = 0.0, dict[str, float]()
    heads: list[tuple[str, float]] = []
    for block, markers in rows:
        heads.append((block, height))
        for marker in sorted(markers, key=lambda m: m.other - m.own):
            height += 1
            place[marker.marker] = height
        height += 1.25
    for block, at in heads:
        _head(figure, f"{block} markers", at)
    _pairs(figure, [(m, place[m.marker]) for _, markers in rows for m in markers], label)
    figure.update_layout(
        margin={"l": NAME_PX, "r": WORDS_PX, "t": TOP_PX, "b": BOTTOM_PX},
        xaxis={"title": "Share of the marker’s variation predicted out of fold (R²)", "nticks": 7,
               "range": _limits([v for m in report.markers for v in (m.own, m.other)])},
        yaxis={"range": [height - 0.6, -0.6], "showticklabels": False, "showgrid": False}, dragmode=False,
    )  # fmt: skip
    _line_at_zero(figure, "x")
    subtitle = f"{_sizes(report)} · p corrected over all markers (Benjamini-Hochberg)"
    title = "How well each expert knows the markers"
    titled(figure, title, subtitle, report.synthetic, TOP_PX + BOTTOM_PX + round(ROW_PX * (height + 0.2)))
    figure.update_yaxes(ticks="", linecolor="rgba(0,0,0,0)")
    figure.update_layout(
        showlegend=True, legend={"orientation": "h", "x": 0, "y": 1, "yanchor": "bottom", "font": {"size": 13}}
    )
    return figure.figure()


def _pairs(figure: Canvas, placed: Sequence[tuple[MarkerRow, float]], label: Callable[[str], str]) -> None:
    kinds = (("expert of the marker’s own block", True), ("other expert", False))
    for marker, at in placed:
        figure.add_shape(type="line", x0=marker.other, x1=marker.own, y0=at, y1=at,
                         line={"color": FAINT, "width": 3}, layer="between")  # fmt: skip
        _beside(figure, shortened(label(marker.marker), 26), at)
        words = p_value(marker.p_corrected)
        words = f"<b>{words}</b>" if marker.p_corrected < LEVEL else words
        figure.add_annotation(x=1, xref="paper", xanchor="left", xshift=12, y=at, showarrow=False,
                              text=f"{words} · n {marker.patients:,}", font={"size": 12})  # fmt: skip
    for name, own in kinds:
        figure.add_scatter(
            x=[m.own if own else m.other for m, _ in placed], y=[at for _, at in placed], mode="markers", name=name,
            marker={"size": 11, "symbol": "circle" if own else "circle-open", "color": ACCENT if own else MUTED,
                    "line": {"width": 2, "color": ACCENT if own else MUTED}},
            hovertext=[f"{label(m.marker)}, {name}: R² {interval(m.own if own else m.other, None, None)}"
                       for m, _ in placed],
            hovertemplate="%{hovertext}<extra></extra>", cliponaxis=False,
        )  # fmt: skip


def control_figure(report: AuditReport) -> go.Figure:
    """Forest style: selectivity of the run and of its controls at the left, run minus control at the right.

    The differences are paired over folds and seeds, with 95 % intervals and p corrected by Holm's method.
    """
    figure = Canvas()
    height = 0.0
    for index, block in enumerate(block_order(report)):
        _head(figure, f"{block} expert", height)
        rows: list[tuple[str, Selectivity, Difference | None]] = [(THIS_RUN, report.selectivity[block], None)]
        rows += [(c.title, c.selectivity[block], c.differences.get(block))
                 for c in report.controls if block in c.selectivity]  # fmt: skip
        for title, found, difference in rows:
            height += 1
            _beside(figure, f"<b>{title}</b>" if difference is None else title, height)
            _value(figure, found, height, pen(index).colour, difference is None)
            _difference(figure, difference, height)
        height += 1.4
    values = [s.value for s in (*report.selectivity.values(), *(s for c in report.controls for s in
                                                                  c.selectivity.values()))]  # fmt: skip
    ends = [v for c in report.controls for d in c.differences.values() for v in (d.low, d.high)]
    figure.update_layout(
        margin={"l": 210, "r": 24, "t": 84, "b": BOTTOM_PX},
        xaxis={"domain": [0, 0.44], "title": "Selectivity (own − other R²)", "range": _limits(values, 0.28),
               "nticks": 5, "tickangle": 0},
        xaxis2={"domain": [0.54, 1], "anchor": "y", "title": "Run minus control (above 0: lost)",
                "range": _limits(ends), "nticks": 6, "tickangle": 0},
        yaxis={"range": [height - 0.8, -0.7], "showticklabels": False, "showgrid": False}, dragmode=False,
    )  # fmt: skip
    _line_at_zero(figure, "x")
    _line_at_zero(figure, "x2")
    subtitle = f"{report.folds} folds × {report.seeds} seeds, paired · 95 % intervals · Holm-corrected p"
    tall = 84 + BOTTOM_PX + round(46 * height)
    titled(figure, "Selectivity of the run and of its controls", subtitle, report.synthetic, tall)
    figure.update_yaxes(ticks="", linecolor="rgba(0,0,0,0)")
    return figure.figure()


def _value(figure: Canvas, found: Selectivity, at: float, colour: str, own: bool) -> None:
    words = f"{interval(found.value, None, None)}, {p_value(found.p)}"
    figure.add_scatter(
        x=[found.value], y=[at], mode="markers", cliponaxis=False, hovertemplate=f"Selectivity {words}<extra></extra>",
        marker={"size": 11, "symbol": "square" if own else "square-open", "color": colour,
                "line": {"width": 2, "color": colour}},
    )  # fmt: skip
    _above(figure, words, found.value, at, "x")


def _difference(figure: Canvas, d: Difference | None, at: float) -> None:
    if d is None or not np.isfinite(d.mean):
        return
    words = f"{interval(d.mean, d.low, d.high)}, {p_value(d.p_corrected)}"
    figure.add_scatter(
        x=[d.mean], y=[at], xaxis="x2", yaxis="y", mode="markers", cliponaxis=False,
        hovertemplate=f"Difference {words}<extra></extra>",
        marker={"size": 9, "symbol": "square", "color": INK},
        error_x={"type": "data", "symmetric": False, "array": [d.high - d.mean], "arrayminus": [d.mean - d.low],
                 "color": INK, "thickness": 1.6, "width": 5},
    )  # fmt: skip
    _above(figure, words, d.mean, at, "x2")


def _above(figure: Canvas, words: str, x: float, at: float, axis: str) -> None:
    """Numbers above their mark, readable where the line at zero passes."""
    figure.add_annotation(x=x, xref=axis, y=at, yref="y", yshift=16, showarrow=False, text=words, bgcolor="white",
                          borderpad=0, font={"size": 12, "color": INK})  # fmt: skip


def _head(figure: Canvas, text: str, at: float) -> None:
    figure.add_annotation(x=0, xref="paper", xanchor="right", xshift=-14, y=at, showarrow=False, align="right",
                          text=f"<b>{text[:1].upper()}{text[1:]}</b>", font={"color": ACCENT, "size": 14})  # fmt: skip


def _beside(figure: Canvas, text: str, at: float) -> None:
    figure.add_annotation(x=0, xref="paper", xanchor="right", xshift=-14, y=at, showarrow=False, align="right",
                          text=text)  # fmt: skip


def _line_at_zero(figure: Canvas, axis: str) -> None:
    figure.add_shape(type="line", xref=axis, yref="paper", x0=0, x1=0, y0=0, y1=1,
                     line={"color": MUTED, "width": 1.4, "dash": "dot"}, layer="below")  # fmt: skip


def _limits(values: Sequence[float], pad: float = 0.12) -> list[float]:
    """Axis limits around the values and zero."""
    known = [0.0, *(v for v in values if np.isfinite(v))]
    low, high = min(known), max(known)
    room = max(pad * (high - low), 0.02)
    return [low - room, high + room]


def _sizes(report: AuditReport) -> str:
    counts = [m.patients for m in report.markers]
    low, high = (min(counts), max(counts)) if counts else (0, 0)
    words = f"{low:,}" if low == high else f"{low:,} to {high:,}"
    return f"{words} patients a marker"
