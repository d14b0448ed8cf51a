"""The survival figure: step curves with 95 % bands and, under the axis, the table KMunicate asks for."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

import numpy as np
import plotly.graph_objects as go

from core.analysis.comparisons import p_value
from core.analysis.group_survival import GroupResult, GroupSurvival
from core.arrays import FloatArray
from core.figures.canvas import Canvas
from core.figures.theme import FAINT, GRID, INK, MUTED, TITLE_PX, WARNING, Pen, pen, percent, shortened, spread, titled
from core.statistics.competing import CumulativeIncidence

PLOT_PX = 380
ROW_PX = 17
AXIS_PX = 52
WARNING_PX = 48
LABEL_MARGIN = 168
MOST_POINTS = 1200
"""Corners drawn per curve on screen: more cannot be told apart; the CSV keeps every one."""


@dataclass(frozen=True, eq=False)
class Line:
    """One drawn step line with its band: survival, or cumulative incidence."""

    name: str
    label: str
    time: FloatArray
    value: FloatArray
    low: FloatArray
    high: FloatArray
    pen: Pen
    hover: list[str]
    ids: list[str]


def survival_figure(
    result: GroupSurvival, title: str, synthetic: bool, show_band: bool = True, interactive: bool = True,
    grey: Collection[str] = (),
) -> go.Figure:  # fmt: skip
    """Curves of every group with band, censoring marks, direct labels and the table under the axis.

    With competing events apart the curves are cumulative incidences (Aalen-Johansen) and rise from zero.

    Parameters
    ----------
    result : GroupSurvival
    title : str
        The subject, e.g. ``"Overall survival by stage"``.
    synthetic : bool
    show_band : bool
        Draw the 95 % band.
    interactive : bool
        Put pseudonyms into the hover text and the selection; off for exported files.
    grey : names of groups to draw without a colour, because they may not be real
    """
    figure = Canvas()
    pens = [replace(pen(i), colour=MUTED) if g.name in grey else pen(i) for i, g in enumerate(result.groups)]
    lines = [_line(group, pens[i], result, interactive) for i, group in enumerate(result.groups)]
    longest = float(max(result.ticks[-1], *(line.time[-1] for line in lines)))
    for line in lines:
        if show_band:
            _band(figure, line)
        _steps(figure, line, interactive)
    for index, group in enumerate(result.groups):
        if group.competing_incidence is None:
            _censoring(figure, group, pens[index], interactive)
        else:
            _competing(figure, group.competing_incidence, pens[index], group.name, result)
    _direct_labels(figure, lines, longest)
    rows = _table(figure, result, pens)
    height = _top(result) + PLOT_PX + AXIS_PX + rows * ROW_PX + 12
    subtitle = f"{result.n} patients, {result.n_events} events ({result.outcome.event_label})"
    if result.competing:
        subtitle += f" · dotted: {result.outcome.competing_label}"
    if result.outcome.censored_label:
        subtitle += f" · {result.outcome.censored_label} counts as censored"
    titled(figure, title, subtitle, synthetic, height)
    _layout(figure, result, longest, rows)
    _warn(figure, result)
    return figure.figure()


def _line(group: GroupResult, ink: Pen, result: GroupSurvival, interactive: bool) -> Line:
    curve = group.curve
    time, value, low, high = curve.time, curve.survival, curve.low, curve.high
    if group.incidence is not None:
        time, value = group.incidence.time, group.incidence.incidence
        low, high = group.incidence.low, group.incidence.high
    label = f"n {group.n}" + (f" · {result.grouping.badge}" if result.grouping.badge else "")
    place = np.clip(np.searchsorted(curve.time, time, side="right") - 1, 0, len(curve.time) - 1)
    keep = _corners(value)
    hover, ids = [], []
    for index in keep:
        here = group.patients[place[index]] if curve.time[place[index]] == time[index] else ()
        words = f"month {time[index]:.1f}<br>{percent(value[index])} ({percent(low[index])} to {percent(high[index])})"
        words += f"<br>{int(curve.at_risk[place[index]])} at risk"
        if interactive and here:
            words += "<br>" + ", ".join(here[:3]) + (f" and {len(here) - 3} more" if len(here) > 3 else "")
        hover.append(f"<b>{group.name}</b><br>{words}")
        ids.append(" ".join(here))
    return Line(group.name, label, time[keep], value[keep], low[keep], high[keep], ink, hover, ids)


def _corners(value: FloatArray) -> np.ndarray:
    """Indices of the corners to draw: where the step changes, thinned evenly beyond :data:`MOST_POINTS`."""
    changed = np.flatnonzero(np.diff(value, prepend=np.nan) != 0)
    keep = np.union1d(changed, [0, len(value) - 1])
    if len(keep) > MOST_POINTS:
        keep = keep[np.unique(np.linspace(0, len(keep) - 1, MOST_POINTS).astype(int))]
    return keep


def _band(figure: Canvas, line: Line) -> None:
    shared = {"x": line.time, "mode": "lines", "hoverinfo": "skip", "line": {"width": 0, "shape": "hv"}}
    figure.add_scatter(y=line.high, **shared)
    figure.add_scatter(y=line.low, fill="tonexty", fillcolor=line.pen.faint(), **shared)


def _steps(figure: Canvas, line: Line, interactive: bool) -> None:
    figure.add_scatter(
        x=line.time, y=line.value, name=line.name, mode="lines+markers" if interactive else "lines",
        line={"color": line.pen.colour, "width": 2.4, "dash": line.pen.dash, "shape": "hv"},
        marker={"size": 9, "opacity": 0, "color": line.pen.colour},
        selected={"marker": {"opacity": 1}}, unselected={"marker": {"opacity": 0}},
        customdata=[[ids] for ids in line.ids] if interactive else None,
        hovertext=line.hover, hovertemplate="%{hovertext}<extra></extra>",
    )  # fmt: skip


def _censoring(figure: Canvas, group: GroupResult, ink: Pen, interactive: bool) -> None:
    """A small upright tick where somebody's follow-up ended without the event."""
    where = np.flatnonzero(group.curve.censored > 0)
    if len(where) > MOST_POINTS:
        where = where[np.unique(np.linspace(0, len(where) - 1, MOST_POINTS).astype(int))]
    figure.add_scatter(
        x=group.curve.time[where], y=group.curve.survival[where], mode="markers", name=f"{group.name}, censored",
        marker={"symbol": "line-ns", "size": 7, "line": {"width": 1.1, "color": ink.colour}},
        selected={"marker": {"opacity": 1}}, unselected={"marker": {"opacity": 0.8}},
        customdata=[[" ".join(group.patients[i])] for i in where] if interactive else None,
        hovertext=[_censored_words(group, int(i), interactive) for i in where],
        hovertemplate="%{hovertext}<extra></extra>",
    )  # fmt: skip


