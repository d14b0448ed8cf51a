"""Annotations of a slide, to QuPath and from it: GeoJSON, kept for this session and given to no model."""

from __future__ import annotations

import numpy as np
import streamlit as st

from core.analysis.top_patches import top_patches
from core.errors import PrognoscopeError
from core.media.geojson import Area, read_geojson, write_geojson
from core.media.heat_legend import number
from core.results.slide_maps import MapLayer, SlideMaps
from pages.widgets.download import download_button
from pages.widgets.frame import show_error
from pages.widgets.html import note

_MOST = 50
_COLOURS = {"highest": (0, 114, 178), "lowest": (213, 94, 0)}


def kept_areas(slide: str) -> tuple[Area, ...]:
    """The annotations read for this slide (an opaque id) in this session."""
    found = st.session_state.get(f"slide_areas_{slide}", ())
    return tuple(found)


def extreme_patches(maps: SlideMaps, layer: MapLayer, slide: int, count: int) -> list[Area]:
    """The ``count`` highest and ``count`` lowest patches of a layer on a slide, as annotations."""
    here = np.flatnonzero((maps.slides == slide) & np.isfinite(layer.values))
    count = min(count, len(here) // 2)
    found = []
    for which in ("highest", "lowest"):
        numbers = maps.slides[here], maps.coordinates[here], maps.sides
        taken = top_patches(layer.values[here], *numbers, count, bottom=which == "lowest")
        for patch in taken:
            title = f"{layer.title}: {which} {patch.rank} of {len(taken)}, {number(patch.value, layer.signed)}"
            found.append(
                Area.square(
                    patch.x, patch.y, patch.side, name=title, classification=f"{which} {layer.title}",
                    colour=_COLOURS[which], measurements={layer.title: patch.value},
                )
            )  # fmt: skip
    return found


def areas_panel(slide: str, number_of: int, dimensions: tuple[int, int], maps: SlideMaps | None) -> None:
    """Download of the top patches and of what was read, upload of what QuPath wrote."""
    kept = kept_areas(slide)
    with st.expander("Annotations: to QuPath and back (GeoJSON)"):
        left, right = st.columns(2, gap="large")
        with left:
            _out(slide, number_of, maps, kept)
        with right:
            _in(slide, dimensions, kept)


def _out(slide: str, number_of: int, maps: SlideMaps | None, kept: tuple[Area, ...]) -> None:
    present = [x for x in maps.layers if not x.absent] if maps is not None else []
    patches: list[Area] = []
    if maps is not None and present:
        titles = {x.key: x.title for x in present}
        key = st.selectbox("Patches of which layer", list(titles), format_func=lambda k: titles[k], key="areas_layer")
        count = st.number_input("How many at each end", 1, _MOST, 8, key="areas_count")
        layer = maps.layer(key)
        if layer is not None:
            patches = extreme_patches(maps, layer, number_of, int(count))
    if not patches and not kept:
        note("Nothing to export: this slide has no maps and no annotations yet.")
        return
    download_button(
        f"Download {len(patches) + len(kept)} areas for QuPath",
        write_geojson([*patches, *kept]),
        "synthetic-slide-areas.geojson" if maps is not None and maps.synthetic else "slide-areas.geojson",
        "application/geo+json",
        on_click="ignore",
        key="areas_download",
    )
    note("In QuPath: open the slide, then drop the file on it. Coordinates are level-0 pixels.")


def _in(slide: str, dimensions: tuple[int, int], kept: tuple[Area, ...]) -> None:
    file = st.file_uploader("Annotations of this slide (GeoJSON of QuPath)", ["geojson", "json"], key=f"areas_{slide}")
    if file is not None and st.session_state.get(f"slide_areas_of_{slide}") != file.file_id:
        st.session_state[f"slide_areas_of_{slide}"] = file.file_id
        try:
            read = read_geojson(file.getvalue(), dimensions)
        except PrognoscopeError as error:
            st.session_state[f"slide_areas_error_{slide}"] = error
        else:
            st.session_state.pop(f"slide_areas_error_{slide}", None)
            st.session_state[f"slide_areas_{slide}"] = read.areas
            st.session_state[f"slide_areas_left_{slide}"] = read.left_out
        st.rerun()
    error = st.session_state.get(f"slide_areas_error_{slide}")
    if error is not None:
        show_error(error)
    if kept:
        left_out = st.session_state.get(f"slide_areas_left_{slide}", 0)
        more = f" {left_out} features that are no area (points, lines) were left out." if left_out else ""
        note(f"{len(kept)} annotations are drawn on the slide.{more}")
        st.button("Remove them", key="areas_remove", on_click=_forget, args=(slide,))
    note("They are kept for this session, drawn over the slide, and given to no model.")


def _forget(slide: str) -> None:
    st.session_state.pop(f"slide_areas_{slide}", None)
