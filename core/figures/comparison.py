"""Figures of runs side by side: a metric with intervals and paired differences, and two runs patient by patient."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import plotly.graph_objects as go

from core.analysis.comparisons import interval
from core.analysis.metric_samples import Metric
from core.analysis.run_agreement import STATUS, Agreement
from core.analysis.run_comparison import Compared, RunComparison
from core.figures.canvas import Canvas
from core.figures.theme import ACCENT, INK, MARK, MUTED, pen, shortened, titled
from core.results.naming import OUT_OF_FOLD, badge
from core.statistics.estimate import Estimate

ROW_PX = 50
TOP_PX, BOTTOM_PX = 84, 58
NAME_PX = 250
SCATTER_PX = 440


def forest_figure(comparison: RunComparison, metric: Metric, names: Mapping[str, str]) -> go.Figure:
    """One row a run: on the left the metric with its interval, on the right the paired difference to the baseline."""
    figure = Canvas()
    rows = len(comparison.compared)
    heights = [float(rows - 1 - i) for i in range(rows)]
    baseline = comparison.of(comparison.baseline).values[metric.key].value
    if baseline is not None:
        _upright(figure, "x", baseline, MARK)
    _upright(figure, "x2", 0.0, MUTED)
    for item, height in zip(comparison.compared, heights, strict=True):
        _name(figure, item, names, comparison, height)
        _point(figure, item.values[metric.key], height, "x", ACCENT, metric.label)
        if item.run.id == comparison.baseline:
            _words(figure, "baseline", height, "x2")
        else:
            _point(figure, item.differences[metric.key], height, "x2", INK, "Difference")
    better, side = ("higher is better", "above 0") if metric.higher else ("lower is better", "below 0")
    figure.update_layout(
        margin={"l": NAME_PX, "r": 24, "t": TOP_PX, "b": BOTTOM_PX},
        xaxis={"domain": [0, 0.47], "title": f"{metric.label} ({better})", "nticks": 6, "tickangle": 0,
               "range": _range([c.values[metric.key] for c in comparison.compared], baseline)},
        xaxis2={"domain": [0.55, 1], "anchor": "y", "title": f"Run minus baseline ({side} is better)",
                "nticks": 6, "tickangle": 0,
                "range": _range([c.differences[metric.key] for c in comparison.compared if c.differences], 0.0)},
        dragmode=False, yaxis={"range": [-0.7, rows - 0.3], "showticklabels": False, "showgrid": False},
    )  # fmt: skip
    subtitle = f"the same {len(comparison.ids)} patients, {comparison.n_events} events · 95 % intervals, paired"
    titled(figure, f"{metric.label} of {rows} runs", subtitle, comparison.synthetic, TOP_PX + BOTTOM_PX + ROW_PX * rows)
    figure.update_yaxes(ticks="", linecolor="rgba(0,0,0,0)")
    return figure.figure()


def _range(estimates: list[Estimate], also: float | None) -> list[float]:
    """Axis limits around every interval and the line, with a margin for the words."""
    ends = [v for e in estimates for v in (e.value, e.low, e.high) if v is not None]
    ends += [] if also is None else [also]
    low, high = (min(ends), max(ends)) if ends else (0.0, 1.0)
    pad = max(0.12 * (high - low), 0.005)
    return [low - pad, high + pad]


def _upright(figure: Canvas, axis: str, at: float, colour: str) -> None:
    figure.add_shape(type="line", xref=axis, yref="paper", x0=at, x1=at, y0=0, y1=1,
                     line={"color": colour, "width": 1.4, "dash": "dot"}, layer="below")  # fmt: skip


def _point(figure: Canvas, estimate: Estimate, height: float, axis: str, colour: str, what: str) -> None:
    """A square with its interval, the numbers above it."""
    if estimate.value is None:
        _words(figure, "not estimable", height, axis)
        return
    value = estimate.value
    low = value if estimate.low is None else estimate.low
    high = value if estimate.high is None else estimate.high
    words = interval(value, estimate.low, estimate.high, 3)
    figure.add_scatter(
        x=[value], y=[height], mode="markers+text", xaxis=axis, yaxis="y", text=[words], textposition="top center",
        textfont={"size": 12, "color": INK}, marker={"symbol": "square", "size": 9, "color": colour},
        error_x={"type": "data", "symmetric": False, "array": [high - value], "arrayminus": [value - low],
                 "color": colour, "thickness": 1.6, "width": 5},
        hovertemplate=f"{what} {words}<extra></extra>", cliponaxis=False,
    )  # fmt: skip


def _words(figure: Canvas, words: str, height: float, axis: str) -> None:
    figure.add_annotation(x=0.5, xref=f"{axis} domain", y=height, text=words, showarrow=False, font={"color": MUTED})


def _name(figure: Canvas, item: Compared, names: Mapping[str, str], comparison: RunComparison, height: float) -> None:
    """The run's name beside its row, and what its numbers have to be called where that is not "out-of-fold"."""
    kind = badge(item.run.protocol, comparison.predictions[item.run.id].in_sample)
    second = f"{item.run.folds} · {len(item.run.seeds)} seed{'' if len(item.run.seeds) == 1 else 's'}"
    second += "" if kind == OUT_OF_FOLD else f" · <b>{kind}</b>"
    figure.add_annotation(
        x=0, xref="paper", xanchor="right", xshift=-14, y=height, align="right", showarrow=False,
        text=f"<b>{shortened(names[item.run.id], 36)}</b><br><span style='font-size:12px'>{second}</span>",
    )  # fmt: skip


