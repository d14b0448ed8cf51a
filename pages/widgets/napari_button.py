"""One button that opens the patient's slides and scans in napari, for a browser on the server's own machine alone."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import streamlit as st

from core.desktop.make_session import make_session
from core.desktop.screen import elsewhere, launch, no_screen, open_command
from core.desktop.session import Looking, save_session, session_path
from core.errors import PrognoscopeError
from core.media.geojson import Area
from core.media.heat_scale import Over, Shown
from pages.widgets.data import View
from pages.widgets.download import download_button
from pages.widgets.frame import show_error, told_plainly
from pages.widgets.html import note
from pages.widgets.who import has_login


def napari_button(
    view: View,
    patient: str,
    looking: Looking | None = None,
    areas: Mapping[int, tuple[Area, ...]] | None = None,
    shown: Shown = Shown.PERCENTILE,
    over: Over = Over.SLIDE,
    key: str = "napari",
) -> None:
    """Draw the button, or one sentence on why there is none for this browser.

    Parameters
    ----------
    looking : Looking, optional
        Slide, place and layers to begin with; all of the first slide when left out.
    areas : mapping, optional
        Slide number → annotations to show.
    shown, over
        How the maps are coloured on the page.
    key : str
        Tells two buttons of one page apart.
    """
    if view.run is None or has_login():  # with a login people come from elsewhere: no window of theirs opens here
        return
    reason = not_here()
    if reason:
        note(f"Slides and scans open in napari on the machine that runs Prognoscope only: {reason}.")
        return
    with st.container(key=f"{key}_row"):
        pressed = st.button(
            "Open in napari", key=f"{key}_open", help="The desktop viewer, with this run’s maps in the same colours."
        )
        if pressed:
            with told_plainly("Patient, napari"):
                _open(view, patient, looking, areas, shown, over, key)


def not_here() -> str:
    """Why this browser may not open a window on the server's machine; "" when it may."""
    address = str(st.get_option("server.address") or "")
    return elsewhere(address, st.context.ip_address, dict(st.context.headers.to_dict()))


def _open(
    view: View,
    patient: str,
    looking: Looking | None,
    areas: Mapping[int, tuple[Area, ...]] | None,
    shown: Shown,
    over: Over,
    key: str,
) -> None:
    if view.run is None:
        return
    session = make_session(view.run.id, patient, view.workspace, looking, areas, view.cohort.name, shown, over)
    path = save_session(session, session_path(session, view.workspace))
    reason = no_screen()
    if reason:
        note(f"napari was not opened: {reason}. The session is kept; where there is a screen, this opens it:")
    else:
        _launched(path, view)
    st.code(open_command(path), language="bash", wrap_lines=True)
    if reason:
        # it names files of this machine, and goes to a browser on this machine alone
        download_button(
            "Download the session file", path.read_bytes(), "napari-session.json", "application/json",
            on_click="ignore", key=f"{key}_file",
        )  # fmt: skip
    for words in session.notes:
        note(f"Not in it – {words}.")


def _launched(path: Path, view: View) -> None:
    try:
        with st.spinner("Opening napari …"):
            opened = launch(path, view.workspace)
    except PrognoscopeError as error:
        show_error(error)
        return
    said = "napari is open in a window of its own." if opened else "napari still opens; look for its window soon."
    note(f"{said} To open it again by hand:")
