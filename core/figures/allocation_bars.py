"""How much each expert of a module is used: assignments as bars, gate weight as marks (HDMoE's Figure 6)."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from core.figures.canvas import Canvas
from core.figures.panels import panel_grid
from core.figures.theme import ACCENT, GROUP_COLOURS, INK, titled
from core.statistics.allocation import Allocation

ROW_PX = 170


def allocation_bars(
    rows: dict[str, dict[str, tuple[Allocation, ...]]], title: str, subtitle: str, synthetic: bool = False
) -> go.Figure:
    """One row a cohort, one panel a module; experts from the most to the least used, bars with the range over models.

    Parameters
    ----------
    rows : cohort → module → one allocation a trained model
    """
    figure = Canvas()
    captions = [
        [f"{cohort}, {module}" if len(rows) > 1 else module for module in modules] for cohort, modules in rows.items()
    ]
    panels = panel_grid(figure, captions, gap_x=0.06, gap_y=0.09)
    for line, modules in zip(panels, rows.values(), strict=True):
        for panel, allocations in zip(line, modules.values(), strict=True):
            ranked = [a.ranked() for a in allocations]
            load, mass = (np.array([getattr(a, name) for a in ranked]) for name in ("load", "mass"))
            places = list(range(1, load.shape[1] + 1))
            mean = load.mean(axis=0)
            figure.add_bar(
                x=places, y=mean.tolist(), xaxis=panel.x, yaxis=panel.y, marker={"color": ACCENT}, name="assignments",
                error_y={
                    "type": "data", "symmetric": False, "array": (load.max(axis=0) - mean).tolist(),
                    "arrayminus": (mean - load.min(axis=0)).tolist(), "thickness": 1.2, "width": 3, "color": INK,
                },
            )  # fmt: skip
            figure.add_scatter(
                x=places, y=mass.mean(axis=0).tolist(), xaxis=panel.x, yaxis=panel.y, mode="markers",
                marker={"symbol": "line-ew", "size": 16, "line": {"width": 2.4, "color": GROUP_COLOURS[1]}},
                name="gate weight",
            )  # fmt: skip
    titled(figure, title, subtitle, synthetic, 130 + len(rows) * ROW_PX)
    figure.update_layout(margin={"l": 60, "r": 20, "t": 100, "b": 50}, bargap=0.3)
    figure.update_xaxes(dtick=1)
    largest = max(float(a.load.max()) for modules in rows.values() for shares in modules.values() for a in shares)
    top = min(1.0, np.ceil(4.2 * largest) / 4)
    figure.update_yaxes(range=[0, top], tickformat=".0%", dtick=0.25 if top <= 0.5 else 0.5)
    for panel in panels[-1]:
        figure.update_layout(**{panel.x_layout: {"title": {"text": "Experts, most used first"}}})
    return figure.figure()
