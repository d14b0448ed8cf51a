"""Areas on a slide as GeoJSON, the way QuPath writes and reads them: polygons in level-0 pixels."""

from __future__ import annotations

import json
import math
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NoReturn
from uuid import NAMESPACE_OID, uuid5

from core.errors import PrognoscopeError

MOST_BYTES = 20_000_000
MOST_AREAS = 5_000
MOST_POINTS = 250_000
_LONGEST_NAME = 120
_DEFAULT_COLOUR = (11, 93, 102)

Point = tuple[float, float]
Ring = tuple[Point, ...]
Polygon = tuple[Ring, ...]


@dataclass(frozen=True)
class Area:
    """One annotation: ``polygons`` of rings (the first outside, the others holes; closed, level-0 pixels), a name, a
    class and its colour, and measurements by name."""

    polygons: tuple[Polygon, ...]
    name: str = ""
    classification: str = ""
    colour: tuple[int, int, int] = _DEFAULT_COLOUR
    measurements: Mapping[str, float] = field(default_factory=dict)

    @classmethod
    def square(cls, x: float, y: float, side: float, **facts: Any) -> Area:
        """A patch."""
        ring = ((x, y), (x + side, y), (x + side, y + side), (x, y + side), (x, y))
        return cls(((ring,),), **facts)


def write_geojson(areas: Iterable[Area]) -> str:
    """A FeatureCollection that QuPath opens by dropping the file on the slide."""
    features = [_feature(area) for area in areas]
    return json.dumps(
        {"type": "FeatureCollection", "features": features}, ensure_ascii=False, allow_nan=False, indent=1
    )


def _feature(area: Area) -> dict[str, Any]:
    polygons = [[[list(point) for point in ring] for ring in polygon] for polygon in area.polygons]
    single = len(polygons) == 1
    geometry = {"type": "Polygon" if single else "MultiPolygon", "coordinates": polygons[0] if single else polygons}
    properties: dict[str, Any] = {"objectType": "annotation", "name": area.name, "color": list(area.colour)}
    if area.classification:
        properties["classification"] = {"name": area.classification, "color": list(area.colour)}
    if area.measurements:
        properties["measurements"] = dict(area.measurements)
    identity = uuid5(NAMESPACE_OID, f"{area.name}{polygons}")
    return {"type": "Feature", "id": str(identity), "geometry": geometry, "properties": properties}


@dataclass(frozen=True)
class ReadAreas:
    """What a file held: the areas, and how many of its features are no area (points, lines) and were left out."""

    areas: tuple[Area, ...]
    left_out: int


def read_geojson(content: bytes, dimensions: tuple[int, int]) -> ReadAreas:
    """Read what QuPath (or :func:`write_geojson`) wrote for a slide of ``dimensions`` (width, height).

    Raises
    ------
    PrognoscopeError
        For a file that is too large, is no GeoJSON, is damaged, holds no area, or was drawn on another slide.
    """
    if len(content) > MOST_BYTES:
        _refuse(f"a file of more than {MOST_BYTES // 1_000_000} MB", "export fewer annotations")
    features = _features(_parsed(content))
    if len(features) > MOST_AREAS:
        _refuse(f"{len(features)} annotations, more than {MOST_AREAS}", "export annotations, not single cells")
    areas, points = [], 0
    for item in features:
        area = _area(item)
        if area is None:
            continue
        points += sum(len(ring) for polygon in area.polygons for ring in polygon)
        if points > MOST_POINTS:
            _refuse(f"more than {MOST_POINTS} points", "simplify the shapes in QuPath")
        areas.append(area)
    if not areas:
        _refuse("no area (polygon)", "export annotations from QuPath as GeoJSON")
    _check_place(areas, dimensions)
    return ReadAreas(tuple(areas), len(features) - len(areas))


def _parsed(content: bytes) -> Any:
    try:
        return json.loads(content.decode("utf-8-sig"), parse_constant=_no_constant)
    except (UnicodeDecodeError, ValueError, RecursionError) as error:
        raise _refused("no readable JSON", "export it again from QuPath as GeoJSON") from error


