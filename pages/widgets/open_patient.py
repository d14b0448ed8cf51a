"""The way from picked patients to the page of one of them."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from pages.widgets import state as page

MOST = 50
"""Picked patients offered by name; beyond that the pick is a group, not a patient."""


def open_patient(picked: Sequence[str], place: str) -> None:
    """A button for a single picked patient, a box to choose from for several; ``place`` tells the keys apart."""
    if not picked:
        return
    if len(picked) == 1:
        if st.button(f"Open patient {picked[0]}", key=f"open_patient_{place}", type="primary"):
            _go(picked[0])
        return
    chosen = st.selectbox(
        "Open patient", picked[:MOST], index=None, key=f"open_patient_{place}", placeholder="Open patient …",
        label_visibility="collapsed", width=220,
    )  # fmt: skip
    if chosen:
        _go(chosen)


def _go(patient: str) -> None:
    page.choose_patient(patient)
    st.switch_page("patient.py")
