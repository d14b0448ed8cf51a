"""Annotations go to QuPath and come back as they were; what is no annotation of this slide is refused by name."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import PrognoscopeError
from core.media import geojson
from core.media.geojson import Area, read_geojson, write_geojson

SIZE = (4000, 3000)
numbers = st.floats(0, 3000, allow_nan=False).map(lambda v: round(v, 3))
points = st.tuples(numbers, numbers)
rings = st.lists(points, min_size=3, max_size=8).map(lambda r: (*r, r[0]))
names = st.text(st.characters(exclude_categories=["C"]), max_size=40).map(str.strip)
areas = st.builds(
    Area,
    polygons=st.lists(st.lists(rings, min_size=1, max_size=2).map(tuple), min_size=1, max_size=3).map(tuple),
    name=names,
    classification=names,
    colour=st.tuples(*[st.integers(0, 255)] * 3),
    measurements=st.dictionaries(names.filter(bool), st.floats(-1e6, 1e6), max_size=3),
)


@settings(deadline=None, max_examples=60)
@given(st.lists(areas, min_size=1, max_size=5))
def test_what_is_written_is_read_back(written: list[Area]) -> None:
    assert read_geojson(write_geojson(written).encode(), SIZE) == geojson.ReadAreas(tuple(written), 0)


def test_a_patch_is_written_as_qupath_expects_it() -> None:
    area = Area.square(100, 200, 50, name="attention, 1st of 8", classification="top", measurements={"attention": 0.2})
    feature = json.loads(write_geojson([area]))["features"][0]
    assert feature["geometry"]["type"] == "Polygon"
    assert feature["geometry"]["coordinates"] == [[[100, 200], [150, 200], [150, 250], [100, 250], [100, 200]]]
    properties = feature["properties"]
    assert (properties["objectType"], properties["classification"]["name"]) == ("annotation", "top")
    assert properties["measurements"] == {"attention": 0.2}


def test_a_file_of_qupath_is_read_with_its_holes_and_without_its_points() -> None:
    """As QuPath 0.5 writes it: a hole, an open ring, a class without a colour, points, a name with odd signs."""
    outer, hole = [[0, 0], [900, 0], [900, 900], [0, 900], [0, 0]], [[100, 100], [200, 100], [200, 200]]
    text = json.dumps(
        {
            "type": "FeatureCollection",
            "features": [
                {"type": "Feature", "id": "x", "geometry": {"type": "Polygon", "coordinates": [outer, hole]},
                 "properties": {"objectType": "annotation", "name": "<b>tu\u202emour</b>\n1",
                                "classification": {"name": "Tumor"}, "isLocked": True}},
                {"type": "Feature", "geometry": {"type": "Point", "coordinates": [5, 5]}, "properties": {}},
            ],
        }
    )  # fmt: skip
    read = read_geojson(b"\xef\xbb\xbf" + text.encode(), SIZE)
    assert read.left_out == 1
    (area,) = read.areas
    assert len(area.polygons[0]) == 2
    assert area.polygons[0][1][-1] == (100, 100)
    assert area.name == "<b>tu mour</b> 1"  # kept as text: who shows it escapes it
    assert area.classification == "Tumor"


def feature(coordinates: object, kind: str = "Polygon") -> bytes:
    shape = {"type": "Feature", "geometry": {"type": kind, "coordinates": coordinates}, "properties": None}
    return json.dumps({"type": "FeatureCollection", "features": [shape]}).encode()


SQUARE = [[10, 10], [20, 10], [20, 20], [10, 10]]


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (b"", "no readable JSON"),
        (b"\xff\xfe", "no readable JSON"),
        (b"[" * 200_000, "no readable JSON"),
        (b'{"type": "Feature", "geometry": NaN}', "no readable JSON"),
        (b'{"type": "Topology"}', "no GeoJSON"),
        (b'[{"type": "Feature"}]', "without a shape"),
        (feature([[[10, 10], [20, 10]]]), "fewer than three"),
        (feature([[[10, 10], [20, "x"], [20, 20]]]), "two numbers"),
        (feature([[[10, 10], [20, True], [20, 20]]]), "two numbers"),
        (feature([[[10, 10], [20, 1e300], [20, 20]]]), "two numbers"),
        (feature([]), "without a ring"),
        (feature([SQUARE], "Circle"), "unknown kind"),
        (feature([1, 2], "Point"), "no area"),
        (feature([[[x + 9000, y] for x, y in SQUARE]]), "outside this slide"),
        (b" " * (geojson.MOST_BYTES + 1), "more than 20 MB"),
        (json.dumps([{}] * (geojson.MOST_AREAS + 1)).encode(), "annotations, more than"),
        (feature([SQUARE * 70_000]), "points"),
    ],
)
def test_what_cannot_be_used_says_what_was_found(content: bytes, found: str) -> None:
    with pytest.raises(PrognoscopeError, match=found):
        read_geojson(content, SIZE)
