"""Figures of a run's predictions: calibration, Brier score against the null, AUC over time."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from core.analysis.comparisons import years
from core.analysis.model_quality import HorizonQuality, ModelQuality
from core.figures.canvas import Canvas
from core.figures.theme import ACCENT, MARK, MUTED, pen, spread, titled

HEIGHT = 380
LABEL_PX = 18
SHARE = {"range": [-0.02, 1.02], "tickformat": ".0%", "dtick": 0.2}


def calibration_figure(quality: ModelQuality, synthetic: bool) -> go.Figure:
    """Predicted against observed survival in groups of patients, one series a horizon, with the line of agreement."""
    figure = Canvas()
    figure.add_scatter(
        x=[0, 1], y=[0, 1], mode="lines", line={"color": MUTED, "width": 1.2, "dash": "dot"}, hoverinfo="skip"
    )
    shown = [h for h in quality.horizons if h.calibration is not None]
    for index, horizon in enumerate(shown):
        _calibration_series(figure, horizon, index)
    _end_labels(figure, shown)
    figure.update_layout(
        margin={"l": 64, "r": 72, "t": 80, "b": 52},
        xaxis={
            "title": "Predicted survival",
            "range": [-0.02, 1.02],
            "tickformat": ".0%",
            "dtick": 0.2,
            "tickangle": 0,
        },
        yaxis={"title": "Observed survival", "range": [-0.02, 1.02], "tickformat": ".0%", "dtick": 0.2},
    )
    subtitle = f"n {quality.n}, {quality.n_events} events · {quality.badge}"
    return titled(figure, "Predicted and observed survival", subtitle, synthetic, HEIGHT).figure()


def _calibration_series(figure: Canvas, horizon: HorizonQuality, index: int) -> None:
    curve, ink = horizon.calibration, pen(index)
    if curve is None:
        return
    seen = np.isfinite(curve.observed)
    words = [
        f"<b>{years(horizon.month)}</b><br>predicted {p:.0%}<br>observed {o:.0%} ({low:.0%} to {high:.0%})<br>"
        f"{k} patients"
        for p, o, low, high, k in zip(curve.predicted, curve.observed, curve.low, curve.high, curve.n, strict=True)
    ]
    figure.add_scatter(
        x=curve.predicted[seen], y=curve.observed[seen], mode="lines+markers",
        line={"color": ink.colour, "width": 1.6}, marker={"symbol": ink.symbol, "size": 9, "color": ink.colour},
        error_y={
            "type": "data", "symmetric": False, "array": (curve.high - curve.observed)[seen],
            "arrayminus": (curve.observed - curve.low)[seen], "color": ink.colour, "thickness": 1.2, "width": 4,
        },
        hovertext=[w for w, keep in zip(words, seen, strict=True) if keep],
        hovertemplate="%{hovertext}<extra></extra>",
    )  # fmt: skip


def _end_labels(figure: Canvas, shown: list[HorizonQuality]) -> None:
    """The horizons' names beside the plot, at the height of each series' last point, moved apart."""
    ends = []
    for horizon in shown:
        observed = horizon.calibration.observed if horizon.calibration is not None else np.zeros(0)
        seen = observed[np.isfinite(observed)]
        ends.append(float(seen[-1]) if len(seen) else 0.0)
    placed = spread(ends, gap=0.09)
    excess = max([0.0, *(p - 1.0 for p in placed)])
    for index, (horizon, height) in enumerate(zip(shown, placed, strict=True)):
        figure.add_annotation(
            x=1, xref="paper", xanchor="left", xshift=6, y=height - excess, showarrow=False,
            text=f"<b>{years(horizon.month)}</b>", font={"color": pen(index).ink},
        )  # fmt: skip


def brier_figure(quality: ModelQuality, synthetic: bool) -> go.Figure:
    """Brier score over time of the run and of the Kaplan-Meier null; lower is better."""
    figure = Canvas()
    series = (
        (quality.brier_null, MUTED, "dash", "Kaplan-Meier null", "Null"),
        (quality.brier, ACCENT, "solid", "This run", "This run"),
    )
    drawn = [line for line in series if np.isfinite(line[0]).any()]
    heights = _apart([float(values[np.isfinite(values)][-1]) for values, *_ in drawn], _highest(quality))
    for (values, colour, dash, name, short), height in zip(drawn, heights, strict=True):
        seen = np.isfinite(values)
        figure.add_scatter(
            x=quality.times[seen], y=values[seen], mode="lines", name=name,
            line={"color": colour, "width": 2.2, "dash": dash},
            hovertemplate=f"<b>{name}</b><br>month %{{x:.0f}}<br>%{{y:.3f}}<extra></extra>",
        )  # fmt: skip
        figure.add_annotation(
            x=quality.times[seen][-1], y=height, xanchor="left", xshift=8, yanchor="middle", showarrow=False,
            text=f"<b>{short}</b>", font={"color": colour},
        )  # fmt: skip
    figure.update_layout(
        margin={"l": 64, "r": 84, "t": 80, "b": 52},
        xaxis={"title": "Months", "dtick": 12 if quality.times[-1] <= 84 else 24, "tickangle": 0,
               "range": [0, float(quality.times[-1]) * 1.02]},
        yaxis={"title": "Brier score (lower is better)", "range": [0, _highest(quality)], "tickformat": ".2f"},
    )  # fmt: skip
    words = f"IBS {_number(quality.ibs.value)}, null {_number(quality.ibs_null.value)} · n {quality.n}"
    return titled(figure, "Brier score and the null", f"{words} · {quality.badge}", synthetic, HEIGHT).figure()


def _highest(quality: ModelQuality) -> float:
    """Upper end of the Brier axis: a little above the highest point, so that heights of labels are known."""
    return 1.1 * float(np.nanmax([quality.brier, quality.brier_null], initial=0.05))


def _apart(ends: list[float], top: float) -> list[float]:
    """Label heights a line of text apart on an axis from 0 to ``top``, around the curves' ends."""
    placed = spread(ends, gap=LABEL_PX / (HEIGHT - 132) * top)
    shift = (sum(placed) - sum(ends)) / max(1, len(ends))
    return [height - shift for height in placed]


