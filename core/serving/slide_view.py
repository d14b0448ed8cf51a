"""What the slide viewer of the browser is given: addresses, sizes, layers and words. No path, no pseudonym."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any
from zlib import crc32

import numpy as np

from core.media.geojson import Area
from core.media.heat_legend import legend_of
from core.media.heat_raster import patch_cells
from core.media.heat_scale import Over, Scale, Shown, layer_scale
from core.results.slide_maps import LayerKind, MapLayer, SlideMaps
from core.results.workspace import Workspace
from core.serving.heat_maps import map_address, map_token, picture_address
from core.serving.libraries import library_address
from core.serving.open_slides import SlideFacts, slide_facts
from core.serving.slide_ids import SlideRef, slide_id
from core.serving.slide_tiles import slide_address, slide_token
from core.serving.tokens import MAX_AGE_SECONDS

STRIP = 8
"""Patches at each end of a layer that the strip shows."""
EXPERT = "expert-"
"""How the keys of layers of single experts begin; relevance through the whole model is none of them."""
_STANDARD = 10.0  # magnification × µm/px of the usual scanners: 20x = 0.5, 40x = 0.25


def viewer_data(
    ref: SlideRef,
    maps: SlideMaps | None,
    visitor: str,
    workspace: Workspace,
    shown: Shown = Shown.PERCENTILE,
    over: Over = Over.SLIDE,
    areas: Sequence[Area] = (),
) -> dict[str, Any]:
    """Everything about one slide that the browser needs, as plain JSON.

    Raises
    ------
    PrognoscopeError
        When the slide cannot be opened, or the maps were made on another one.
    """
    facts = slide_facts(ref, workspace)
    data: dict[str, Any] = {
        "id": slide_id(ref),
        "library": library_address("openseadragon.min.js"),
        "address": slide_address(ref),
        "token": slide_token(ref, visitor),
        "renewAfter": MAX_AGE_SECONDS * 0.6,
        "width": facts.width,
        "height": facts.height,
        "mpp": facts.mpp,
        "mppSource": facts.mpp_source,
        "mppStated": facts.mpp_stated,
        "magnification": magnification(facts),
        "colours": facts.colours,
        "strip": STRIP,
        "maps": None,
        "layers": [],
        "areas": [_area(a) for a in areas],
    }
    if maps is not None:
        data["maps"] = {"address": map_address(maps.run, ref), "token": map_token(maps.run, ref, visitor)}
        data["layers"] = [_layer(maps, layer, ref, shown, over) for layer in maps.layers]
        here = maps.slides == ref.number
        cells = patch_cells(maps.coordinates[here], maps.sides.get(ref.number, 1), (facts.width, facts.height))
        made = f"{crc32(b''.join(np.ascontiguousarray(x.values).tobytes() for x in maps.layers)):08x}"
        data["maps"] |= {"rectangle": cells.rectangle, "cell": cells.cell, "error": cells.error, "made": made}
        for told in data["layers"]:
            if "picture" in told:  # maps made anew have other addresses, so that no picture of the old ones is shown
                told["picture"] += f"&made={made}"
    return data


def magnification(facts: SlideFacts) -> float | None:
    """Of level 0: from the pixel size where it is known, else the objective's; None when neither is."""
    return _STANDARD / facts.mpp if facts.mpp is not None else facts.power


def _layer(maps: SlideMaps, layer: MapLayer, ref: SlideRef, shown: Shown, over: Over) -> dict[str, Any]:
    here = maps.slides == ref.number
    values = np.asarray(layer.values[here], dtype=float)
    known = int(np.isfinite(values).sum())
    absent = layer.absent or ("" if known else "no patch of this slide has a value")
    told: dict[str, Any] = {
        "key": layer.key,
        "title": layer.title,
        "unit": layer.unit,
        "signed": layer.signed,
        "relevance": layer.kind is LayerKind.RELEVANCE,
        "expert": layer.kind is LayerKind.RELEVANCE and layer.key.startswith(EXPERT),
        "absent": absent,
    }
    if absent:
        return told
    scale = layer_scale(maps, layer, ref.number, shown, over)
    return told | {
        "picture": picture_address(maps.run, ref, layer.key, shown, over),
        "legend": asdict(legend_of(layer, scale, known)),
        "scale": _scale(scale),
    }


def _scale(scale: Scale) -> Mapping[str, Any]:
    return {"shown": scale.shown.value, "over": scale.over.value, "signed": scale.signed, "anchors": scale.anchors}


def _area(area: Area) -> Mapping[str, Any]:
    return {"name": area.name or area.classification, "colour": area.colour, "polygons": area.polygons}
