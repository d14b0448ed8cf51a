"""The Patient page's Scan tab: the scan itself, where in it the estimate came from, and what is known of the files."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import streamlit as st

from core.cohort.modality import Modality
from core.results.explained import Kind, explained_folder
from core.results.files import MANIFEST
from core.results.scan_maps import ScanMaps, load_scan_maps
from core.results.workspace import Workspace
from core.serving.libraries import has_library, missing_library
from core.serving.scan_view import PatientScans, has_scans, read_scans, viewer_data
from core.serving.visitor import visitor_of
from pages.widgets.data import View
from pages.widgets.explain_job import explain_panel, explained
from pages.widgets.frame import loading, show_error, told_plainly
from pages.widgets.html import note, numbers_table, state_box
from pages.widgets.napari_button import napari_button
from pages.widgets.scan_viewer import scan_viewer

PLAIN_NOTES = 2
"""The first notes of a map are for every reader; the rest says how it was made."""

_WHY = "Colours over the scan will show which parts of it raise or lower this patient's estimate, and by how much."


def draw(view: View, patient: str) -> None:
    """The tab, in whichever of its states it is."""
    if not has_scans(view.cohort.name, patient, view.workspace):
        state_box(
            "No scan of this patient",
            (
                "The cohort holds none, or it was imported without files.",
                "Scans come with an import that names them: NIfTI files or folders with one DICOM series each.",
            ),
            "slight",
        )
        return
    with loading("Reading the scans"):
        found = read_scans(view.cohort.name, patient, view.workspace)
    for warning in found.warnings:
        note(warning, warn=True)
    for name, reason in found.failures:
        note(f"{name} cannot be shown: {reason}.", warn=True)
    if not found.scans:
        state_box(
            "None of this patient's scans can be read",
            ("What is wrong with each stands above. The estimate and the other tabs do not change by it.",),
            "error",
        )
        return
    maps = _maps(view, patient)
    _viewer(found, maps)
    with told_plainly("Patient, Scan: attribution"):
        _attribution(view, patient, maps)
    _about(found)
    napari_button(view, patient, key="napari_scan")


def _viewer(found: PatientScans, maps: ScanMaps | None) -> None:
    visitor = visitor_of(st.context.cookies)
    if not has_library("niivue.umd.js"):
        show_error(missing_library("niivue.umd.js"))
    elif not visitor:
        state_box("Reload the page to see the scan", ("The browser has not shown its cookie yet.",), "slight")
    else:
        scan_viewer(viewer_data(found, maps, visitor), key="scan_viewer")


def _maps(view: View, patient: str) -> ScanMaps | None:
    """The stored attribution, or None; one that was altered is told and not shown."""
    if view.run is None or not explained(view, patient, Kind.SCAN, None):
        return None
    manifest = explained_folder(Kind.SCAN, view.run.id, patient, None, view.workspace) / MANIFEST
    with told_plainly("Patient, Scan: attribution"):
        return _read_maps(str(view.workspace.root), view.run.id, patient, manifest.stat().st_mtime_ns)
    return None


@st.cache_resource(scope="session", show_spinner=False, max_entries=3)
def _read_maps(root: str, run: str, patient: str, stamp: int) -> ScanMaps:
    return load_scan_maps(run, patient, Workspace(Path(root)))


def _attribution(view: View, patient: str, maps: ScanMaps | None) -> None:
    """What the colours are and how far they can be trusted; without them, why not, or the way to them."""
    run = view.run
    if run is None:
        note("No run is chosen: the scan is shown without attribution.")
        return
    if Modality.VOLUMES.value not in run.modalities:
        note("This run's models read no scans: the scan is shown without attribution.")
        return
    if maps is None:
        explain_panel(view, patient, (Kind.SCAN,), view.state.month, _WHY)
        return
    st.markdown("#### What the colours mean")
    for sentence in maps.notes[:PLAIN_NOTES]:
        note(sentence)
    for layer in maps.layers:
        if layer.absent:
            note(f"{layer.title}, {layer.phase or 'all phases'}: {layer.absent}")
    models = "1 model" if maps.models == 1 else f"the mean of {maps.models} models"
    with st.expander("How the colours were made, and how far they can be trusted"):
        for sentence in maps.notes[PLAIN_NOTES:]:
            note(sentence)
        note(
            f"{maps.method}. Encoder {maps.encoder}; {models} that never saw this patient; month {maps.month:g};"
            f" made in {maps.seconds:.0f} s."
        )
    if maps.month != view.state.month:
        note(f"The colours speak of month {maps.month:g}, the page of month {view.state.month:g}.", warn=True)
        explain_panel(view, patient, (Kind.SCAN,), view.state.month, _WHY)


def _about(found: PatientScans) -> None:
    """The few facts of the files that may be shown."""
    described = found.facts()
    what = list(dict.fromkeys(key for _, values in described for key in values))
    table = pd.DataFrame({"": what} | {name: [values.get(key, "–") for key in what] for name, values in described})
    with st.expander("About these scans"):
        numbers_table(table)
        note("Nothing else is shown of the files' headers. Times count from the first scan, never as dates.")
        looked = [s for s in found.scans if s.facts.burned_in.slices]
        note(
            f"Text burned into the pictures was looked for near the edges of {len(looked)} scans: "
            f"{sum(s.facts.burned_in.suspect > 0 for s in looked)} look as if they held any. The look can miss some."
        )
