"""Measures of colours: WCAG contrast, what somebody with a colour-vision deficiency sees, and how far that is apart."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from core.arrays import FloatArray
from core.figures.paint import painted
from core.figures.palette import LIGHT, PALETTES, Palette

TEXT, MARK, APART = 4.5, 3.0, 15.0
"""WCAG 2.2 AA for text and for marks; CIE76 distance below which two groups may be taken for one."""

DEFICIENCIES: Mapping[str, list[list[float]]] = {
    "none": [[1, 0, 0], [0, 1, 0], [0, 0, 1]],
    "protanopia": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deuteranopia": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
    "tritanopia": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]],
}
"""Linear RGB → linear RGB (Machado, Oliveira and Fernandes 2009, severity 1)."""

_XYZ = np.array(
    [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]]
)
_WHITE = np.array([0.95047, 1.0, 1.08883])


def linear(colour: str) -> FloatArray:
    """(3,) linear light of ``#RRGGBB``."""
    channels = np.array([int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)])
    return np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)


def contrast(colour: str, ground: str) -> float:
    """WCAG 2.2 contrast, from 1 (the same) to 21 (black on white)."""
    high, low = sorted((float(_XYZ[1] @ linear(c)) + 0.05 for c in (colour, ground)), reverse=True)
    return high / low


def seen_apart(one: str, other: str, deficiency: str) -> float:
    """CIE76 distance of two colours as somebody with the deficiency sees them."""
    matrix = np.array(DEFICIENCIES[deficiency])
    return float(np.linalg.norm(np.subtract(*(_lab(np.clip(matrix @ linear(c), 0, 1)) for c in (one, other)))))


def _lab(light: FloatArray) -> FloatArray:
    ratio = _XYZ @ light / _WHITE
    f = np.where(ratio > 216 / 24389, np.cbrt(ratio), (24389 / 27 * ratio + 16) / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


def faults_of(figure: Any) -> list[str]:
    """What of a figure cannot be read or seen, in either palette; and its colours that have no role."""
    known = {c.upper() for c in LIGHT.roles().values()} | {"WHITE", "BLACK"}
    found = [f"{c} has no role" for c in sorted(_named(figure.to_dict()) - known)]
    for palette in PALETTES.values():
        spec = painted(figure, palette).to_dict()
        found += [f"{palette.scheme}: text {c} at {w}" for c, w in texts(spec) if contrast(c, palette.ground) < TEXT]
        found += [f"{palette.scheme}: mark {' '.join(m)}" for m in marks(spec) if not _seen(m, palette)]
    return sorted(set(found))


def _seen(colours: tuple[str, ...], palette: Palette) -> bool:
    return any(contrast(c, palette.ground) >= MARK for c in colours)


def _named(value: Any, key: str = "") -> set[str]:
    """Every colour that is written in a figure, except the template's."""
    if isinstance(value, dict):
        return set().union(*(_named(v, str(k)) for k, v in value.items() if k != "template"))
    if key.endswith("color") or key == "colorscale":
        flat = np.ravel(np.array(value, dtype=object)).tolist() if isinstance(value, (list, tuple)) else [value]
        return {v.upper() for v in flat if isinstance(v, str) and (v.startswith("#") or v.isalpha())}
    if isinstance(value, (list, tuple)):
        return set().union(*(_named(v, key) for v in value if isinstance(v, (dict, list, tuple))))
    return set()


def texts(value: Any, where: str = "figure") -> Iterator[tuple[str, str]]:
    """(colour, place) of everything written."""
    if isinstance(value, dict):
        for key, inner in value.items():
            if key.endswith("font") and isinstance(inner, dict):
                yield from ((c, f"{where}.{key}") for c in _solid(inner.get("color")))
            elif key != "template":
                yield from texts(inner, f"{where}.{key}")
    elif isinstance(value, (list, tuple)):
        for inner in value:
            if isinstance(inner, (dict, list, tuple)):
                yield from texts(inner, where)
    elif isinstance(value, str) and "color:#" in value:
        yield from ((part[:7], where) for part in value.split("color:")[1:])


def marks(spec: dict[str, Any]) -> Iterator[tuple[str, ...]]:
    """The colours of each mark: one of them has to be seen. Guides, grids, bands and heat maps' cells are none."""
    for trace in spec["data"]:
        if trace["type"] in ("scatter", "box"):
            yield from _of_scatter(trace)
        elif trace["type"] == "bar":
            yield from _of_marker(trace.get("marker", {}))
        for error in ("error_x", "error_y"):
            yield from ((c,) for c in _solid(trace.get(error, {}).get("color")))
    for shape in spec["layout"].get("shapes", []):
        if shape["line"].get("width", 2) >= 1.4:
            yield from ((c,) for c in _solid(shape["line"].get("color")) if c not in _guides())


def _guides() -> set[str]:
    return {p.faint for p in PALETTES.values()}


def _of_scatter(trace: dict[str, Any]) -> Iterator[tuple[str, ...]]:
    line = trace.get("line", {})
    if ("lines" in trace.get("mode", "lines") or trace["type"] == "box") and line.get("width", 2) > 0:
        yield from ((c,) for c in _solid(line.get("color")))
    marker = trace.get("marker", {})
    if "markers" in trace.get("mode", "") and marker.get("opacity", 1) > 0:
        yield from _of_marker(marker)


def _of_marker(marker: dict[str, Any]) -> Iterator[tuple[str, ...]]:
    """Fill and outline of each kind of marker; a scale of colours counts by its faintest stop."""
    line = marker.get("line", {})
    outlines = list(_solid(line.get("color"))) if line.get("width", 0) > 0 else []
    fills = list(_solid(marker.get("color")))
    scale = marker.get("colorscale")
    if scale is not None and not fills:
        fills = [stop for _, stop in scale] if not isinstance(scale, str) else []
    if len(fills) == len(outlines) and len(fills) > 1:
        yield from zip(fills, outlines, strict=True)
    elif not fills and outlines:
        yield from ((c,) for c in outlines)
    else:
        yield from ((fill, *outlines) for fill in fills)


def _solid(value: Any) -> Iterator[str]:
    """The ``#RRGGBB`` in a colour or in a list of them; what is see-through is left out."""
    for colour in value if isinstance(value, (list, tuple)) else [value]:
        if isinstance(colour, str) and colour in ("white", "black"):
            yield {"white": "#FFFFFF", "black": "#000000"}[colour]
        elif isinstance(colour, str) and colour.startswith("#"):
            yield colour
