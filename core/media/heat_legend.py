"""What a map's colours say, in words and numbers: the same under the browser's map and in napari."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from core.media.heat_scale import Over, Scale, Shown, paint
from core.results.slide_maps import MapLayer

_STOPS = 9


@dataclass(frozen=True)
class Legend:
    """``what`` the layer · ``how`` raw or percentile, and among which patches · ``low``, ``middle`` ("" where there is
    none), ``high`` under the colour bar · ``unit`` of the values · ``stops`` CSS colours from low to high."""

    what: str
    how: str
    low: str
    middle: str
    high: str
    unit: str
    stops: tuple[str, ...]


def legend_of(layer: MapLayer, scale: Scale, patches: int) -> Legend:
    """The legend of a layer on a slide with so many patches that have a value."""
    among = (
        f"this slide’s {patches} patches" if scale.over is Over.SLIDE else "patches of a sample of the run’s patients"
    )
    if scale.shown is Shown.RAW:
        how = f"raw values, coloured over the range of {among}"
        low, high = (number(v, scale.signed) for v in scale.ends)
    else:
        what = "size of the value, with its sign" if scale.signed else "value"
        how = f"percentile of the {what}, among {among}"
        low, high = ("strongest −", "strongest +") if scale.signed else ("lowest", "highest")
    places = np.linspace(-1 if scale.signed else 0, 1, _STOPS)
    stops = tuple(f"rgba({r},{g},{b},{a / 255:.2f})" for r, g, b, a in paint(places, scale.signed).tolist())
    return Legend(layer.title, how, low, "0" if scale.signed else "", high, layer.unit, stops)


def number(value: float, signed: bool = False) -> str:
    """Three significant digits, with a real minus, and a plus where the sign matters."""
    if value == 0:
        return "0"
    text = f"{abs(value):.3g}" if 1e-4 <= abs(value) < 1e6 else f"{abs(value):.1e}"
    return ("−" if value < 0 else "+" if signed else "") + text
