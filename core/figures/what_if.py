"""A patient's curve as it is and under a change: what the models would estimate, not what a change would do."""

from __future__ import annotations

import pandas as pd
import plotly.graph_objects as go

from core.analysis.points import percent_of, points
from core.cohort.wording import plural
from core.figures.canvas import Canvas
from core.figures.theme import ACCENT, GROUP_COLOURS, MUTED, percent, titled
from core.results.what_if import TITLE, WhatIf, WhatIfCurve

HEIGHT = 430
CHANGED = GROUP_COLOURS[1]


def what_if_figure(found: WhatIf, month: float) -> go.Figure:
    """Before dashed, after solid, each with the range of the models; the month's numbers beside the curves."""
    figure = Canvas()
    same = not found.changed
    curves: list[tuple[str, WhatIfCurve, str, str]] = [("as recorded", found.before, ACCENT, "dash")]
    if not same:
        curves.append(("with the change", found.after, CHANGED, "solid"))
    times = found.times.tolist()
    for name, curve, colour, dash in curves:
        red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
        band = {"x": times, "mode": "lines", "hoverinfo": "skip", "line": {"width": 0}, "showlegend": False}
        figure.add_scatter(y=curve.high.tolist(), **band)
        figure.add_scatter(y=curve.low.tolist(), fill="tonexty", fillcolor=f"rgba({red},{green},{blue},0.12)", **band)
        figure.add_scatter(
            x=times, y=curve.survival.tolist(), mode="lines", name=name,
            line={"color": colour, "width": 2.6, "dash": dash},
            hovertext=[f"{name}<br>month {t:g}: {percent(s)}" for t, s in zip(times, curve.survival, strict=True)],
            hovertemplate="%{hovertext}<extra></extra>",
        )  # fmt: skip
    figure.add_shape(type="line", x0=month, x1=month, yref="paper", y0=0, y1=1, layer="below",
                     line={"color": MUTED, "width": 1.2, "dash": "dot"})  # fmt: skip
    before, after = found.at(month)
    words = f"month {month:g}<br><b>{percent_of(100 * before)}</b>"
    if not same:
        words += f" → <b>{percent_of(100 * after)}</b><br>{points(100 * (after - before))} points"
    figure.add_annotation(x=month, xshift=8, xanchor="left", y=0.98, yanchor="top", align="left", text=words,
                          showarrow=False, bgcolor="rgba(255,255,255,0.85)")  # fmt: skip
    figure.update_layout(
        margin={"l": 70, "r": 24, "t": 104, "b": 56}, dragmode=False,
        xaxis={"title": "Months", "range": [0, float(found.times[-1])], "dtick": 12},
        yaxis={"title": "Estimated survival", "range": [0, 1.02], "tickformat": ".0%"},
    )  # fmt: skip
    subtitle = f"1 patient · mean and range of {plural(found.models, 'model')} that never saw the patient"
    titled(figure, TITLE, subtitle, found.synthetic, HEIGHT)
    figure.update_layout(showlegend=True, legend={"orientation": "h", "x": 0, "y": 1, "yanchor": "bottom"})
    return figure.figure()


def what_if_table(found: WhatIf) -> pd.DataFrame:
    """The drawn numbers."""
    columns = {"month": found.times}
    for name, curve in (("as recorded", found.before), ("with the change", found.after)):
        columns |= {name: curve.survival, f"{name}, lowest model": curve.low, f"{name}, highest model": curve.high}
    return pd.DataFrame(columns)
