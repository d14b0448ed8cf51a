"""Self-correlation of a patient's tokens before and after the shared expert, as heat maps (HDMoE's Figure 5)."""

from __future__ import annotations

import plotly.graph_objects as go

from core.figures.canvas import Canvas
from core.figures.panels import panel_grid
from core.figures.theme import ACCENT, GROUND, WARNING, titled
from core.statistics.self_correlation import SelfCorrelation

SIDE_PX = 190
COLOURS = [[0.0, WARNING], [0.5, GROUND], [1.0, ACCENT]]


def token_heatmaps(
    rows: dict[str, tuple[SelfCorrelation, SelfCorrelation]], title: str, subtitle: str, synthetic: bool = False
) -> go.Figure:
    """One row a modality: mean correlation of its tokens before (left) and after (right) the shared expert."""
    figure = Canvas()
    captions = [
        [f"{name}, {when}: mean |r| off the diagonal {r.redundancy:.2f}" for when, r in zip(_WHEN, pair, strict=True)]
        for name, pair in rows.items()
    ]
    panels = panel_grid(figure, captions, gap_x=0.12, gap_y=0.22)
    for line, pair in zip(panels, rows.values(), strict=True):
        for panel, found in zip(line, pair, strict=True):
            names = [f"token {i + 1}" for i in range(len(found.mean))]
            figure.add_heatmap(
                z=found.mean.tolist(), x=names, y=names, xaxis=panel.x, yaxis=panel.y, zmin=-1, zmax=1,
                colorscale=COLOURS, texttemplate="%{z:.2f}", textfont={"size": 12}, showscale=False, xgap=1, ygap=1,
                hovertemplate="%{y} with %{x}: %{z:.3f}<extra></extra>",
            )  # fmt: skip
    titled(figure, title, subtitle, synthetic, 130 + len(rows) * (SIDE_PX + 50))
    figure.update_layout(margin={"l": 70, "r": 20, "t": 100, "b": 40})
    figure.update_xaxes(showgrid=False)
    figure.update_yaxes(showgrid=False, autorange="reversed")
    return figure.figure()


_WHEN = ("before", "after")
