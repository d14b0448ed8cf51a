"""What switching an expert or a modality off does to every patient's estimate."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go

from core.analysis.points import axis_words, points
from core.arrays import FloatArray
from core.figures.canvas import Canvas
from core.figures.theme import ACCENT, INK, MUTED, Pen, titled

ROW_PX, TOP_PX, BOTTOM_PX = 40, 84, 60
_OWN = Pen(ACCENT, "solid", "circle")


@dataclass(frozen=True, eq=False)
class OffRow:
    """One row: what is switched off, and the change of each patient's estimate in percentage points (NaN = no part)."""

    name: str
    change: FloatArray


def switch_off_figure(
    rows: Sequence[OffRow], month: float, ids: tuple[str, ...], title: str, subtitle: str, synthetic: bool,
    chosen: str = "", interactive: bool = True,
) -> go.Figure:  # fmt: skip
    """A point a patient, the middle half as a bar, the median as a line; the chosen patient as a diamond."""
    figure = Canvas()
    random = np.random.default_rng(0)
    for at, row in enumerate(rows):
        known = np.flatnonzero(np.isfinite(row.change))
        if not len(known):
            figure.add_annotation(x=0, y=at, text="nobody", showarrow=False, font={"color": MUTED})
            continue
        values = row.change[known]
        low, middle, high = np.quantile(values, (0.25, 0.5, 0.75))
        figure.add_scatter(
            x=values.tolist(), y=(at + random.uniform(-0.28, 0.28, len(known))).tolist(), mode="markers",
            marker={"size": 5, "color": _OWN.faint(0.45), "line": {"width": 0.8, "color": ACCENT}},
            customdata=[[ids[i]] for i in known.tolist()] if interactive else None,
            hovertext=[(f"{ids[i]}<br>" if interactive else "") + f"{points(v, 2)} points"
                       for i, v in zip(known.tolist(), values, strict=True)],
            hovertemplate="%{hovertext}<extra></extra>", selected={"marker": {"opacity": 1}},
            unselected={"marker": {"opacity": 1}},
        )  # fmt: skip
        figure.add_shape(type="rect", x0=low, x1=high, y0=at - 0.34, y1=at + 0.34,
                         line={"color": INK, "width": 1.2}, fillcolor="rgba(0,0,0,0)")  # fmt: skip
        figure.add_shape(
            type="line", x0=middle, x1=middle, y0=at - 0.34, y1=at + 0.34, line={"color": INK, "width": 2.6}
        )
        figure.add_annotation(x=1, xref="paper", xanchor="left", xshift=8, y=at, showarrow=False, align="left",
                              text=f"median {points(float(middle), 2)}<br>size {np.abs(values).mean():.2f}",
                              font={"size": 11, "color": MUTED})  # fmt: skip
        if interactive and chosen in ids and np.isfinite(row.change[ids.index(chosen)]):
            figure.add_scatter(
                x=[float(row.change[ids.index(chosen)])], y=[at], mode="markers", hoverinfo="skip",
                marker={"symbol": "diamond", "size": 12, "color": INK, "line": {"width": 1.5, "color": "white"}},
            )  # fmt: skip
    figure.add_shape(type="line", x0=0, x1=0, yref="paper", y0=0, y1=1, layer="below",
                     line={"color": MUTED, "width": 1.2, "dash": "dot"})  # fmt: skip
    figure.update_layout(
        margin={"l": 150, "r": 110, "t": TOP_PX, "b": BOTTOM_PX}, dragmode=False,
        xaxis={"title": f"Change when off, {axis_words(month)} (below 0: it had raised survival)"},
        yaxis={"tickvals": list(range(len(rows))), "ticktext": [r.name for r in rows],
               "range": [len(rows) - 0.4, -0.6], "showgrid": False},
    )  # fmt: skip
    titled(figure, title, subtitle, synthetic, TOP_PX + BOTTOM_PX + ROW_PX * max(2, len(rows)))
    figure.update_yaxes(ticks="", linecolor="rgba(0,0,0,0)")
    return figure.figure()
