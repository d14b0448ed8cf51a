"""Gate weights of all patients: one row an expert, one column a patient, levels as blocks, risk and outcome above."""

from __future__ import annotations

from itertools import groupby

import numpy as np
import plotly.graph_objects as go

from core.analysis.gates import GateRows
from core.analysis.outcome import Outcome
from core.arrays import FloatArray, IntArray
from core.figures.canvas import Canvas
from core.figures.palette import LIGHT
from core.figures.theme import ACCENT, GROUP_COLOURS, INK, MUTED, titled
from core.results.routing_record import RoutingRecord

ROW_PX, STRIP_PX, TOP_PX, BOTTOM_PX, GAP = 20, 64, 84, 56, 0.9
COLOURS = [[0.0, LIGHT.surface], [0.5, LIGHT.middle], [1.0, LIGHT.deep]]


def gate_heatmap(
    record: RoutingRecord, rows: GateRows, order: IntArray, outcome: Outcome, sort: str, whose: str,
    chosen: str = "", interactive: bool = True,
) -> go.Figure:  # fmt: skip
    """Columns in ``order``; above them the estimated survival and, as marks, who had the event.

    Parameters
    ----------
    sort, whose : str
        Words for the subtitle: what the patients are sorted by, and of which models the gates are.
    chosen : str
        Pseudonym of a patient to mark; only in an interactive figure.
    """
    figure = Canvas()
    places, heads = _layout(rows)
    height = TOP_PX + STRIP_PX + BOTTOM_PX + ROW_PX * (max(places) + 1.4)
    share = STRIP_PX / (height - TOP_PX - BOTTOM_PX)
    x = list(range(1, len(order) + 1))
    ids = [record.ids[i] for i in order]
    most = float(np.nanmax(rows.mass))
    grid = np.full((round(max(places)) + 1, len(order)), np.nan)
    grid[places] = rows.mass[:, order]
    names = dict(zip(places, rows.experts, strict=True))
    figure.add_heatmap(
        z=grid.tolist(), x=x, y=list(range(len(grid))), zmin=0, zmax=most, colorscale=COLOURS, hoverongaps=False,
        customdata=[[[i] for i in ids]] * len(grid) if interactive else None,
        colorbar={"title": {"text": "Gate mass", "side": "right"}, "thickness": 12, "len": 0.7, "tickformat": ".0%"},
        hovertemplate=("%{customdata[0]}<br>" if interactive else "") + "gate mass %{z:.1%}<extra></extra>",
    )  # fmt: skip
    for head, at in heads:
        figure.add_annotation(x=0, xref="paper", xanchor="left", y=at, showarrow=False, text=f"<b>{head}</b>",
                              font={"size": 12, "color": MUTED})  # fmt: skip
    _strip(figure, record.estimate.mean(axis=0)[order], outcome, ids, x, interactive)
    if interactive and chosen in ids:
        at = ids.index(chosen) + 1
        figure.add_shape(
            type="line", x0=at, x1=at, yref="paper", y0=0, y1=1, line={"color": GROUP_COLOURS[1], "width": 1.6}
        )
    figure.update_layout(
        margin={"l": 130, "r": 20, "t": TOP_PX, "b": BOTTOM_PX}, dragmode=False,
        xaxis={"title": f"Patients by {sort}", "range": [0.5, len(order) + 0.5], "anchor": "y", "showgrid": False},
        yaxis={"domain": [0, 1 - share - 0.03], "range": [len(grid) - 0.5, -0.5 - (GAP if heads else 0)],
               "tickvals": list(names), "ticktext": list(names.values()), "showgrid": False},
        yaxis2={"domain": [1 - share, 1], "anchor": "x", "title": {"text": "Estimate, %"},
                "range": [0, 105], "nticks": 3},
    )  # fmt: skip
    titled(figure, "How the gates share out the patients", f"n {len(order):,} · out of fold · {whose} · × event",
           record.synthetic, round(height))  # fmt: skip
    return figure.figure()


def _layout(rows: GateRows) -> tuple[list[int], list[tuple[str, float]]]:
    """Row of the grid of every expert, one empty row above each level for its name."""
    places, heads, at = [], [], 0
    for level, inside in groupby(rows.levels):
        heads.append((level, float(at)))
        at += 1
        for _ in inside:
            places.append(at)
            at += 1
    return places, heads


def _strip(
    figure: Canvas, survival: FloatArray, outcome: Outcome, ids: list[str], x: list[int], interactive: bool
) -> None:
    """Estimated survival, a dot a patient (a heat map cannot be clicked: the dots can), a cross at an event."""
    figure.add_scatter(
        x=x, y=survival.tolist(), yaxis="y2", mode="lines+markers", line={"color": ACCENT, "width": 1.2},
        marker={"size": 8 if len(x) <= 80 else 6, "color": "white", "line": {"width": 1.2, "color": ACCENT}},
        customdata=[[i] for i in ids] if interactive else None, selected={"marker": {"opacity": 1}},
        unselected={"marker": {"opacity": 1}},
        hovertext=[(f"{i}<br>" if interactive else "") + f"estimated survival {s:.0f} %"
                   for i, s in zip(ids, survival, strict=True)],
        hovertemplate="%{hovertext}<extra></extra>",
    )  # fmt: skip
    happened = dict(zip(outcome.ids, outcome.codes == 1, strict=True))
    at = [i for i, patient in enumerate(ids) if happened.get(patient, False)]
    figure.add_scatter(
        x=[x[i] for i in at], y=[float(survival[i]) for i in at], yaxis="y2", mode="markers", hoverinfo="skip",
        marker={"symbol": "x-thin", "size": 7, "line": {"width": 1.5, "color": INK}},
    )  # fmt: skip
