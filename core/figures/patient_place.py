"""Where one patient's estimate stands among those of the other patients."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from core.analysis.patient_estimate import Number
from core.analysis.patient_sentences import percent_words
from core.arrays import FloatArray
from core.figures.canvas import Canvas
from core.figures.theme import ACCENT, FAINT, INK, MARK, titled

HEIGHT, BINS = 200, 25


def place_figure(others: FloatArray, own: Number, title: str, state: str, synthetic: bool) -> go.Figure:
    """A strip of bars: how many others have which estimate; the patient's own as a line with its number.

    ``others`` (n,) estimates of the other patients at the same month, NaN left out.
    """
    known = others[np.isfinite(others)]
    counts, edges = np.histogram(known, np.linspace(0, 1, BINS + 1))
    figure = Canvas()
    figure.add_bar(
        x=(edges[:-1] + edges[1:]) / 2, y=counts, width=0.9 / BINS, name="other patients",
        marker={"color": FAINT, "line": {"width": 1, "color": MARK}},
        hovertemplate="%{y} patients near %{x:.0%}<extra></extra>",
    )  # fmt: skip
    top = float(max(counts.max(), 1))
    figure.add_shape(type="line", x0=own.value, x1=own.value, y0=0, y1=top * 1.12,
                     line={"color": ACCENT, "width": 3})  # fmt: skip
    right = own.value > 0.7
    figure.add_annotation(
        x=own.value, y=top * 1.12, text=f"<b>This patient {percent_words(own.value)}</b>", showarrow=False,
        xanchor="right" if right else "left", xshift=-6 if right else 6, yanchor="middle",
        font={"size": 13, "color": INK},
    )  # fmt: skip
    titled(figure, title, f"{len(known):,} other patients of the run", synthetic, HEIGHT)
    figure.update_layout(
        margin={"l": 26, "r": 30, "t": 66, "b": 42}, dragmode=False, bargap=0,
        xaxis={"range": [0, 1], "tickformat": ".0%", "dtick": 0.25, "fixedrange": True,
               "title": {"text": f"Estimated to be {state}"}},
        yaxis={"visible": False, "range": [0, top * 1.3], "fixedrange": True},
    )  # fmt: skip
    return figure.figure()
