"""Figures of the Cohort page: which data patients have, and what the clinical columns look like."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from core.analysis.cohort_overview import ColumnSummary, ModalityPattern
from core.figures.canvas import Canvas
from core.figures.palette import LIGHT
from core.figures.theme import ACCENT, FAINT, INK, MARK, MUTED, shortened, titled

CHART_PX = 236
_EVERYBODY = {"color": LIGHT.rest, "line": {"width": 1, "color": MARK}}


def modality_figure(
    patterns: Sequence[ModalityPattern], modalities: Sequence[str], n: int, total: int, synthetic: bool
) -> go.Figure:
    """UpSet-style chart: a bar for each combination of modalities, dots under it saying which ones.

    A click on a bar or on its dots carries the combination (``customdata``), words joined by ``+``.

    Parameters
    ----------
    patterns : sequence of ModalityPattern
        Largest first.
    modalities : sequence of str
        Rows of the dot matrix, top down.
    n, total : int
        Patients selected and in the cohort.
    """
    x = list(range(len(patterns)))
    codes = [[p.code] for p in patterns]
    hover = [f"<b>{p.words}</b><br>{p.selected} selected of {p.total}" for p in patterns]
    figure = Canvas()
    shared = {"x": x, "customdata": codes, "hovertext": hover, "hovertemplate": "%{hovertext}<extra></extra>"}
    figure.add_bar(y=[p.total for p in patterns], marker=_EVERYBODY, width=0.62, **shared)
    figure.add_bar(
        y=[p.selected for p in patterns], marker={"color": ACCENT}, width=0.62, text=[p.selected for p in patterns],
        textposition="outside", cliponaxis=False, textangle=0, constraintext="none",
        textfont={"color": INK, "size": 12}, **shared,
    )  # fmt: skip
    for row, modality in enumerate(modalities):
        have = [modality in p.modalities for p in patterns]
        figure.add_scatter(
            y=[row] * len(x), yaxis="y2", mode="markers", **shared,
            marker={"size": 13, "color": [ACCENT if h else "white" for h in have],
                    "line": {"width": 1.5, "color": [ACCENT if h else MUTED for h in have]}},
        )  # fmt: skip
    matrix = 26 * len(modalities)
    height = 84 + 170 + matrix + 20
    share = matrix / (170 + matrix)
    top = max((p.total for p in patterns), default=1)
    figure.update_layout(
        margin={"l": 86, "r": 12, "t": 84, "b": 14}, barmode="overlay", dragmode=False, clickmode="event+select",
        xaxis={"visible": False, "range": [-0.6, max(len(x), 4) - 0.4], "fixedrange": True},
        yaxis={"domain": [share + 0.03, 1], "range": [0, top * 1.16], "title": "Patients", "fixedrange": True,
               "nticks": 4},
        yaxis2={"domain": [0, share], "range": [len(modalities) - 0.5, -0.5], "fixedrange": True,
                "tickvals": list(range(len(modalities))), "ticktext": list(modalities), "showgrid": False},
    )  # fmt: skip
    titled(figure, "Which data the patients have", f"{n} of {total} patients selected", synthetic, height)
    figure.update_yaxes(ticks="")
    return figure.figure()


def column_figure(summary: ColumnSummary, synthetic: bool) -> go.Figure:
    """Distribution of one column: everybody pale, the selected patients in the accent colour on top.

    Categories are bars with ``customdata`` = the value's text; numbers are bins with ``customdata`` = (from, to).
    """
    figure = Canvas()
    if summary.numeric:
        _histogram(figure, summary)
    else:
        _bars(figure, summary)
    missing = f" · missing in {summary.missing}" if summary.missing else ""
    unit = f" ({summary.unit})" if summary.unit else ""
    titled(
        figure, f"{_begun(shortened(summary.label, 34))}{unit}", f"{summary.n} selected{missing}", synthetic,
        CHART_PX if summary.numeric else max(CHART_PX, 92 + 24 * len(summary.names)),
    )  # fmt: skip
    figure.update_layout(barmode="overlay", bargap=0.06, dragmode="select" if summary.numeric else False)
    figure.update_layout(title={"font": {"size": 14}}, clickmode="event+select")
    return figure.figure()


def _begun(words: str) -> str:
    """The first letter large, as in every title."""
    return words[:1].upper() + words[1:]


def _histogram(figure: Canvas, summary: ColumnSummary) -> None:
    edges = summary.edges
    centre, width = (edges[:-1] + edges[1:]) / 2, np.diff(edges)
    spans = [[f"{a:.6g}", f"{b:.6g}"] for a, b in itertools.pairwise(edges)]
    hover = [
        f"{a} to {b}<br>{s} selected of {t}"
        for (a, b), s, t in zip(spans, summary.selected, summary.total, strict=True)
    ]
    shared = {"x": centre, "width": width * 0.94, "customdata": spans, "hovertext": hover}
    for values, marker in ((summary.total, _EVERYBODY), (summary.selected, {"color": ACCENT})):
        figure.add_bar(y=values, marker=marker, hovertemplate="%{hovertext}<extra></extra>", **shared)
    figure.update_layout(margin={"l": 44, "r": 12, "t": 68, "b": 34}, yaxis={"nticks": 4, "fixedrange": True})
    figure.update_xaxes(fixedrange=True, showgrid=False)


def _bars(figure: Canvas, summary: ColumnSummary) -> None:
    names = [shortened(name, 22) for name in summary.names]
    shares = [f"{s}" if s == t else f"{s} / {t}" for s, t in zip(summary.selected, summary.total, strict=True)]
    shared = {
        "y": names, "orientation": "h", "customdata": [[name] for name in summary.names],
        "hovertext": [f"<b>{n}</b><br>{s} selected of {t}"
                      for n, s, t in zip(summary.names, summary.selected, summary.total, strict=True)],
        "hovertemplate": "%{hovertext}<extra></extra>",
    }  # fmt: skip
    figure.add_bar(x=summary.total, marker=_EVERYBODY, text=shares, textposition="outside", cliponaxis=False, **shared)
    figure.add_bar(x=summary.selected, marker={"color": ACCENT}, **shared)
    figure.update_xaxes(fixedrange=True, visible=False, range=[0, 1.28 * float(max(max(summary.total, default=1), 1))])
    figure.update_yaxes(autorange="reversed", fixedrange=True, type="category", ticks="", showgrid=False)
    figure.update_layout(margin={"l": 10, "r": 12, "t": 68, "b": 10}, yaxis={"automargin": True, "linecolor": FAINT})
