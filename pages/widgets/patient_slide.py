"""Patient, Slide: the slides by deep zoom, and over them where the models that never saw the patient looked."""

from __future__ import annotations

import streamlit as st

from core.cohort.modality import Modality
from core.desktop.session import Looking
from core.errors import PrognoscopeError
from core.media.heat_scale import Over, Shown
from core.results.explained import Kind
from core.results.naming import model_words
from core.results.slide_maps import SlideMaps
from core.serving.slide_ids import SlideRef, patient_slides, slide_id
from core.serving.slide_map_store import stored_maps
from core.serving.slide_view import viewer_data
from core.serving.visitor import visitor_of
from pages.widgets.data import View
from pages.widgets.explain_job import explain_panel, explained
from pages.widgets.frame import show_error
from pages.widgets.html import note, state_box
from pages.widgets.napari_button import napari_button
from pages.widgets.slide_areas import areas_panel, kept_areas
from pages.widgets.slide_viewer import slide_viewer
from pages.widgets.trust_box import trust_box

SHOWN = {Shown.PERCENTILE: "percentile", Shown.RAW: "raw value"}
OVER = {Over.SLIDE: "this slide", Over.COHORT: "the cohort"}


def draw(view: View, patient: str) -> None:
    """The tab: a slide, its maps or why there are none, annotations."""
    slides = patient_slides(view.cohort.name, patient, view.workspace)
    if not slides:
        _no_slide(view, patient)
        return
    maps = _maps(view, patient)
    if maps is None:
        _why_no_maps(view, patient)
    with st.container(key="slide_controls", horizontal=True, vertical_alignment="bottom", gap="large"):
        number = _which(len(slides))
        shown, over = _scale(maps)
    _viewer(view, SlideRef(view.cohort.name, patient, number), maps, shown, over)
    if maps is not None:
        _words(maps, view.state.month)
        trust_box(view, Kind.SLIDE)


def _viewer(view: View, ref: SlideRef, maps: SlideMaps | None, shown: Shown, over: Over) -> None:
    visitor = visitor_of(st.context.cookies)
    if not visitor:
        state_box(
            "Slides cannot be shown to this browser",
            ("It sent no cookie. Allow cookies for this address, then reload.",),
        )
        return
    try:
        data = viewer_data(ref, maps, visitor, view.workspace, shown, over, kept_areas(slide_id(ref)))
    except PrognoscopeError as error:
        show_error(error)
        return
    slide_viewer(data, key="slide_viewer")
    areas_panel(slide_id(ref), ref.number, (data["width"], data["height"]), maps)
    areas = {ref.number: kept_areas(slide_id(ref))}
    napari_button(view, ref.patient, Looking(ref.number), areas, shown, over, key="napari_slide")


def _which(count: int) -> int:
    if count == 1:
        return 0
    numbers = list(range(count))
    return st.selectbox("Slide", numbers, format_func=lambda i: f"{i + 1} of {count}", key="slide_number", width=160)


def _scale(maps: SlideMaps | None) -> tuple[Shown, Over]:
    """How values become colours; without maps there is nothing to ask."""
    if maps is None:
        return Shown.PERCENTILE, Over.SLIDE
    shown = st.segmented_control(
        "Colour follows the", list(SHOWN), format_func=SHOWN.__getitem__, default=Shown.PERCENTILE, key="slide_shown",
        required=True, help="A percentile shows the order of the patches even where a few values dwarf the others."
    )  # fmt: skip
    known = bool(maps.cohort_quantiles)
    over = st.segmented_control(
        "Compared with", list(OVER), format_func=OVER.__getitem__, default=Over.SLIDE, key="slide_over", required=True,
        disabled=not known, help="The cohort: patches of a sample of the run’s patients, so that two patients’ colours "
        "can be compared." + ("" if known else " It was not made for these maps.")
    )  # fmt: skip
    return shown or Shown.PERCENTILE, (over or Over.SLIDE) if known else Over.SLIDE


def _maps(view: View, patient: str) -> SlideMaps | None:
    run = view.run
    if run is None or not explained(view, patient, Kind.SLIDE, None):
        return None
    return stored_maps(run.id, patient, view.workspace)


def _why_no_maps(view: View, patient: str) -> None:
    run = view.run
    if run is None:
        return
    if Modality.SLIDES.value not in run.modalities:
        read = ", ".join(run.modalities)
        lines = (f"It was trained on {read}: no part of it ever saw a slide. The slide itself can be looked at below.",)
        state_box(f"{model_words(run.model)}: this run does not read slides", lines, "slight")
        return
    why = (
        "Maps over the slide will show the attention of the models that never saw this patient, the relevance through "
        "each expert, and how much the models agree. The slide itself can be looked at already."
    )
    explain_panel(view, patient, (Kind.SLIDE,), None, why)


def _words(maps: SlideMaps, month: float) -> None:
    """What the layers are, and what they are not; ``month`` is the one the page shows."""
    models = "1 model" if maps.models == 1 else f"mean over {maps.models} models"
    note(
        f"Made by the models that never saw this patient ({models}), from patches encoded by {maps.encoder}. "
        "A map says where the model’s number comes from; it does not say where disease is. "
        "“Relevance through an expert” is the gradient of that expert’s part of the risk with respect to the patches."
    )
    if any(x.signed for x in maps.layers) and maps.month != month:
        note(
            f"Layers with a sign explain survival at month {maps.month:g}, not at month {month:g} as chosen above.",
            True,
        )
    for text in maps.notes:
        note(text)


def _no_slide(view: View, patient: str) -> None:
    coded = Modality.SLIDES.value in view.cohort.availability.columns and bool(
        view.cohort.availability.at[patient, Modality.SLIDES.value]
    )
    if coded:
        lines = (
            "The cohort holds features of this patient’s slides, made elsewhere, but not the slide files themselves.",
        )
        state_box("The slide itself is not here", lines)
        return
    state_box("No slide", ("This patient has no slide in the cohort.",))
