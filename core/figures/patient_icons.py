"""A hundred patients like this one, as a grid: filled for those without the event, hollow for the others."""

from __future__ import annotations

import plotly.graph_objects as go

from core.analysis.patient_estimate import Number
from core.analysis.patient_presentations import icons
from core.analysis.patient_sentences import count_words, percent_words
from core.figures.canvas import Canvas
from core.figures.theme import ACCENT, INK, MUTED, WARNING, titled

HEIGHT = 400


def icons_figure(number: Number, state: str, title: str, synthetic: bool) -> go.Figure:
    """Ten rows of ten, filled from the top left; told apart by filling, not by colour alone."""
    figure, filled = Canvas(), icons(number)
    for which, name, marker in (
        (True, state, {"color": ACCENT, "symbol": "circle", "line": {"width": 0}}),
        (False, f"not {state}", {"color": WARNING, "symbol": "circle-open", "line": {"width": 1.6}}),
    ):
        places = [i for i, f in enumerate(filled) if f is which]
        figure.add_scatter(
            x=[i % 10 for i in places], y=[i // 10 for i in places], mode="markers", name=name,
            marker={"size": 17, **marker}, hovertemplate=f"{name}<extra></extra>",
        )  # fmt: skip
    titled(figure, title, f"each circle is one of 100 patients like this one: filled = {state}", synthetic, HEIGHT)
    words = [
        (3.1, f"<b>{percent_words(number.value)}</b>", 30, ACCENT),
        (4.5, state, 15, INK),
        (5.7, f"{100 - number.of_hundred} of 100 are not", 13, MUTED),
    ]
    if number.low is not None and number.high is not None:
        words.append((6.9, f"models say {count_words(number.low)} to {count_words(number.high)}", 13, MUTED))
    for row, text, size, colour in words:
        figure.add_annotation(
            x=10.6, y=row, text=text, showarrow=False, xanchor="left", font={"size": size, "color": colour}
        )
    figure.update_layout(
        margin={"l": 14, "r": 14, "t": 66, "b": 10}, dragmode=False, hovermode="closest",
        xaxis={"range": [-0.7, 17], "visible": False, "fixedrange": True},
        yaxis={"range": [9.7, -0.7], "visible": False, "fixedrange": True, "scaleanchor": "x"},
    )  # fmt: skip
    return figure.figure()
