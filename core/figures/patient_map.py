"""Patients on a plane, coloured by one variable."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from core.analysis.map_colours import Colour
from core.arrays import BoolArray, FloatArray
from core.figures.canvas import Canvas
from core.figures.palette import LIGHT
from core.figures.theme import INK, MARK, pen, shortened, titled
from core.results.routing_record import PatientMap

HEIGHT = 560
NUMBERS = [[0.0, LIGHT.rest], [0.5, LIGHT.middle], [1.0, LIGHT.deep]]
MOST_GROUPS = 8
_OTHERS: dict[str, object] = {"color": MARK, "size": 5, "symbol": "circle-open"}
_NOT_KNOWN: dict[str, object] = {"color": MARK, "size": 8, "symbol": "x-thin", "line": {"width": 1.4, "color": MARK}}


def patient_map(
    found: PatientMap, method: str, colour: Colour, ids: tuple[str, ...], inside: BoolArray, synthetic: bool,
    space: str, chosen: str = "", interactive: bool = True,
) -> go.Figure:  # fmt: skip
    """One point a patient; those not selected are faint, the chosen one is a large diamond.

    Parameters
    ----------
    inside : (n,) bool
        The selected patients.
    """
    figure = Canvas()
    x, y = found.points[:, 0].astype(float), found.points[:, 1].astype(float)
    _scatter(figure, x, y, ~inside, ids, _OTHERS, "not selected", interactive)
    if colour.numbers is not None:
        _numbers(figure, x, y, colour, ids, inside, interactive)
    else:
        _groups(figure, x, y, colour, ids, inside, interactive)
    if interactive and chosen in ids:
        i = ids.index(chosen)
        figure.add_scatter(
            x=[x[i]], y=[y[i]], mode="markers", hoverinfo="skip", showlegend=False,
            marker={"symbol": "diamond-open", "size": 18, "color": INK, "line": {"width": 2.4}},
        )  # fmt: skip
    figure.update_layout(
        margin={"l": 66, "r": 30, "t": 96, "b": 58}, dragmode=False,
        xaxis={"title": _begun(found.axes[0]), "showticklabels": False},
        yaxis={"title": _begun(found.axes[1]), "showticklabels": False},
    )  # fmt: skip
    subtitle = f"n {int(inside.sum()):,} · {method} of {space} · out of fold · coloured by {colour.name}"
    titled(figure, "Patients as the model sees them", subtitle, synthetic, HEIGHT)
    figure.update_xaxes(ticks="")
    figure.update_yaxes(ticks="")
    figure.update_layout(showlegend=colour.numbers is None, legend={"x": 1.01, "y": 1, "font": {"size": 12}})
    return figure.figure()


def _begun(words: str) -> str:
    return words[:1].upper() + words[1:]


def _numbers(figure: Canvas, x: FloatArray, y: FloatArray, colour: Colour, ids: tuple[str, ...], inside: BoolArray,
             interactive: bool) -> None:  # fmt: skip
    assert colour.numbers is not None  # noqa: S101
    known = np.isfinite(colour.numbers)
    _scatter(figure, x, y, inside & ~known, ids, _NOT_KNOWN, "not known", interactive)
    keep = inside & known
    marker = {"size": 9, "color": colour.numbers[keep].tolist(), "colorscale": NUMBERS, "showscale": True,
              "line": {"width": 1, "color": MARK},
              "colorbar": {"title": {"text": shortened(_begun(colour.name), 40), "side": "right"},
                           "thickness": 12}}  # fmt: skip
    words = [f"{colour.name} {v:.4g}" for v in colour.numbers[keep]]
    _scatter(figure, x, y, keep, ids, marker, colour.name, interactive, words)


def _groups(figure: Canvas, x: FloatArray, y: FloatArray, colour: Colour, ids: tuple[str, ...], inside: BoolArray,
            interactive: bool) -> None:  # fmt: skip
    words = np.array(colour.words, dtype=object)
    names = sorted({w for w in words[inside] if w})
    for i, name in enumerate(names):
        keep = inside & (words == name)
        ink = pen(i)
        marker = {"size": 9, "color": ink.colour, "symbol": ink.symbol}
        _scatter(figure, x, y, keep, ids, marker, f"{name} ({int(keep.sum())})", interactive)
    _scatter(figure, x, y, inside & (words == ""), ids, _NOT_KNOWN, "not known", interactive)


def _scatter(
    figure: Canvas, x: FloatArray, y: FloatArray, keep: BoolArray, ids: tuple[str, ...], marker: dict[str, object],
    name: str, interactive: bool, words: list[str] | None = None,
) -> None:  # fmt: skip
    if not keep.any():
        return
    rows = np.flatnonzero(keep)
    said = words or [name] * len(rows)
    hover = [f"{ids[i]}<br>{w}" if interactive else w for i, w in zip(rows, said, strict=True)]
    figure.add_scatter(
        x=x[rows].tolist(), y=y[rows].tolist(), mode="markers", name=name, marker=marker,
        customdata=[[ids[i]] for i in rows] if interactive else None, hovertext=hover,
        hovertemplate="%{hovertext}<extra></extra>", selected={"marker": {"opacity": 1}},
        unselected={"marker": {"opacity": 1}},
    )  # fmt: skip
