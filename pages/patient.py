"""Patient: everything the chosen run says of one patient, how sure it is, and what the clinic knows beside it."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import streamlit as st

from core.cohort.modality import Modality
from pages.widgets.audited import opened
from pages.widgets.data import View
from pages.widgets.frame import told_plainly
from pages.widgets.html import note, state_box
from pages.widgets.new_patient import is_open, new_patient_panel
from pages.widgets.opening import nobody_selected, show_page
from pages.widgets.patient_finder import finder, scored_by
from pages.widgets.patient_genes import draw as genes
from pages.widgets.patient_read import refused, with_scoring_runs
from pages.widgets.patient_report import draw as report
from pages.widgets.patient_scan import draw as scan
from pages.widgets.patient_slide import draw as slide
from pages.widgets.patient_summary import draw as summary

Draw = Callable[[View, str], None]

TABS: Mapping[str, Draw] = {"Summary": summary, "Slide": slide, "Scan": scan, "Genes": genes, "Report": report}
"""Name → what it draws of a patient; only the open one is drawn."""

NEEDS: Mapping[str, Modality] = {
    "Slide": Modality.SLIDES,
    "Scan": Modality.VOLUMES,
    "Report": Modality.REPORTS,
}
"""Tabs about one kind of data: shown where the patient has it."""

OF_ESTIMATE = frozenset({"Genes", "What if"})
"""Tabs that say a number: not shown for a patient who gets none."""


def body(view: View) -> None:
    """The normal state, or an empty one: no run, nobody selected, nobody chosen."""
    own = bool(view.runs)
    view = with_scoring_runs(view)
    if view.run is None:
        _no_run(view)
        return
    if is_open():
        new_patient_panel(view, view.run)
        return
    if not view.selected.count and not view.state.patient:
        nobody_selected()
        return
    patient = finder(view)
    if not own:
        scored_by(view)
    if not patient:
        _nobody()
        return
    opened(view.workspace, view.cohort.name, view.run.id, patient)
    shown = {name: draw for name, draw in TABS.items() if not missing(name, view, patient)}
    tabs = st.tabs(list(shown), key="patient_tab", on_change="rerun")
    for tab, (name, draw) in zip(tabs, shown.items(), strict=True):
        if tab.open:
            with tab, told_plainly(f"Patient, {name}"):
                draw(view, patient)
    absent = [missing(name, view, patient) for name in TABS if name not in shown]
    if absent:
        note(" ".join(absent))


def missing(name: str, view: View, patient: str) -> str:
    """Why a tab is not shown for this patient, in one sentence; "" where it is."""
    if name in OF_ESTIMATE and refused(view, patient):
        return f"No {name} tab: this patient gets no estimate."
    need = NEEDS.get(name)
    if need is None:
        return ""
    have = view.cohort.availability
    if need.value not in have.columns or not bool(have.at[patient, need.value]):
        return f"No {name} tab: this patient has no {need.value}."
    return ""


def _nobody() -> None:
    state_box(
        "Choose a patient",
        (
            "Type the first signs of a pseudonym above, or choose one from the list: it holds the selected patients.",
            "A patient clicked in the table of the Cohort page or on a survival curve opens here as well.",
        ),
    )


def _no_run(view: View) -> None:
    state_box(
        "No run of this cohort yet",
        (
            "A patient's estimate comes from a trained model: there is none to ask.",
            f"On the command line: `./run cli train --cohort {view.cohort.name} --model hdmoe`",
        ),
    )
    if st.button("Go to Train", key="go_train"):
        st.switch_page("train.py")


show_page("Patient", body)
