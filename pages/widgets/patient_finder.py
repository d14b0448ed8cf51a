"""The patient's name plate: find one of the selected patients, go to the next, pin one to compare with."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from core.access.roles import Permission
from core.cohort.new_patient import FORMAT as NEW
from core.results.naming import run_words
from pages.widgets import state as page
from pages.widgets.data import View
from pages.widgets.deletion_dialog import ask_to_delete_cohort, deletion_dialog
from pages.widgets.html import note
from pages.widgets.new_patient import open_new_patient
from pages.widgets.topbar import bound_select
from pages.widgets.who import may


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
        st.space("stretch")
        if view.cohort.provenance.format == NEW and may(Permission.DELETE):
            st.button("Delete this patient …", key="delete_new", type="tertiary", on_click=ask_to_delete_cohort,
                      args=(view.cohort.name,))  # fmt: skip
        if may(Permission.SCORE):
            st.button("New patient", key="new_patient_button", on_click=open_new_patient)
    deletion_dialog(view.cohort.name, None, view.workspace)
    if outside:
        note("This patient is not among the selected ones: the filters above leave them out.", warn=True)
    return chosen


def scored_by(view: View) -> None:
    """Which run of another cohort the estimates come from; a box where there are several."""
    words = {r.id: f"{r.cohort}, {run_words(r)}" for r in view.runs}
    if len(words) == 1:
        note(f"Estimated by a run of another cohort: {next(iter(words.values()))}.")
        return
    bound_select(
        "Estimated by a run of another cohort", list(words), view.state.run, "scored_by",
        lambda run: page.put(replace(page.current(), run=run)), format_func=lambda run: words.get(run, run),
    )  # fmt: skip


def _step(words: str, patient: str) -> None:
    st.button(
        words, key=f"patient_{words.lower()}", disabled=not patient, on_click=page.choose_patient, args=(patient,)
    )
