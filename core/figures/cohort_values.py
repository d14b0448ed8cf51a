"""Beeswarm, ranking and dependence plot of a run's values over many patients."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from core.analysis.cohort_values import Swarm, swarm
from core.analysis.points import axis_words, points
from core.figures.canvas import Canvas
from core.figures.palette import LIGHT
from core.figures.theme import ACCENT, FAINT, GROUP_COLOURS, INK, MUTED, shortened, titled
from core.results.cohort_explanation import CohortExplanation

ROW_PX, TOP_PX, BOTTOM_PX, NAME_PX = 34, 84, 60, 230
LOW_TO_HIGH = [[0.0, GROUP_COLOURS[0]], [0.5, LIGHT.balance], [1.0, GROUP_COLOURS[1]]]
"""Low values blue, high ones vermillion: apart for every colour vision; the bar beside them says which is which."""
NO_ORDER = MUTED
Label = Callable[[str], str]


def beeswarm_figure(
    found: CohortExplanation, rows: pd.DataFrame, label: Label, chosen: str = "", interactive: bool = True
) -> go.Figure:
    """One row an input, one point a patient: where it lies is its effect, its colour the patient's value.

    Parameters
    ----------
    rows : of :func:`core.analysis.cohort_values.shown_features`
    chosen : str
        Pseudonym of a patient to mark with a diamond; nobody in a file.
    interactive : bool
        Points carry the input's name, so that a click opens its dependence plot; no pseudonym is drawn.
    """
    figure = Canvas()
    for at, name in enumerate(rows["name"]):
        one = swarm(found, name)
        _points(figure, one, at, at == 0, interactive)
        if interactive and chosen in one.patients:
            _diamond(figure, one, chosen, at)
    names = [_name(found, row, label) for _, row in rows.iterrows()]
    figure.add_shape(
        type="line", x0=0, x1=0, yref="paper", y0=0, y1=1, layer="below", line={"color": MUTED, "width": 1.2}
    )
    figure.update_layout(
        margin={"l": NAME_PX, "r": 96, "t": TOP_PX, "b": BOTTOM_PX}, dragmode=False,
        xaxis={"title": f"{axis_words(found.month)} (below 0: lowers it)"},
        yaxis={"tickvals": list(range(len(rows))), "ticktext": names, "range": [len(rows) - 0.4, -0.6],
               "showgrid": False},
    )  # fmt: skip
    subtitle = f"n {len(found.patients):,} patients, each by the models that never saw them · {found.method}"
    titled(figure, "What moves the estimates over the cohort", shortened(subtitle, 120), found.synthetic,
           TOP_PX + BOTTOM_PX + ROW_PX * max(3, len(rows)))  # fmt: skip
    figure.update_yaxes(ticks="", linecolor="rgba(0,0,0,0)")
    return figure.figure()


def _points(figure: Canvas, one: Swarm, at: int, bar: bool, interactive: bool) -> None:
    ordered = bool(np.isfinite(one.place).any())
    colour: dict[str, object] = {"color": NO_ORDER}
    if ordered:
        colour = {"color": np.where(np.isfinite(one.place), one.place, 0.5).tolist(), "colorscale": LOW_TO_HIGH,
                  "cmin": 0, "cmax": 1, "showscale": bar}  # fmt: skip
        if bar:
            colour["colorbar"] = {"title": {"text": "Value", "side": "top"}, "tickvals": [0, 1], "thickness": 12,
                                  "ticktext": ["low", "high"], "len": 0.6, "x": 1.02}  # fmt: skip
    figure.add_scatter(
        x=one.effect.tolist(), y=(at + 0.72 * one.offset).tolist(), mode="markers",
        marker={"size": 6, "opacity": 0.85, "line": {"width": 0}, **colour},
        customdata=[[one.name]] * len(one.effect) if interactive else None,
        hovertext=[points(v, 2) for v in one.effect], hovertemplate="%{hovertext}<extra></extra>",
    )  # fmt: skip


def _diamond(figure: Canvas, one: Swarm, chosen: str, at: int) -> None:
    i = one.patients.index(chosen)
    figure.add_scatter(
        x=[float(one.effect[i])], y=[at + 0.72 * float(one.offset[i])], mode="markers",
        marker={"symbol": "diamond", "size": 12, "color": INK, "line": {"width": 1.5, "color": "white"}},
        hovertext=[f"this patient {points(float(one.effect[i]), 2)}"], hovertemplate="%{hovertext}<extra></extra>",
    )  # fmt: skip


def _name(found: CohortExplanation, row: pd.Series, label: Label) -> str:
    words = shortened(label(str(row["name"])), 24)
    if not found.stable_ranks:
        return words
    low, high = int(row["rank_low"]), int(row["rank_high"])
    return f"{words} <span style='color:{MUTED}'>{int(row['rank'])} ({low}–{high})</span>"


def importance_figure(found: CohortExplanation, rows: pd.DataFrame, label: Label) -> go.Figure:
    """Mean size of each input's effect, with its standard deviation over the seeds."""
    figure = Canvas()
    names = [_name(found, row, label) for _, row in rows.iterrows()]
    spread = rows["std"].fillna(0.0)
    figure.add_scatter(
        x=rows["importance"].tolist(), y=list(range(len(rows))), mode="markers",
        marker={"size": 10, "color": ACCENT},
        error_x={"type": "data", "array": spread.tolist(), "color": ACCENT, "thickness": 1.6, "width": 4},
        hovertext=[f"{v:.2f} ± {s:.2f}" for v, s in zip(rows["importance"], spread, strict=True)],
        hovertemplate="%{hovertext}<extra></extra>", cliponaxis=False,
    )  # fmt: skip
    figure.update_layout(
        margin={"l": NAME_PX, "r": 30, "t": TOP_PX, "b": BOTTOM_PX}, dragmode=False,
        xaxis={"title": f"Mean size, {axis_words(found.month)}", "rangemode": "tozero"},
        yaxis={"tickvals": list(range(len(rows))), "ticktext": names, "range": [len(rows) - 0.4, -0.6]},
    )  # fmt: skip
    count = f"n {len(found.patients):,} patients · bars: ± SD over seeds"
    agreed = "" if found.rank_agreement is None else f" · rank correlation {found.rank_agreement:.2f}"
    title = "What counts most, and whether the seeds agree"
    titled(figure, title, count + agreed, found.synthetic, TOP_PX + BOTTOM_PX + 26 * max(4, len(rows)))
    return figure.figure()


