"""One patient's estimated course with the model spread, over the observed course of comparable patients."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go

from core.analysis.patient_estimate import PatientEstimate
from core.analysis.patient_reference import Comparable
from core.analysis.patient_sentences import month_words, percent_words
from core.figures.canvas import Canvas
from core.figures.theme import ACCENT, GRID, GROUP_COLOURS, INK, MUTED, Pen, shortened, spread, titled
from core.statistics.kaplan_meier import SurvivalCurve

HEIGHT, LABEL_MARGIN, TOP = 400, 172, 72
OWN = Pen(ACCENT, "solid", "circle")
REFERENCE = Pen(MUTED, "dash", "square")
PINNED = Pen(GROUP_COLOURS[1], "dot", "diamond")
_PLOT = HEIGHT - TOP - 48


@dataclass(frozen=True, eq=False)
class CourseWords:
    """``state`` of those without the event, ``zero`` what months are counted from, ``synthetic`` as on all figures."""

    title: str
    state: str
    zero: str
    synthetic: bool


def course_figure(
    estimate: PatientEstimate,
    month: float,
    words: CourseWords,
    reference: Comparable | None = None,
    pinned: PatientEstimate | None = None,
) -> go.Figure:
    """S(t) of the patient; the shown month carries its number, in the words of every other presentation."""
    figure = Canvas()
    end = max([estimate.last_month, month, 12.0])
    labels: list[tuple[float, str, str]] = []
    if reference is not None and reference.curve is not None:
        labels.append(_reference(figure, reference.curve, reference, end))
    if pinned is not None:
        labels.append(_line(figure, pinned, PINNED, "Pinned patient", words.state, end))
    _band(figure, estimate)
    labels.append(_line(figure, estimate, OWN, "This patient", words.state, end))
    _mark(figure, estimate, month)
    _labels(figure, labels)
    n = f"mean of {estimate.models} model{'' if estimate.models == 1 else 's'}" + (
        " that never saw this patient" if estimate.unseen else ""
    )
    titled(figure, words.title, n, words.synthetic, HEIGHT)
    state = f"{words.state[:1].upper()}{words.state[1:]}"
    figure.update_layout(
        margin={"l": 62, "r": LABEL_MARGIN, "t": TOP, "b": 46}, hovermode="closest", dragmode=False,
        yaxis={"range": [0, 1.02], "tickformat": ".0%", "dtick": 0.25, "title": {"text": state}, "fixedrange": True},
        xaxis={"range": [-end * 0.012, end * 1.012], "dtick": 12, "title": {"text": f"Months after {words.zero}"},
               "fixedrange": True, "gridcolor": GRID},
    )  # fmt: skip
    return figure.figure()


def _band(figure: Canvas, estimate: PatientEstimate) -> None:
    known = np.isfinite(estimate.low) & np.isfinite(estimate.high)
    if not known.any():
        return
    x = np.concatenate([[0.0], estimate.times[known]])
    shared = {"x": x, "mode": "lines", "hoverinfo": "skip", "line": {"width": 0}}
    figure.add_scatter(y=np.concatenate([[1.0], estimate.high[known]]), **shared)
    figure.add_scatter(
        y=np.concatenate([[1.0], estimate.low[known]]), fill="tonexty", fillcolor=OWN.faint(0.16), **shared
    )


def _line(
    figure: Canvas, estimate: PatientEstimate, pen: Pen, name: str, state: str, end: float
) -> tuple[float, str, str]:
    """The curve; returns where and what its direct label is."""
    known = np.isfinite(estimate.survival) & (estimate.times <= end)
    x = np.concatenate([[0.0], estimate.times[known]])
    y = np.concatenate([[1.0], estimate.survival[known]])
    figure.add_scatter(
        x=x, y=y, mode="lines", name=name, line={"color": pen.colour, "width": 3, "dash": pen.dash},
        hovertext=[f"<b>{name}</b><br>month {t:g}<br>{percent_words(s)} {state}" for t, s in zip(x, y, strict=True)],
        hovertemplate="%{hovertext}<extra></extra>",
    )  # fmt: skip
    return float(y[-1]), f"<b>{name}</b>", pen.ink


def _reference(figure: Canvas, curve: SurvivalCurve, reference: Comparable, end: float) -> tuple[float, str, str]:
    keep = curve.time <= end
    x, y = curve.time[keep], curve.survival[keep]
    figure.add_scatter(
        x=np.append(x, min(end, float(curve.time[-1]))), y=np.append(y, y[-1]), name="Comparable patients",
        mode="lines", line={"color": REFERENCE.colour, "width": 1.8, "dash": REFERENCE.dash, "shape": "hv"},
        hovertemplate=f"<b>{reference.same}</b><br>month %{{x:.0f}}<br>%{{y:.0%}} observed<extra></extra>",
    )  # fmt: skip
    short = shortened(reference.short, 26)
    text = f"<b>{reference.n} patients observed</b><br><span style='font-size:11px'>{short}</span>"
    return float(y[-1]), text, REFERENCE.colour


def _mark(figure: Canvas, estimate: PatientEstimate, month: float) -> None:
    number = estimate.at(month)
    if number is None:
        return
    if number.low is not None and number.high is not None:
        figure.add_shape(type="line", x0=month, x1=month, y0=number.low, y1=number.high,
                         line={"color": OWN.colour, "width": 2})  # fmt: skip
    figure.add_scatter(
        x=[month], y=[number.value], mode="markers", name="The shown month", hoverinfo="skip",
        marker={"size": 12, "color": "white", "line": {"color": OWN.colour, "width": 3}},
    )  # fmt: skip
    above = number.value < 0.8
    figure.add_annotation(
        x=month, y=number.value, text=f"<b>{percent_words(number.value)}</b><br>{month_words(month)}", showarrow=False,
        xanchor="left", yanchor="bottom" if above else "top", xshift=8, yshift=6 if above else -6, align="left",
        font={"size": 15, "color": INK}, bgcolor="rgba(255,255,255,0.8)",
    )  # fmt: skip


def _labels(figure: Canvas, labels: list[tuple[float, str, str]]) -> None:
    """Names at the end of the curves, moved apart where these end close together."""
    heights = spread([y for y, _, _ in labels], gap=42 / _PLOT)
    excess = max(0.0, max(heights) - 0.97)
    for (_, text, colour), height in zip(labels, heights, strict=True):
        figure.add_annotation(
            x=1, xref="paper", xanchor="left", xshift=8, y=height - excess, yanchor="middle", align="left", text=text,
            font={"color": colour, "size": 13}, showarrow=False,
        )  # fmt: skip
