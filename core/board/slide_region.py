"""The part of a patient's slides the models looked at most, as two small pictures: where it is, and what is there."""

from __future__ import annotations

import io
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw

from core.analysis.top_patches import TopPatch, top_patches
from core.cohort.media_index import MediaKind, load_media
from core.cohort.modality import Modality
from core.errors import PrognoscopeError
from core.media.heat_raster import rasterise
from core.media.heat_scale import Over, Shown, layer_scale
from core.media.slides import Slide, open_slide
from core.results.explained import Kind, has_explanation
from core.results.slide_maps import LayerKind, MapLayer, SlideMaps, load_slide_maps
from core.results.workspace import Workspace

OVERVIEW_PX, REGION_PX = 560, 420
PATCHES_ACROSS = 5
"""The region is this many patches wide, the strongest in the middle."""
JPEG_QUALITY = 82


@dataclass(frozen=True)
class SlideRegion:
    """``overview`` the slide with the map and a frame, ``region`` the framed part: JPEG bytes · ``words`` what they
    show · ``alt`` of each for who cannot see them."""

    overview: bytes
    region: bytes
    words: str
    alt_overview: str
    alt_region: str


def slide_region(run: str, patient: str, cohort: str, workspace: Workspace) -> SlideRegion | str:
    """The region of the highest attention, or why there is none, in words."""
    if not has_explanation(Kind.SLIDE, run, patient, None, workspace):
        return "No map of this patient's slides was made yet."
    maps = load_slide_maps(run, patient, workspace)
    layer = next((x for x in maps.layers if x.kind is LayerKind.ATTENTION and not x.absent), None)
    if layer is None:
        return "No map of attention: this model has none for this patient."
    top = top_patches(layer.values, maps.slides, maps.coordinates, maps.sides, 1)
    files = load_media(cohort, workspace).of(patient, Modality.SLIDES, MediaKind.SLIDE)
    if not top or not 0 <= top[0].slide < len(files):
        return "No map of attention with a place on a slide."
    try:
        with open_slide(files[top[0].slide].path) as slide:
            return _drawn(slide, maps, layer, top[0], len(files))
    except PrognoscopeError as error:
        return f"The slide cannot be shown: {error.found}."


def _drawn(slide: Slide, maps: SlideMaps, layer: MapLayer, top: TopPatch, slides: int) -> SlideRegion:
    width, height = slide.dimensions
    extent = int(min(PATCHES_ACROSS * top.side, width, height))
    x = int(np.clip(top.x + top.side / 2 - extent / 2, 0, width - extent))
    y = int(np.clip(top.y + top.side / 2 - extent / 2, 0, height - extent))
    region = _read(slide, (x, y, extent, extent), REGION_PX)
    overview, factor = _overview(slide, maps, layer, top.slide)
    _frame(overview, (x * factor, y * factor, (x + extent) * factor, (y + extent) * factor))
    inner = REGION_PX / extent
    corner = ((top.x - x) * inner, (top.y - y) * inner)
    _frame(region, (*corner, corner[0] + top.side * inner, corner[1] + top.side * inner))
    size = f", {extent * slide.mpp / 1000:.2f} mm wide" if slide.mpp else ""
    which = f"slide {top.slide + 1} of {slides}" if slides > 1 else "the slide"
    words = (
        f"{layer.title[:1].upper()}{layer.title[1:]}, mean of {maps.models} models that never saw this patient: "
        f"{which} with colours by rank (yellow is highest), and the framed part{size} with the highest patch. "
        "Where a model looks does not say why."
    )
    return SlideRegion(
        _jpeg(overview), _jpeg(region), words, f"Overview of {which} under the map, with a frame",
        "The framed part at higher magnification, the patch of highest attention framed",
    )  # fmt: skip


def _overview(slide: Slide, maps: SlideMaps, layer: MapLayer, number: int) -> tuple[Image.Image, float]:
    """The whole slide with the map over it, and pixels of it a level-0 pixel."""
    width, height = slide.dimensions
    factor = OVERVIEW_PX / max(width, height)
    picture = _read(slide, (0, 0, width, height), OVERVIEW_PX)
    here = maps.slides == number
    raster = rasterise(
        maps.coordinates[here], maps.sides[number], np.asarray(layer.values[here], dtype=np.float64), (width, height),
        layer_scale(maps, layer, number, Shown.PERCENTILE, Over.SLIDE),
    )  # fmt: skip
    rgba = raster.rgba.copy()
    rgba[..., 3] = (rgba[..., 3] * 0.6).astype(np.uint8)
    size = (max(1, round(raster.width * factor)), max(1, round(raster.height * factor)))
    heat = Image.fromarray(rgba).resize(size, Image.Resampling.NEAREST)
    picture.paste(heat, (round(raster.x * factor), round(raster.y * factor)), heat)
    return picture, factor


def _read(slide: Slide, box: tuple[int, int, int, int], longest: int) -> Image.Image:
    """Level-0 box (x, y, width, height) with its longer side ``longest`` pixels, read from the level that suffices."""
    x, y, width, height = box
    wanted = max(width, height) / longest
    level = slide.level_for(wanted)
    down = slide.downsamples[level]
    pixels = slide.read(x, y, max(1, round(width / down)), max(1, round(height / down)), level)
    factor = longest / max(width, height)
    size = (max(1, round(width * factor)), max(1, round(height * factor)))
    return Image.fromarray(pixels).convert("RGB").resize(size, Image.Resampling.LANCZOS)


def _frame(picture: Image.Image, box: tuple[float, float, float, float]) -> None:
    """A white line inside a black one: seen on any tissue."""
    pen = ImageDraw.Draw(picture)
    x0, y0, x1, y1 = (round(v) for v in box)
    pen.rectangle((x0 - 1, y0 - 1, x1 + 1, y1 + 1), outline=(0, 0, 0), width=4)
    pen.rectangle((x0, y0, x1, y1), outline=(255, 255, 255), width=2)


def _jpeg(picture: Image.Image) -> bytes:
    """The same bytes for the same pixels; no metadata of any kind."""
    stream = io.BytesIO()
    picture.save(stream, "JPEG", quality=JPEG_QUALITY, optimize=False)
    return stream.getvalue()