def auc_figure(quality: ModelQuality, synthetic: bool) -> go.Figure:
    """AUC at each horizon with its interval; 0.5 is a coin."""
    shown = [h for h in quality.horizons if h.auc.value is not None]
    values = np.array([h.auc.value for h in shown], dtype=float)
    low = np.array([v if h.auc.low is None else h.auc.low for h, v in zip(shown, values, strict=True)], dtype=float)
    high = np.array([v if h.auc.high is None else h.auc.high for h, v in zip(shown, values, strict=True)], dtype=float)
    figure = Canvas()
    figure.add_scatter(
        x=[f"{h.month / 12:g} y" for h in shown], y=values, mode="markers+text", textposition="middle right",
        text=[f"  {v:.2f}" for v in values],
        hovertext=[f"{v:.2f} ({a:.2f} to {b:.2f})" for v, a, b in zip(values, low, high, strict=True)],
        marker={"size": 10, "color": ACCENT}, cliponaxis=False,
        error_y={"type": "data", "symmetric": False, "array": high - values, "arrayminus": values - low,
                 "color": ACCENT, "thickness": 1.4, "width": 5},
        hovertemplate="AUC %{hovertext}<extra></extra>",
    )  # fmt: skip
    figure.add_shape(
        type="line", xref="paper", x0=0, x1=1, y0=0.5, y1=0.5, line={"color": MARK, "width": 1.2, "dash": "dot"}
    )
    figure.update_layout(
        margin={"l": 64, "r": 36, "t": 80, "b": 52},
        xaxis={"title": "Horizon", "type": "category"},
        yaxis={"title": "AUC(t), pairs within a fold", "range": [0.3, 1.0], "tickformat": ".1f"},
    )
    subtitle = f"n {quality.n}, {quality.n_events} events · {quality.badge}"
    return titled(figure, "AUC at each horizon", subtitle, synthetic, HEIGHT).figure()


def _number(value: float | None) -> str:
    return "not estimable" if value is None else f"{value:.3f}"
