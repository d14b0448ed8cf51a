"""The patient's name plate: find one of the selected patients, go to the next, pin one to compare with."""

from __future__ import annotations

import streamlit as st

from pages.widgets import state as page
from pages.widgets.data import View
from pages.widgets.html import note


def finder(view: View) -> str:
    """The row of controls; the pseudonym of the chosen patient, "" while nobody is chosen."""
    chosen = page.current().patient
    selected = [view.cohort.ids[row] for row in view.rows]
    outside = bool(chosen) and chosen not in set(selected)
    offered = [chosen, *selected] if outside else selected
    place = offered.index(chosen) if chosen in offered else -1
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small", key="finder"):
        st.session_state["find_patient"] = chosen or None
        st.selectbox(
            "Patient", offered, key="find_patient", placeholder="Type or choose a pseudonym", width=300,
            on_change=lambda: page.choose_patient(st.session_state["find_patient"] or ""),
        )  # fmt: skip
        _step("Previous", offered[place - 1] if place > 0 else "")
        _step("Next", offered[place + 1] if place + 1 < len(offered) else "")
        pinned = page.current().beside
        if chosen and chosen != pinned:
            st.button("Pin to compare", key="pin_patient", on_click=page.keep_beside, args=(chosen,),
                      help="Their estimate stands beside that of the patients you go on to.")  # fmt: skip
    if outside:
        note("This patient is not among the selected ones: the filters above leave them out.", warn=True)
    return chosen


def _step(words: str, patient: str) -> None:
    st.button(
        words, key=f"patient_{words.lower()}", disabled=not patient, on_click=page.choose_patient, args=(patient,)
    )