def dependence_figure(found: CohortExplanation, name: str, label: Label, chosen: str = "") -> go.Figure:
    """Each patient's value of one input against its effect; ``chosen`` is marked with a diamond."""
    figure = Canvas()
    table = found.points(name)
    levels = found.categories.get(name, ())
    known = np.isfinite(table["value"])
    table = table[known]
    x = table["value"].to_numpy()
    if levels:
        x = x + 0.5 * swarm(found, name).offset[np.asarray(known)]
    mine = (table["patient"] == chosen).to_numpy()
    for inside, marker in (
        (~mine, {"size": 7, "color": ACCENT, "opacity": 0.75}),
        (mine, {"size": 13, "color": INK, "symbol": "diamond", "line": {"width": 1.5, "color": "white"}}),
    ):
        figure.add_scatter(
            x=x[inside].tolist(), y=table["contribution"].to_numpy()[inside].tolist(), mode="markers", marker=marker,
            hovertemplate="%{y:+.2f} percentage points<extra></extra>",
        )  # fmt: skip
    figure.add_shape(
        type="line", xref="paper", x0=0, x1=1, y0=0, y1=0, layer="below", line={"color": MUTED, "width": 1.2}
    )
    figure.update_layout(
        margin={"l": 78, "r": 24, "t": TOP_PX, "b": BOTTOM_PX}, dragmode=False,
        xaxis={"title": label(name), "gridcolor": FAINT},
        yaxis={"title": axis_words(found.month)},
    )  # fmt: skip
    if levels:
        figure.update_layout(xaxis={"tickvals": list(range(len(levels))), "ticktext": list(levels)})
    without = int((~known).sum())
    subtitle = f"n {len(table):,} patients" + (f" · {without} without a value" if without else "")
    titled(figure, f"How {label(name)} moves the estimate", subtitle, found.synthetic, 380)
    return figure.figure()
