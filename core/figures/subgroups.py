"""How a run does among groups of patients: C with its interval, and how far its estimates lie from what happened."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from html import escape
from itertools import groupby

import plotly.graph_objects as go

from core.analysis.comparisons import interval
from core.analysis.patient_sentences import month_words
from core.analysis.subgroups import Subgroup
from core.figures.canvas import Canvas
from core.figures.theme import ACCENT, INK, MARK, MUTED, WARNING, shortened, titled
from core.statistics.estimate import Estimate

ROW, TOP, BOTTOM = 25, 84, 56
GAP = 0.55
"""Rows of space above the first group of a variable."""


def ranking_figure(groups: Sequence[Subgroup], badge: str, synthetic: bool) -> go.Figure:
    """Harrell's C of every group; 0.5 is a coin, the dotted line everybody's."""
    figure, height = _rows(groups, lambda g: g.c, lambda e: interval(e.value, e.low, e.high), "no C")
    everybody = groups[0].c.value if groups else None
    _upright(figure, 0.5, MARK)
    if everybody is not None:
        _upright(figure, everybody, ACCENT)
    titled(figure, "Ranking among groups", f"Harrell C, 95 % CI · {badge}", synthetic, height)
    figure.update_layout(xaxis={"title": "Harrell C", "range": [0.2, 1.0], "dtick": 0.1, "tickformat": ".1f"})
    return figure.figure()


def level_figure(groups: Sequence[Subgroup], month: float, badge: str, synthetic: bool) -> go.Figure:
    """Mean estimated minus observed survival of every group; right of 0 the run is too hopeful."""

    def words(e: Estimate) -> str:
        low, high = (None if v is None else 100 * v for v in (e.low, e.high))
        return interval(None if e.value is None else 100 * e.value, low, high, 0)

    figure, height = _rows(groups, lambda g: g.difference, words, "not estimable", 100.0)
    _upright(figure, 0.0, ACCENT)
    subtitle = f"estimated minus observed survival at {month_words(month)}, 95 % CI · {badge}"
    titled(figure, "Level among groups", subtitle, synthetic, height)
    figure.update_layout(xaxis={"title": "Percentage points; right of 0: too hopeful", "range": [-42, 42], "dtick": 20})
    return figure.figure()


def _rows(
    groups: Sequence[Subgroup],
    number: Callable[[Subgroup], Estimate],
    words: Callable[[Estimate], str],
    absent: str,
    scale: float = 1.0,
) -> tuple[Canvas, int]:
    """One line a group from the top down; names left, numbers right."""
    figure, place = Canvas(), 0.0
    for variable, members in groupby(groups, key=lambda g: g.variable):
        listed = list(members)
        if listed[0].level:
            place += GAP
            _text(figure, 0, place, f"<b>{escape(shortened(variable, 26))}</b>", MUTED, "left", -168)
            place += 1
        for group in listed:
            _row(figure, group, number(group), place, (words, absent, scale))
            place += 1
    height = int(TOP + BOTTOM + ROW * (place + 0.4))
    figure.update_layout(
        margin={"l": 180, "r": 132, "t": TOP, "b": BOTTOM},
        yaxis={"range": [place - 0.3, -0.7], "visible": False}, hovermode="closest",
    )  # fmt: skip
    return figure, height


def _row(
    figure: Canvas, group: Subgroup, found: Estimate, place: float,
    how: tuple[Callable[[Estimate], str], str, float],
) -> None:  # fmt: skip
    words, absent, scale = how
    name = group.level or group.variable
    _text(
        figure, 0, place, f"{shortened(name, 20)} <span style='color:{MUTED}'>n {group.n:,}</span>", INK, "left", -160
    )
    if found.value is None:
        _text(figure, 1, place, "too few" if group.c.value is None else absent, MUTED, "left", 8)
        return
    value = scale * found.value
    low, high = (value if v is None else scale * v for v in (found.low, found.high))
    off = scale != 1.0 and low * high > 0
    figure.add_scatter(
        x=[value], y=[place], mode="markers", name=name,
        marker={"size": 9 if group.level else 12, "color": WARNING if off else ACCENT,
                "symbol": "circle" if group.level else "diamond"},
        error_x={"type": "data", "symmetric": False, "array": [high - value], "arrayminus": [value - low],
                 "color": WARNING if off else ACCENT, "thickness": 1.5, "width": 0},
        hovertext=f"<b>{escape(f'{group.variable} {group.level}')}</b><br>{group.n:,} patients, "
        f"{group.events:,} events<br>{words(found)}", hovertemplate="%{hovertext}<extra></extra>",
    )  # fmt: skip
    _text(figure, 1, place, words(found), INK, "left", 8)


def _text(figure: Canvas, x: float, y: float, text: str, colour: str, anchor: str, shift: int) -> None:
    figure.add_annotation(
        x=x, xref="paper", xanchor=anchor, xshift=shift, y=y, yanchor="middle", showarrow=False, text=text,
        font={"color": colour, "size": 12},
    )  # fmt: skip


def _upright(figure: Canvas, x: float, colour: str) -> None:
    figure.add_shape(type="line", x0=x, x1=x, yref="paper", y0=0, y1=1, layer="below",
                     line={"color": colour, "width": 1.2, "dash": "dot"})  # fmt: skip
