"""A picture as SVG text inside an HTML page: escaped, with its description, without any address."""

from __future__ import annotations

import base64
from html import escape

from core.board.picture import Area, Circle, Line, Picture, Shape, Text

FONT = "Source Sans 3,Segoe UI,Liberation Sans,Arial,sans-serif"


def svg_of(picture: Picture, scale: float = 1.0) -> str:
    """``<svg>…</svg>``; ``scale`` CSS pixels a point."""
    body = "".join(_shape(s) for s in picture.shapes)
    width, height = (f"{v * scale:g}" for v in (picture.width, picture.height))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-label="{escape(picture.alt)}" width="{width}" '
        f'height="{height}" viewBox="0 0 {picture.width:g} {picture.height:g}" font-family="{FONT}">{body}</svg>'
    )


def svg_image(picture: Picture) -> str:
    """The same as a picture of its own size inside the page, for places that let no ``<svg>`` through."""
    data = base64.b64encode(svg_of(picture).encode("utf-8")).decode("ascii")
    return (
        f'<img class="drawn" alt="{escape(picture.alt)}" width="{picture.width:g}" height="{picture.height:g}" '
        f'src="data:image/svg+xml;base64,{data}">'
    )


def _points(points: tuple[tuple[float, float], ...]) -> str:
    return " ".join(f"{x:.2f},{y:.2f}" for x, y in points)


def _shape(shape: Shape) -> str:
    if isinstance(shape, Line):
        dash = f' stroke-dasharray="{" ".join(f"{d:g}" for d in shape.dash)}"' if shape.dash else ""
        return (
            f'<polyline points="{_points(shape.points)}" fill="none" stroke="{shape.colour}" '
            f'stroke-width="{shape.width:g}"{dash}/>'
        )
    if isinstance(shape, Area):
        return f'<polygon points="{_points(shape.points)}" fill="{shape.colour}" fill-opacity="{shape.opacity:g}"/>'
    if isinstance(shape, Circle):
        return (
            f'<circle cx="{shape.x:.2f}" cy="{shape.y:.2f}" r="{shape.radius:g}" fill="{shape.fill}" '
            f'stroke="{shape.colour}" stroke-width="{shape.width:g}"/>'
        )
    return _text(shape)


def _text(shape: Text) -> str:
    bold = ' font-weight="650"' if shape.bold else ""
    return (
        f'<text x="{shape.x:.2f}" y="{shape.y:.2f}" font-size="{shape.size:g}" fill="{shape.colour}" '
        f'text-anchor="{shape.anchor}"{bold}>{escape(shape.text)}</text>'
    )
