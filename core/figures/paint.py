"""A figure in another palette: the same drawing with each colour replaced by the one that has its role there."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from typing import Any

import plotly.graph_objects as go

from core.figures.palette import LIGHT, Palette

_WORDS = {"white": LIGHT.ground, "black": LIGHT.groups[4]}
_RGBA = re.compile(r"rgba?\((\d+),\s*(\d+),\s*(\d+)(?:,\s*([\d.]+))?\)")
_STYLED = re.compile(r"(?<=color:)(#[0-9A-Fa-f]{6})\b")
_WRITTEN = frozenset({"text", "ticktext", "name"})


class Painted(go.Figure):  # type: ignore[misc]  # plotly has no types
    """A figure in another palette: what is written of it (``to_dict``, ``to_json``) has that palette's colours.

    The drawing is already checked by plotly; checking it again would cost as much as drawing it.
    """

    def __init__(self, drawing: go.Figure, palette: Palette) -> None:
        super().__init__()
        self._drawing, self._palette = drawing, palette

    def to_dict(self) -> dict[str, Any]:
        """The drawing as plotly writes it, in the palette."""
        return {part: _walk(value, self._palette) for part, value in self._drawing.to_dict().items()}


def painted(figure: go.Figure, palette: Palette) -> go.Figure:
    """``figure``, which was drawn in :data:`~core.figures.palette.LIGHT`, in ``palette``; the given one stays as it is.

    Only colours are replaced, wherever plotly keeps them (also in words like ``<span style='color:#…'>``); a colour
    that has no role is left alone.
    """
    return figure if palette is LIGHT else Painted(figure, palette)


def recoloured(colour: str, palette: Palette) -> str:
    """The colour with the same role in ``palette``; an ``rgba`` keeps its opacity."""
    named = _WORDS.get(colour, colour)
    if named.startswith("#"):
        return _counterparts(palette).get(named.upper(), colour)
    found = _RGBA.fullmatch(named)
    if found is None or float(found[4] or 1) == 0:
        return colour
    solid = "#" + "".join(f"{int(found[i]):02X}" for i in (1, 2, 3))
    new = _counterparts(palette).get(solid)
    return colour if new is None else _with_opacity(new, found[4] or "1")


def _with_opacity(colour: str, opacity: str) -> str:
    red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    return f"rgba({red},{green},{blue},{opacity})"


@cache
def _counterparts(palette: Palette) -> Mapping[str, str]:
    return {colour: palette.roles()[role] for role, colour in reversed(list(LIGHT.roles().items()))}


def _walk(value: Any, palette: Palette, key: str = "") -> Any:
    """Copies the dictionaries on the way to a colour and nothing else: the numbers may be many."""
    if isinstance(value, dict):
        return {k: v if k == "template" else _walk(v, palette, str(k)) for k, v in value.items()}
    if key.endswith("color"):
        return _colours(value, palette)
    if key == "colorscale" and isinstance(value, (list, tuple)):
        return [[at, recoloured(colour, palette)] for at, colour in value]
    if key in _WRITTEN and isinstance(value, str):
        return _restyled(value, palette)
    if isinstance(value, (list, tuple)) and value:
        if isinstance(value[0], dict):
            return [_walk(item, palette) for item in value]
        if key in _WRITTEN and isinstance(value[0], str):
            return [_restyled(item, palette) for item in value]
    return value


def _colours(value: Any, palette: Palette) -> Any:
    if isinstance(value, str):
        return recoloured(value, palette)
    if isinstance(value, (list, tuple)):
        return [recoloured(v, palette) if isinstance(v, str) else v for v in value]
    return value


def _restyled(words: str, palette: Palette) -> str:
    return _STYLED.sub(lambda found: recoloured(found[1], palette), words) if "color:" in words else words
