"""What sets a group apart: effect size against the p-value, one point a column, gene or image feature."""

from __future__ import annotations

from typing import Any

import numpy as np
import plotly.graph_objects as go

from core.analysis.profile import IMAGE_KINDS, LEVEL, Profile
from core.figures.canvas import Canvas
from core.figures.theme import ACCENT, GROUP_COLOURS, INK, MUTED, shortened, titled

NAMED = 10
HEIGHT, TOP_PX, BOTTOM_PX, LINE_PX = 460, 96, 58, 15
_MARKS = {
    "genes": ("circle", ACCENT),
    "clinical values": ("diamond", GROUP_COLOURS[1]),
    "image features": ("square", GROUP_COLOURS[3]),
}


def volcano_figure(found: Profile, subject: str, versus: str, synthetic: bool) -> go.Figure:
    """Filled above the line of q < 0.05, open below; the ten smallest p-values carry their names."""
    figure = Canvas()
    table = found.table.assign(height=-np.log10(np.clip(found.table["p"].to_numpy(), 1e-300, 1)))
    sure = table["q"] < LEVEL
    kinds = table["kind"].map(_drawn_as)
    for kind, (symbol, colour) in _MARKS.items():
        inside = kinds == kind
        if not inside.any():
            continue
        for keep, suffix in ((inside & sure, ""), (inside & ~sure, "-open")):
            part = table[keep]
            figure.add_scatter(
                x=part["effect"].tolist(), y=part["height"].tolist(), mode="markers", name=kind,
                legendgroup=kind, showlegend=not suffix or not bool((inside & sure).any()),
                marker={"symbol": symbol + suffix, "size": 8, "color": colour, "opacity": 0.85, "line": {"width": 1.2}},
                hovertext=[_words(row) for row in part.to_dict("records")], hovertemplate="%{hovertext}<extra></extra>",
            )  # fmt: skip
    if sure.any():
        line = float(table.loc[sure, "height"].min())
        figure.add_shape(type="line", xref="paper", x0=0, x1=1, y0=line, y1=line, layer="below",
                         line={"color": MUTED, "dash": "dot", "width": 1.2})  # fmt: skip
        figure.add_annotation(x=1, xref="paper", xanchor="right", y=line, yanchor="bottom", showarrow=False,
                              text="above: q < 0.05", font={"size": 12, "color": MUTED})  # fmt: skip
    reach = max(0.2, 1.45 * float(table["effect"].abs().max()))
    top = _names(figure, table[sure].head(NAMED).to_dict("records"), reach, float(table["height"].max()))
    figure.update_layout(
        margin={"l": 70, "r": 24, "t": TOP_PX, "b": BOTTOM_PX}, dragmode=False,
        xaxis={"title": "Effect (rank-biserial; below 0: lower in the group)", "range": [-reach, reach]},
        yaxis={"title": "−log₁₀ p", "range": [0, top]},
    )  # fmt: skip
    subtitle = (
        f"n {found.inside:,} against {found.outside:,} ({versus}) · {int(sure.sum()):,} of {len(table):,} with q < 0.05"
    )
    titled(figure, f"What sets {subject} apart", f"{subtitle} (Benjamini-Hochberg)", synthetic, HEIGHT)
    figure.update_layout(
        showlegend=True, legend={"orientation": "h", "x": 1, "xanchor": "right", "y": 1, "yanchor": "bottom"}
    )
    return figure.figure()


def _drawn_as(kind: str) -> str:
    if kind == "gene":
        return "genes"
    return "image features" if kind in IMAGE_KINDS.values() else "clinical values"


def _places(rows: list[dict[str, Any]], reach: float, pixels: float) -> list[float]:
    """Pixels above the axis of each name at ``pixels`` a unit; one that would cover an earlier one stands above it."""
    placed: list[tuple[float, float]] = []
    for row in rows:
        x, at = float(row["effect"]), pixels * float(row["height"])
        for other, height in sorted(placed, key=lambda p: p[1]):
            if abs(other - x) < 0.4 * reach and abs(height - at) < LINE_PX:
                at = height + LINE_PX
        placed.append((x, at))
    return [at for _, at in placed]


def _names(figure: Canvas, rows: list[dict[str, Any]], reach: float, highest: float) -> float:
    """The names beside their points, the lower ones first; the upper end of an axis that has room for all of them."""
    rows = sorted(rows, key=lambda r: float(r["height"]))
    room = HEIGHT - TOP_PX - BOTTOM_PX
    pixels = room / max(1.06 * highest, 1e-9)
    places = _places(rows, reach, pixels)
    for _ in range(10):  # a smaller scale brings the points, and with them other names, closer together
        above = max(places, default=0.0) + LINE_PX / 2 - room
        if above <= 0:
            break
        pixels *= 1 - min(above / room, 0.5)
        places = _places(rows, reach, pixels)
    for row, at in zip(rows, places, strict=True):
        x, shift = float(row["effect"]), round(at - pixels * float(row["height"]))
        figure.add_annotation(
            x=x, y=row["height"], text=shortened(str(row["name"]), 26), showarrow=False, yshift=shift,
            xanchor="right" if x < 0 else "left", xshift=-8 if x < 0 else 8, font={"size": 12, "color": INK},
        )  # fmt: skip
    return room / pixels


def _words(row: dict[str, object]) -> str:
    return f"{row['name']} ({row['kind']})<br>effect {row['effect']:+.2f}, p {row['p']:.2g}, q {row['q']:.2g}"
