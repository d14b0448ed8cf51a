"""Slide, maps and annotations as layers of a napari viewer, in µm, with the colours and places of the browser.

A viewer here is napari's ``ViewerModel`` or ``Viewer``. Places: the middle of level-0 pixel (0, 0) is 0 µm, so that
pixel ``p`` reaches from ``p`` − ½ to ``p`` + ½ pixels.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from core.desktop.pyramid import lazy_levels
from core.desktop.session import Session, SlideEntry
from core.media.deep_zoom import DeepZoom
from core.media.geojson import Area
from core.media.heat_raster import rasterise
from core.media.heat_scale import layer_scale
from core.media.slides import open_slide
from core.results.slide_maps import MapLayer, SlideMaps, load_slide_maps
from core.results.workspace import Workspace


def add_slide(viewer: Any, session: Session, number: int) -> tuple[str, ...]:
    """Put a slide with all that lies on it into the viewer, and look where the session says; what could not be shown.

    Raises
    ------
    PrognoscopeError
        When the slide cannot be opened, or its maps were altered or made on another slide.
    """
    entry = next(s for s in session.slides if s.number == number)
    pyramid = DeepZoom(open_slide(entry.path))
    unit = um_a_pixel(entry)
    place: dict[str, Any] = {"units": ("um", "um") if entry.mpp else ("pixel", "pixel")}
    levels = lazy_levels(pyramid)
    many = {"data": levels, "multiscale": True} if len(levels) > 1 else {"data": levels[0]}
    name = f"slide {number + 1}"
    viewer.add_image(**many, rgb=True, name=name, scale=(unit, unit), contrast_limits=(0, 255), **place)
    if session.maps:
        maps = load_slide_maps(session.run, session.patient, Workspace(Path(session.workspace)))
        _add_maps(viewer, session, maps, number, pyramid.slide.dimensions, unit, place)
    for area in session.annotations.get(number, ()):
        _add_area(viewer, area, unit, place)
    viewer.canvas.overlays.scale_bar.visible = True
    _look(viewer, session, number, pyramid.slide.dimensions, unit)
    return () if entry.mpp else (f"{name}: pixel size {entry.mpp_source}: places are in pixels",)


def um_a_pixel(entry: SlideEntry) -> float:
    """µm a level-0 pixel; 1 (and places in pixels) where nobody knows."""
    return entry.mpp or 1.0


def _add_maps(
    viewer: Any,
    session: Session,
    maps: SlideMaps,
    number: int,
    dimensions: tuple[int, int],
    unit: float,
    place: dict[str, Any],
) -> None:
    here = maps.slides == number
    for entry in session.maps:
        layer = maps.layer(entry.key)
        if layer is None or not np.isfinite(layer.values[here]).any():
            continue
        scale = layer_scale(maps, layer, number, entry.shown, entry.over)
        values = np.asarray(layer.values[here], dtype=float)
        raster = rasterise(maps.coordinates[here], maps.sides.get(number, 1), values, dimensions, scale)
        middle = (raster.cell - 1) / 2  # of the first cell, from the middle of its first pixel
        viewer.add_image(
            raster.rgba, rgb=True, name=f"{entry.title} ({_coloured(layer, scale.shown.value, scale.over.value)})",
            scale=(raster.cell * unit,) * 2, translate=((raster.y + middle) * unit, (raster.x + middle) * unit),
            interpolation2d="nearest", blending="translucent", opacity=entry.opacity, visible=entry.visible,
            contrast_limits=(0, 255), metadata={"key": entry.key, "unit": layer.unit}, **place,
        )  # fmt: skip


def _coloured(layer: MapLayer, shown: str, over: str) -> str:
    return f"{shown}, {over} scale{', signed' if layer.signed else ''}"


def _add_area(viewer: Any, area: Area, unit: float, place: dict[str, Any]) -> None:
    """Each ring an outline; corners lie between pixels, as QuPath counts."""
    rings = [np.array(ring[:-1])[:, ::-1] - 0.5 for polygon in area.polygons for ring in polygon]
    viewer.add_shapes(
        [ring * unit for ring in rings], shape_type="polygon", name=area.name or area.classification or "annotation",
        face_color="transparent", edge_color=np.array(area.colour) / 255, edge_width=3 * unit, opacity=1.0, **place,
    )  # fmt: skip


def _look(viewer: Any, session: Session, number: int, dimensions: tuple[int, int], unit: float) -> None:
    viewer.reset_view()
    looking = session.looking
    if looking.slide != number or looking.x is None or looking.y is None or looking.zoom is None:
        middle = [(n - 1) / 2 * unit for n in dimensions]
        viewer.scene.camera.center = (0.0, middle[1], middle[0])
        return
    viewer.scene.camera.center = (0.0, (looking.y - 0.5) * unit, (looking.x - 0.5) * unit)
    viewer.scene.camera.zoom = looking.zoom / unit