def _competing(figure: Canvas, line: CumulativeIncidence, ink: Pen, name: str, result: GroupSurvival) -> None:
    """The competing event's own incidence, thin and dotted, so that nobody takes its patients for survivors."""
    keep = _corners(line.incidence)
    what = result.outcome.competing_label
    figure.add_scatter(
        x=line.time[keep], y=line.incidence[keep], mode="lines", name=f"{name}, {what}",
        line={"color": ink.colour, "width": 1.4, "dash": "dot", "shape": "hv"},
        hovertemplate=f"<b>{name}</b><br>{what}<br>month %{{x:.1f}}<br>%{{y:.0%}}<extra></extra>",
    )  # fmt: skip


def _censored_words(group: GroupResult, index: int, interactive: bool) -> str:
    curve = group.curve
    words = (
        f"<b>{group.name}</b><br>censored at month {curve.time[index]:.1f}<br>"
        f"{percent(curve.survival[index])} ({percent(curve.low[index])} to {percent(curve.high[index])})"
        f"<br>{int(curve.at_risk[index])} at risk"
    )
    return words + "<br>" + ", ".join(group.patients[index][:3]) if interactive else words


def _direct_labels(figure: Canvas, lines: list[Line], longest: float) -> None:
    """Name, n and badge at the end of each curve, moved apart where curves end close together."""
    heights = spread([float(line.value[-1]) for line in lines], gap=38 / PLOT_PX)
    excess = max(0.0, max(heights) - 0.97)
    for line, height in zip(lines, heights, strict=True):
        name = shortened(line.name, 24)
        figure.add_annotation(
            x=1, xref="paper", xanchor="left", xshift=8, y=height - excess, yref="y", yanchor="middle", align="left",
            text=f"<b>{name}</b><br><span style='color:{MUTED};font-size:11px'>{line.label}</span>",
            font={"color": line.pen.ink, "size": 13}, showarrow=False,
        )  # fmt: skip


