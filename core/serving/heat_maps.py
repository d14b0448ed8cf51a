"""The layers of a patient's maps over one slide: as pictures on the patch grid, and as the numbers behind them."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlencode

import numpy as np
from PIL import Image
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from core.arrays import Float32Array, IntArray
from core.errors import PrognoscopeError
from core.media.heat_raster import Raster, rasterise
from core.media.heat_scale import Over, Shown, layer_scale
from core.results.slide_maps import MapLayer, SlideMaps
from core.results.workspace import Workspace, checked_name
from core.serving.guard import guarded
from core.serving.open_slides import opened_slide
from core.serving.prefix import prefixed
from core.serving.slide_ids import SlideRef, slide_id, slide_ref
from core.serving.slide_map_store import stored_maps
from core.serving.tokens import sign

_DIGITS = 5


def map_resource(run: str, name: str) -> str:
    """What a token for the maps of one slide under one run is signed for."""
    return f"map:{run}:{name}"


def map_address(run: str, ref: SlideRef) -> str:
    """Path that the addresses of a slide's maps begin with: ``/patches.json``, ``/<layer>.json``, ``/<layer>.png``."""
    return prefixed(f"/map/{quote(checked_name(run, 'run id'))}/{slide_id(ref)}")


def map_token(run: str, ref: SlideRef, visitor: str) -> str:
    """The token with which ``visitor`` may read these maps for the next minutes."""
    return sign(visitor, map_resource(run, slide_id(ref)))


def picture_address(run: str, ref: SlideRef, layer: str, shown: Shown, over: Over) -> str:
    """Address of a layer's picture, without its token."""
    return f"{map_address(run, ref)}/{quote(layer)}.png?{urlencode({'shown': shown.value, 'over': over.value})}"


def layer_raster(
    maps: SlideMaps, layer: MapLayer, ref: SlideRef, shown: Shown, over: Over, workspace: Workspace
) -> Raster:
    """A layer drawn on the patch grid of a slide; raises when the slide cannot be opened or is another one."""
    here = maps.slides == ref.number
    return rasterise(
        maps.coordinates[here],
        maps.sides.get(ref.number, 1),
        np.asarray(layer.values[here], dtype=float),
        opened_slide(ref, workspace).slide.dimensions,
        layer_scale(maps, layer, ref.number, shown, over),
    )


def png(raster: Raster) -> bytes:
    """The picture, one pixel a cell of the grid."""
    stream = io.BytesIO()
    Image.fromarray(raster.rgba).save(stream, "PNG", compress_level=3)
    return stream.getvalue()


def _guard_map(request: Request) -> str:
    return map_resource(request.path_params["run"], request.path_params["slide"])


def _cohort(request: Request) -> str:
    return slide_ref(request.path_params["slide"]).cohort


def _asked(request: Request) -> tuple[SlideRef, SlideMaps]:
    ref = slide_ref(request.path_params["slide"])
    return ref, stored_maps(request.path_params["run"], ref.patient, Workspace.default())


def _layer(maps: SlideMaps, key: str) -> MapLayer:
    layer = maps.layer(key)
    if layer is None or layer.absent:
        raise PrognoscopeError("a layer that these maps do not have", "the address of a map", "open the page again")
    return layer


@guarded(_guard_map, _cohort)
def _picture(request: Request) -> Response:
    ref, maps = _asked(request)
    try:
        shown, over = Shown(request.query_params.get("shown", "")), Over(request.query_params.get("over", ""))
    except ValueError as error:
        raise PrognoscopeError("an unknown scale", "the address of a map", "open the page again") from error
    layer = _layer(maps, request.path_params["layer"])
    raster = layer_raster(maps, layer, ref, shown, over, Workspace.default())
    return Response(png(raster), media_type="image/png")


@guarded(_guard_map, _cohort)
def _patches(request: Request) -> Response:
    ref, maps = _asked(request)
    here = maps.slides == ref.number
    corners: IntArray = maps.coordinates[here]
    facts = {"side": float(maps.sides.get(ref.number, 1)), "x": corners[:, 0].tolist(), "y": corners[:, 1].tolist()}
    return _json(facts)


@guarded(_guard_map, _cohort)
def _values(request: Request) -> Response:
    ref, maps = _asked(request)
    layer = _layer(maps, request.path_params["layer"])
    return _json({"values": _rounded(layer.values[maps.slides == ref.number])})


def _rounded(values: Float32Array) -> list[float | None]:
    """As short as they can be read: significant digits, None for NaN."""
    return [None if np.isnan(v) else float(f"{v:.{_DIGITS}g}") for v in values.tolist()]


def _json(value: Mapping[str, Any]) -> Response:
    return Response(json.dumps(value, separators=(",", ":"), allow_nan=False), media_type="application/json")


def routes() -> list[BaseRoute]:
    """Pictures, patches and values of maps."""
    return [
        Route("/map/{run:str}/{slide:str}/patches.json", _patches, methods=["GET"]),
        Route("/map/{run:str}/{slide:str}/{layer:str}.json", _values, methods=["GET"]),
        Route("/map/{run:str}/{slide:str}/{layer:str}.png", _picture, methods=["GET"]),
    ]
