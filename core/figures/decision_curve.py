"""Net benefit over thresholds: the run, the stage alone, acting on all, on nobody."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from core.analysis.decision import MODEL, Decision
from core.analysis.patient_sentences import month_words
from core.figures.canvas import Canvas
from core.figures.theme import ACCENT, GROUP_COLOURS, MUTED, Pen, spread, titled
from core.statistics.decision_curve import NetBenefit

HEIGHT, RIGHT = 400, 118
RUN, STAGE, ALL = Pen(ACCENT, "solid", "circle"), Pen(GROUP_COLOURS[1], "dash", "square"), Pen(MUTED, "dot", "diamond")
LOWEST = -0.05
"""Below this net benefit nothing is drawn: such a rule does more harm than acting on nobody."""


def decision_figure(decision: Decision, badge: str, synthetic: bool) -> go.Figure:
    """The curves, the run's with its interval; names stand at the lines.

    Empty axes where the decision has no curve (the page then says why instead).
    """
    figure, curve = Canvas(), decision.curve
    labels: list[tuple[float, float, str, str]] = []
    top = 0.1
    if curve is not None:
        x = curve.thresholds
        _band(figure, x, curve.rules[MODEL])
        series = [(name, rule, RUN if name == MODEL else STAGE) for name, rule in curve.rules.items()]
        for name, rule, pen in [("act on all", curve.everybody, ALL), *reversed(series)]:
            labels.append(_line(figure, x, rule, name, pen))
        top = 1.08 * float(np.nanmax([np.nanmax(r.high) for r in (*curve.rules.values(), curve.everybody)]))
        figure.add_scatter(x=[x[0], x[-1]], y=[0, 0], mode="lines", line={"color": MUTED, "width": 1.2},
                           name="act on nobody", hoverinfo="skip")  # fmt: skip
        labels.append((float(x[-1]), 0.0, "Act on nobody", MUTED))
        _labels(figure, labels, top)
    n = f"n {curve.n}, {curve.events} events by {month_words(decision.month)}" if curve is not None else "no curve"
    titled(figure, f"Decision curve at {month_words(decision.month)}", f"{n} · {badge}", synthetic, HEIGHT)
    figure.update_layout(
        margin={"l": 70, "r": RIGHT, "t": 76, "b": 52}, hovermode="closest",
        xaxis={"title": "Threshold: chance of the event at which one would act", "tickformat": ".0%", "dtick": 0.1,
               "tickangle": 0, "range": [0.03, 0.815]},
        yaxis={"title": "Net benefit", "range": [LOWEST, top], "tickformat": ".2f"},
    )  # fmt: skip
    return figure.figure()


def _band(figure: Canvas, x: np.ndarray, rule: NetBenefit) -> None:
    known = np.isfinite(rule.low) & np.isfinite(rule.high)
    shared = {"x": x[known], "mode": "lines", "hoverinfo": "skip", "line": {"width": 0}}
    figure.add_scatter(y=rule.high[known], **shared)
    figure.add_scatter(y=rule.low[known], fill="tonexty", fillcolor=RUN.faint(0.15), **shared)


def _line(figure: Canvas, x: np.ndarray, rule: NetBenefit, name: str, pen: Pen) -> tuple[float, float, str, str]:
    seen = np.isfinite(rule.value)
    limits = [
        f" ({a:.3f} to {b:.3f})" if np.isfinite(a) else "" for a, b in zip(rule.low[seen], rule.high[seen], strict=True)
    ]
    words = name[:1].upper() + name[1:]
    figure.add_scatter(
        x=x[seen], y=rule.value[seen], mode="lines", name=words,
        line={"color": pen.colour, "width": 2.4 if pen is RUN else 1.8, "dash": pen.dash},
        hovertext=[f"<b>{words}</b><br>at {t:.1%}: {v:.3f}{w}<br>{s:.0%} of patients flagged"
                   for t, v, w, s in zip(x[seen], rule.value[seen], limits, rule.flagged[seen], strict=True)],
        hovertemplate="%{hovertext}<extra></extra>",
    )  # fmt: skip
    drawn = np.flatnonzero(seen & (rule.value >= LOWEST))
    last = int(drawn[-1]) if len(drawn) else 0
    return float(x[last]), float(rule.value[last]), words, pen.ink


def _labels(figure: Canvas, labels: list[tuple[float, float, str, str]], top: float) -> None:
    """Names beside the plot at the height where each line ends, moved apart; one that leaves early is named there."""
    early = [x < labels[-1][0] - 0.02 for x, *_ in labels]
    beside = [label for label, is_early in zip(labels, early, strict=True) if not is_early]
    heights = iter(spread([y for _, y, _, _ in beside], 20 / (HEIGHT - 128) * (top - LOWEST)))
    for (x, y, text, colour), is_early in zip(labels, early, strict=True):
        place = (
            {"x": x, "y": y, "xanchor": "left", "xshift": 7, "yanchor": "bottom"}
            if is_early
            else {"x": 1, "xref": "paper", "xanchor": "left", "xshift": 6, "y": next(heights)}
        )
        figure.add_annotation(
            **place, showarrow=False, text=f"<b>{text}</b>", font={"color": colour, "size": 12}
        )  # fmt: skip