def _table(figure: Canvas, result: GroupSurvival, pens: Sequence[Pen]) -> int:
    """At risk, events and censored of each group at each tick, on the curve's own x axis; returns its rows."""
    row = 0
    for index, group in enumerate(result.groups):
        colour = pens[index].ink
        figure.add_annotation(
            x=0, xref="paper", xanchor="left", xshift=-76, y=row, yref="y2", showarrow=False,
            text=f"<b>{shortened(group.name, 60)}</b>", font={"size": 12, "color": colour},
        )  # fmt: skip
        for offset, (name, numbers) in enumerate(group.table, start=1):
            figure.add_annotation(
                x=0, xref="paper", xanchor="right", xshift=-22, y=row + offset, yref="y2", showarrow=False,
                text=name, font={"size": 12, "color": MUTED},
            )  # fmt: skip
            figure.add_scatter(
                x=result.ticks, y=np.full(len(result.ticks), row + offset), yaxis="y2", mode="text",
                text=[f"{int(k)}" for k in numbers], textfont={"size": 12, "color": INK}, hoverinfo="skip",
                cliponaxis=False,
            )  # fmt: skip
        row += 1 + len(group.table)
    return row


def _layout(figure: Canvas, result: GroupSurvival, longest: float, rows: int) -> None:
    total = PLOT_PX + AXIS_PX + rows * ROW_PX
    value = f"{result.outcome.event_label}, cumulative incidence" if result.competing else result.outcome.remaining
    figure.update_layout(
        margin={"l": 88, "r": LABEL_MARGIN, "t": _top(result), "b": 12},
        dragmode="select", hovermode="closest",
        yaxis={"domain": [1 - PLOT_PX / total, 1], "range": [0, 1.02], "tickformat": ".0%", "dtick": 0.2,
               "title": {"text": shortened(value[0].upper() + value[1:], 52)}, "fixedrange": True},
        yaxis2={"domain": [0, rows * ROW_PX / total], "range": [rows - 0.4, -0.6], "visible": False,
                "fixedrange": True},
        xaxis={"range": [-longest * 0.012, longest * 1.012], "tickvals": list(result.ticks), "anchor": "y",
               "title": {"text": f"Months since {result.outcome.time_zero}", "standoff": 6},
               "fixedrange": True, "showgrid": True, "gridcolor": GRID},
    )  # fmt: skip
    figure.add_shape(
        type="line", xref="paper", x0=0, x1=1, yref="y2", y0=-0.55, y1=-0.55, line={"color": FAINT, "width": 1}
    )


def _top(result: GroupSurvival) -> int:
    """Pixels above the plot: the title, and the warning of a searched cut where there is one."""
    return TITLE_PX + (WARNING_PX if result.grouping.best_cut is not None else 0)


def _warn(figure: Canvas, result: GroupSurvival) -> None:
    """A searched cut-point says so inside the frame, where no export can lose it."""
    cut = result.grouping.best_cut
    if cut is None:
        return
    figure.add_annotation(
        x=0, xref="paper", y=1, yref="paper", yshift=8, xanchor="left", yanchor="bottom", showarrow=False, align="left",
        text=f"The cut was chosen on these patients to look best: the curves are too far apart.<br>"
        f"p adjusted for the search (maximally selected log-rank): <b>{p_value(cut.p_adjusted)}</b>",
        font={"size": 12, "color": WARNING}, bgcolor="rgba(255,255,255,0.9)", bordercolor=WARNING, borderpad=5,
    )  # fmt: skip
