"""From the average estimate to a patient's: one bar a group or value, each number printed, up to the displayed one."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from core.analysis.points import axis_words, month_words, percent_of, points
from core.analysis.waterfall import STABLE_SIGN, Step, StepKind
from core.figures.canvas import Canvas
from core.figures.theme import FAINT, GROUP_COLOURS, INK, MUTED, WARNING, ink_of, shortened, titled
from core.results.explanation import Explanation

RAISES, LOWERS = GROUP_COLOURS[:2]
"""Blue raises survival, vermillion lowers it: apart for every colour vision, and each bar prints its sign."""
ROW_PX, TOP_PX, BOTTOM_PX, NAME_PX, NUMBER_PX = 32, 84, 60, 264, 168
_TOTALS = (StepKind.BASELINE, StepKind.PREDICTION)


def waterfall_figure(found: Explanation, steps: tuple[Step, ...], subject: str, interactive: bool = True) -> go.Figure:
    """Horizontal waterfall from the baseline (top) to the prediction (bottom).

    Parameters
    ----------
    steps : rows of :func:`core.analysis.waterfall.waterfall_steps`
    subject : str
        The title: whose estimate, under which model.
    interactive : bool
        Bars carry their keys, so that a click can open a group; off for files.
    """
    figure = Canvas()
    low, high = _span(steps)
    for at, step in enumerate(steps):
        if step.kind in _TOTALS:
            _total(figure, step, at)
        else:
            _bar(figure, step, at, interactive)
        if at:
            _join(figure, steps[at - 1].end, at)
    _checks(figure, found, steps)
    _numbers(figure, steps, high)
    names = [_name(step) for step in steps]
    figure.update_layout(
        margin={"l": NAME_PX, "r": NUMBER_PX, "t": TOP_PX, "b": BOTTOM_PX}, bargap=0.34, dragmode=False,
        barmode="overlay",
        xaxis={"title": f"{axis_words(found.month)} (scale: estimated {month_words(found.month)}, %)",
               "range": [low, high], "ticksuffix": ""},
        yaxis={"tickvals": list(range(len(steps))), "ticktext": names, "range": [len(steps) - 0.4, -0.6],
               "showgrid": False},
    )  # fmt: skip
    subtitle = (
        f"mean of {found.models} model{'' if found.models == 1 else 's'} that never saw the patient · compared with "
        f"{found.background} reference patients each · {found.method.partition(', ')[0]}"
    )
    titled(figure, subject, subtitle, found.synthetic, TOP_PX + BOTTOM_PX + ROW_PX * len(steps))
    figure.update_layout(showlegend=any(s.check is not None for s in steps))
    figure.update_yaxes(ticks="", linecolor="rgba(0,0,0,0)")
    return figure.figure()


def _span(steps: tuple[Step, ...]) -> tuple[float, float]:
    """The part of the survival scale that the bars need, with room at both ends; never beyond 0 to 100."""
    ends = [v for s in steps for v in ((s.end,) if s.kind in _TOTALS else (s.start, s.end))]
    ends += [s.start + s.check for s in steps if s.check is not None]
    low, high = min(ends), max(ends)
    pad = max(1.0, 0.12 * (high - low))
    return max(0.0, low - pad), min(100.0, high + pad)


def _total(figure: Canvas, step: Step, at: int) -> None:
    """A diamond on a guide line: a bar that does not begin at 0 % would mislead."""
    ink = INK if step.kind is StepKind.PREDICTION else MUTED
    figure.add_shape(type="line", xref="paper", x0=0, x1=1, y0=at, y1=at, layer="below",
                     line={"color": FAINT, "width": 1, "dash": "dot"})  # fmt: skip
    figure.add_scatter(
        x=[step.end], y=[at], mode="markers", cliponaxis=False, showlegend=False,
        marker={"symbol": "diamond" if step.kind is StepKind.PREDICTION else "diamond-open", "size": 15, "color": ink,
                "line": {"width": 2, "color": ink}},
        hovertext=[f"{step.name}: {percent_of(step.value)}"], hovertemplate="%{hovertext}<extra></extra>",
    )  # fmt: skip


def _bar(figure: Canvas, step: Step, at: int, interactive: bool) -> None:
    residual = step.kind is StepKind.RESIDUAL
    colour = MUTED if residual else RAISES if step.value >= 0 else LOWERS
    figure.add_bar(
        x=[step.value], base=[step.start], y=[at], orientation="h", showlegend=False,
        marker={"color": colour, "line": {"color": colour, "width": 1},
                "pattern": {"shape": "/" if residual else "", "fgcolor": "white"}},
        customdata=[[step.kind.value, step.key]] if interactive else None,
        hovertext=[_hover(step)], hovertemplate="%{hovertext}<extra></extra>",
    )  # fmt: skip


def _checks(figure: Canvas, found: Explanation, steps: tuple[Step, ...]) -> None:
    """An open circle where the cross-check would end each bar."""
    asked = [(at, s, s.check) for at, s in enumerate(steps) if s.check is not None]
    if not asked:
        return
    figure.add_scatter(
        x=[s.start + check for _, s, check in asked], y=[at for at, _, _ in asked], mode="markers",
        name=f"{found.check_method} (cross-check)", showlegend=True, cliponaxis=False,
        marker={"symbol": "circle", "size": 9, "color": "white", "line": {"width": 1.8, "color": INK}},
        hovertext=[f"{s.name}: {points(check, 2)} by {found.check_method}" for _, s, check in asked],
        hovertemplate="%{hovertext}<extra></extra>",
    )  # fmt: skip
    figure.update_layout(legend={"orientation": "h", "x": 1, "xanchor": "right", "y": 1, "yanchor": "bottom"})


def _join(figure: Canvas, end: float, at: int) -> None:
    """A thin line from the end of one bar to the start of the next."""
    figure.add_shape(type="line", x0=end, x1=end, y0=at - 0.84, y1=at + 0.33, layer="below",
                     line={"color": FAINT, "width": 1.2})  # fmt: skip


def _numbers(figure: Canvas, steps: tuple[Step, ...], high: float) -> None:
    for at, step in enumerate(steps):
        if step.kind in _TOTALS:
            words, colour = f"<b>{percent_of(step.value)}</b>", INK
        else:
            words = f"<b>{points(step.value, 2 if step.kind is StepKind.RESIDUAL else 1)}</b>"
            if step.std is not None and np.isfinite(step.std):
                words += f" <span style='color:{MUTED}'>± {step.std:.1f}</span>"
            colour = MUTED if step.kind is StepKind.RESIDUAL else ink_of(RAISES if step.value >= 0 else LOWERS)
            if step.sign_share is not None and step.sign_share < STABLE_SIGN:
                words += f" <span style='color:{WARNING}'>sign unsure</span>"
        figure.add_annotation(x=1, xref="paper", xanchor="left", xshift=10, y=at, showarrow=False, text=words,
                              font={"size": 13, "color": colour})  # fmt: skip


def _name(step: Step) -> str:
    words = shortened(step.name, 34)
    if step.kind in _TOTALS:
        return f"<b>{words}</b>"
    if step.kind is StepKind.VALUE and step.observed:
        seen = shortened(step.observed.partition(" (")[0], 12)
        return f"{shortened(step.name, 24)} <span style='color:{MUTED}'>{seen}</span>"
    if step.count > 1 and step.kind in (StepKind.GROUP, StepKind.FAMILY):
        return f"{shortened(step.name, 31)} <span style='color:{MUTED}'>({step.count:,})</span>"
    return words


def _hover(step: Step) -> str:
    words = f"<b>{step.name}</b><br>{points(step.value, 2)} percentage points"
    if step.observed:
        words += f"<br>patient’s value: {step.observed}"
    if step.std is not None:
        words += f"<br>± {step.std:.2f} over models and draws"
    if step.sign_share is not None:
        words += f"<br>same sign in {100 * step.sign_share:.0f} % of models and draws"
    if step.count > 1:
        words += f"<br>sum of {step.count:,} values"
    return words