def agreement_figure(found: Agreement, names: Mapping[str, str], synthetic: bool, screen: bool = True) -> go.Figure:
    """Each patient once: estimate of the first run across, of the second run upwards, and the line of agreement.

    ``screen`` puts pseudonyms into the hover and the selection; off for exported files.
    """
    figure = Canvas()
    figure.add_scatter(
        x=[0, 1], y=[0, 1], mode="lines", line={"color": MUTED, "width": 1.2, "dash": "dot"}, hoverinfo="skip",
        showlegend=False,
    )  # fmt: skip
    kinds = STATUS if found.month is not None else ("event", "censored")
    for index, kind in enumerate(kinds):
        inside = np.flatnonzero(found.status == kind)
        ink = pen(index)
        figure.add_scatter(
            x=found.x[inside], y=found.y[inside], mode="markers", name=kind,
            marker={"color": ink.colour, "symbol": ink.symbol, "size": 7, "opacity": 0.75},
            customdata=[[found.ids[i]] for i in inside] if screen else None,
            hovertemplate=(("%{customdata[0]}<br>" if screen else "") + f"%{{x:.0%}} and %{{y:.0%}}<br>{kind}"
                           "<extra></extra>"),
        )  # fmt: skip
    what = f"Predicted {found.month / 12:g}-year survival" if found.month is not None else "Place of risk within fold"
    low, high = _square(found)
    share = {"range": [low, high], "tickformat": ".0%", "nticks": 7, "tickangle": 0}
    figure.update_layout(
        margin={"l": 72, "r": 24, "t": 108, "b": 56},
        xaxis={"title": shortened(names[found.first], 44), **share},
        yaxis={"title": shortened(names[found.second], 44), **share},
    )
    rho = "not estimable" if np.isnan(found.spearman) else f"{found.spearman:.2f}".replace("-", "\N{MINUS SIGN}")
    subtitle = f"n {len(found.ids)} · rank correlation {rho}"
    titled(figure, f"{what} by two runs", subtitle, synthetic, SCATTER_PX)
    figure.update_layout(
        dragmode="select",
        showlegend=True,
        legend={"orientation": "h", "x": 0, "xanchor": "left", "y": 1.0, "yanchor": "bottom", "font": {"size": 13}},
    )
    return figure.figure()


def _square(found: Agreement) -> tuple[float, float]:
    """The same limits for both axes around every estimate, so that the line of agreement is the diagonal."""
    both = np.concatenate([found.x, found.y])
    low, high = (float(both.min()), float(both.max())) if len(both) else (0.0, 1.0)
    pad = max(0.05 * (high - low), 0.01)
    return low - pad, high + pad
