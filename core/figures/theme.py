"""One look for every figure: colours with a role, tabular numbers, titles with subject and n.

Figures are drawn in the light palette, which is that of print; :func:`core.figures.paint.painted` gives them another.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

from core.figures.canvas import Canvas
from core.figures.palette import LIGHT

ACCENT = LIGHT.accent
INK = LIGHT.ink
MUTED = LIGHT.muted
FAINT = LIGHT.faint
GRID = LIGHT.hair
WARNING = LIGHT.warning
MARK = LIGHT.mark
GROUND = LIGHT.ground
GROUP_COLOURS = LIGHT.groups
DASHES = ("solid", "dash", "dot", "dashdot")
SYMBOLS = ("circle", "square", "diamond", "triangle-up", "x")
FONT = "Source Sans, Segoe UI, Helvetica Neue, Liberation Sans, Arial, sans-serif"
TITLE_PX = 72


@dataclass(frozen=True)
class Pen:
    """Colour, dash and marker of one group: never told apart by colour alone."""

    colour: str
    dash: str
    symbol: str

    def faint(self, opacity: float = 0.14) -> str:
        """The colour as ``rgba`` for a band."""
        red, green, blue = (int(self.colour[i : i + 2], 16) for i in (1, 3, 5))
        return f"rgba({red},{green},{blue},{opacity})"

    @property
    def ink(self) -> str:
        """The colour for words: the mark's own, darker where that is too pale to be read."""
        return ink_of(self.colour)


def pen(index: int) -> Pen:
    """The pen of the ``index``-th group: five colours, then the same colours with the next dash."""
    turn, place = divmod(index, len(GROUP_COLOURS))
    return Pen(GROUP_COLOURS[place], DASHES[turn % len(DASHES)], SYMBOLS[(place + turn) % len(SYMBOLS)])


def ink_of(colour: str) -> str:
    """The readable colour of the same kind as a group's ``colour``; any other colour is returned as it is."""
    return dict(zip(LIGHT.groups, LIGHT.inks, strict=True)).get(colour, colour)


def titled(figure: Canvas, title: str, subtitle: str, synthetic: bool, height: int) -> Canvas:
    """Give a figure the common look.

    Parameters
    ----------
    title, subtitle : str
        The subject, and on the second line how many patients it speaks of.
    synthetic : bool
        Adds "synthetic patients" to the second line, in words, so that no export can lose it.
    height : int
        Pixels.
    """
    words = f"{subtitle} · synthetic patients" if synthetic else subtitle
    figure.update_layout(
        title={
            "text": f"<b>{title}</b>",
            "subtitle": {"text": words, "font": {"size": 13, "color": WARNING if synthetic else MUTED}},
            "x": 0, "xref": "container", "xanchor": "left", "y": 1, "yref": "container", "yanchor": "top",
            "pad": {"t": 10, "l": 10}, "font": {"size": 16, "color": INK, "family": FONT},
        },
        font={"family": FONT, "size": 13, "color": INK},
        paper_bgcolor="white",
        plot_bgcolor="white",
        height=height,
        showlegend=False,
        hoverlabel={"font": {"family": FONT, "size": 13}, "bgcolor": "white", "bordercolor": FAINT},
        modebar={"bgcolor": "rgba(0,0,0,0)", "color": MUTED, "activecolor": ACCENT},
    )  # fmt: skip
    figure.update_xaxes(title={"font": {"size": 13, "color": MUTED}})
    figure.update_yaxes(title={"font": {"size": 13, "color": MUTED}, "standoff": 12})
    figure.update_xaxes(gridcolor=GRID, linecolor=MUTED, ticks="outside", tickcolor=MUTED, zeroline=False)
    figure.update_yaxes(gridcolor=GRID, linecolor=MUTED, ticks="outside", tickcolor=MUTED, zeroline=False)
    return figure


def spread(positions: list[float], gap: float) -> list[float]:
    """Move label positions apart until neighbours are at least ``gap`` away, keeping their order."""
    order = sorted(range(len(positions)), key=lambda i: positions[i])
    placed = list(positions)
    for before, after in itertools.pairwise(order):
        placed[after] = max(placed[after], placed[before] + gap)
    return placed


def shortened(text: str, width: int) -> str:
    """``text`` cut to ``width`` characters with an ellipsis."""
    return text if len(text) <= width else text[: width - 1].rstrip() + "…"


def percent(value: float) -> str:
    """A share as whole percent; one decimal below 1 % so that "0 %" means zero."""
    return f"{100 * value:.0f} %" if value == 0 or value >= 0.01 else f"{100 * value:.1f} %"