def _no_constant(name: str) -> NoReturn:
    raise ValueError(name)


def _features(value: Any) -> list[Any]:
    if isinstance(value, dict) and value.get("type") == "FeatureCollection":
        value = value.get("features")
    elif isinstance(value, dict) and value.get("type") == "Feature":
        value = [value]
    if not isinstance(value, list):
        _refuse("JSON that is no GeoJSON", "export it again from QuPath as GeoJSON")
    return value


def _area(item: Any) -> Area | None:
    """The area of a feature, None for a feature that is none."""
    geometry = item.get("geometry") if isinstance(item, dict) else None
    if not isinstance(geometry, dict):
        _refuse("a feature without a shape", "export it again from QuPath as GeoJSON")
    kind, coordinates = geometry.get("type"), geometry.get("coordinates")
    if kind == "Polygon":
        polygons: tuple[Polygon, ...] = (_polygon(coordinates),)
    elif kind == "MultiPolygon" and isinstance(coordinates, list) and coordinates:
        polygons = tuple(_polygon(c) for c in coordinates)
    elif kind in ("Point", "MultiPoint", "LineString", "MultiLineString"):
        return None
    else:
        _refuse("a shape of an unknown kind", "export polygons")
    facts = item.get("properties")
    facts = facts if isinstance(facts, dict) else {}
    named = facts.get("classification")
    named = named if isinstance(named, dict) else {}
    colour = _colour(named.get("color"), _colour(facts.get("color"), _DEFAULT_COLOUR))
    return Area(
        polygons, _text(facts.get("name")), _text(named.get("name")), colour, _numbers(facts.get("measurements"))
    )


def _polygon(value: Any) -> Polygon:
    if not isinstance(value, list) or not value:
        _refuse("a polygon without a ring", "export it again from QuPath as GeoJSON")
    return tuple(_ring(ring) for ring in value)


def _ring(value: Any) -> Ring:
    if not isinstance(value, list) or len(value) < 3:
        _refuse("a ring of fewer than three points", "export it again from QuPath as GeoJSON")
    points = tuple(_point(p) for p in value)
    return points if points[0] == points[-1] else (*points, points[0])


def _point(value: Any) -> Point:
    if not isinstance(value, list) or len(value) < 2 or not all(_is_number(v) for v in value[:2]):
        _refuse("a point that is not two numbers", "export it again from QuPath as GeoJSON")
    return float(value[0]), float(value[1])


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e9 and math.isfinite(value)


def _text(value: Any) -> str:
    """A name on one line, without control signs or signs that turn the direction of writing."""
    if not isinstance(value, str):
        return ""
    return "".join(" " if unicodedata.category(c)[0] == "C" else c for c in value).strip()[:_LONGEST_NAME]


def _colour(value: Any, otherwise: tuple[int, int, int]) -> tuple[int, int, int]:
    if isinstance(value, list) and len(value) == 3 and all(isinstance(v, int) and 0 <= v <= 255 for v in value):
        return value[0], value[1], value[2]
    return otherwise


def _numbers(value: Any) -> dict[str, float]:
    if not isinstance(value, dict):
        return {}
    return {_text(k): float(v) for k, v in list(value.items())[:100] if _is_number(v) and _text(k)}


def _check_place(areas: Sequence[Area], dimensions: tuple[int, int]) -> None:
    points = [p for area in areas for polygon in area.polygons for ring in polygon for p in ring]
    width, height = dimensions
    inside = sum(0 <= x <= width and 0 <= y <= height for x, y in points)
    if inside < len(points) / 2:
        _refuse(
            f"shapes outside this slide ({len(points) - inside} of {len(points)} points; it is {width} × {height} px)",
            "choose the slide they were drawn on, at full resolution",
        )


def _refused(found: str, fix: str) -> PrognoscopeError:
    return PrognoscopeError(found, "the annotations file", fix)


def _refuse(found: str, fix: str) -> NoReturn:
    raise _refused(found, fix)
