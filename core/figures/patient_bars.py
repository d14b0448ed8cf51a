"""The estimate at each horizon of the run as a bar, with the model spread."""

from __future__ import annotations

import plotly.graph_objects as go

from core.analysis.patient_presentations import Bar
from core.analysis.patient_sentences import month_words
from core.figures.canvas import Canvas
from core.figures.palette import LIGHT
from core.figures.theme import ACCENT, INK, MUTED, titled

HEIGHT = 400


def bars_figure(bars: tuple[Bar, ...], month: float, state: str, title: str, synthetic: bool) -> go.Figure:
    """One bar a horizon, the shown one in full colour; a horizon without an estimate says so."""
    figure = Canvas()
    rows = list(range(len(bars)))
    figure.add_bar(
        y=rows, x=[b.length or 0 for b in bars], orientation="h", width=0.56, name=state,
        marker={"color": [ACCENT if b.month == month else LIGHT.pale for b in bars],
                "line": {"width": 1, "color": ACCENT}},
        hovertext=[f"{month_words(b.month)}: {b.words}" for b in bars], hovertemplate="%{hovertext}<extra></extra>",
        error_x={"type": "data", "symmetric": False, "color": INK, "thickness": 1.4, "width": 5,
                 "array": [_gap(b.high, b.length) for b in bars],
                 "arrayminus": [_gap(b.length, b.low) for b in bars]},
    )  # fmt: skip
    for row, bar in zip(rows, bars, strict=True):
        figure.add_annotation(
            x=max(bar.high or 0, bar.length or 0) + 2, y=row, xanchor="left", showarrow=False,
            text=f"<b>{bar.words}</b>" if bar.length is not None else bar.words,
            font={"size": 16 if bar.month == month else 14, "color": INK if bar.length is not None else MUTED},
        )  # fmt: skip
    titled(figure, title, "bar: estimate; line: how far the models differ", synthetic, HEIGHT)
    figure.update_layout(
        margin={"l": 80, "r": 20, "t": 66, "b": 46}, dragmode=False,
        xaxis={"range": [0, 119], "tickvals": [0, 25, 50, 75, 100], "fixedrange": True,
               "ticktext": ["0 %", "25 %", "50 %", "75 %", "100 %"],
               "title": {"text": f"{state[:1].upper()}{state[1:]}"}},
        yaxis={"tickvals": rows, "ticktext": [month_words(b.month) for b in bars],
               "range": [len(bars) - 0.4, -0.6], "showgrid": False, "fixedrange": True},
    )  # fmt: skip
    return figure.figure()


def _gap(upper: int | None, lower: int | None) -> int:
    return 0 if upper is None or lower is None else upper - lower
