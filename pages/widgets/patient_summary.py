"""The Patient page's Summary tab: who, how likely, how sure, why, and what the clinic knows beside it."""

from __future__ import annotations

import streamlit as st

from core.analysis.patient_estimate import PatientEstimate
from core.analysis.patient_person import Person
from core.analysis.patient_reference import comparable
from core.results.naming import badge
from pages.widgets import state as page
from pages.widgets.data import View
from pages.widgets.html import note, state_box
from pages.widgets.patient_clinic import clinic_panel, similar_panel
from pages.widgets.patient_number import number_panel, presentation_panel
from pages.widgets.patient_place import later_panel, place_panel
from pages.widgets.patient_read import read_ensemble, read_estimate, read_person
from pages.widgets.patient_reasons import reasons_panel
from pages.widgets.patient_routing import routing_panel
from pages.widgets.patient_support import support_note
from pages.widgets.patient_who import who_panel
from pages.widgets.report_buttons import report_buttons


def draw(view: View, patient: str) -> None:
    """One screen: the number and its doubt first, then the reasons, then everything to hold it against."""
    person = read_person(view, patient)
    if person is None:
        return
    estimate = read_estimate(person, view.workspace)
    who_panel(person)
    if estimate is None:
        _not_predicted(view, person)
    elif estimate.refused:
        state_box(
            "No estimate for this patient",
            (f"Outside what the run was trained on: {estimate.refused}.",
             "A number here would rest on no comparable patient. What the clinic knows stands below."),
        )  # fmt: skip
        support_note(view, person, estimate)
    else:
        _estimated(view, person, estimate)
    clinic_panel(view, person, estimate)
    report_buttons(view, patient)


def _estimated(view: View, person: Person, estimate: PatientEstimate) -> None:
    ensemble = read_ensemble(person.run, view.workspace)
    reference = comparable(person, ensemble, estimate, view.state.month)
    pinned = _pinned(view, person)
    with st.container(key="patient_number"):
        left, right = st.columns([5, 8], gap="medium")
    with left:
        number_panel(view, person, estimate, pinned)
        reasons_panel(view, person)
    with right:
        presentation_panel(view, person, estimate, reference, pinned)
    word = badge(person.run.protocol, not estimate.unseen and not person.new)
    if word == "optimistic":
        note("Optimistic (upstream protocol): the epoch was chosen on these very patients.", warn=True)
    support_note(view, person, estimate)
    with st.container(key="patient_second"):
        left, right = st.columns(2, gap="large")
    with left:
        place_panel(view, person, estimate, ensemble)
    with right:
        later_panel(person, estimate)
        routing_panel(view, person)
    similar_panel(view, person, estimate, ensemble)


def _pinned(view: View, person: Person) -> PatientEstimate | None:
    """The estimate of the patient pinned to compare with; None for nobody, the same one, or one without a number."""
    pinned = page.current().beside
    if not pinned or pinned == person.patient:
        return None
    found = read_estimate(Person(pinned, person.cohort, person.base, person.run), view.workspace)
    return None if found is None or found.refused else found


def _not_predicted(view: View, person: Person) -> None:
    """Why the run says nothing of this patient."""
    lacking = [m for m in person.run.modalities if not person.has(m)]
    endpoint = person.run.endpoint
    lines = []
    if person.new:
        lines.append("The run scored this cohort before this patient was in it: score it again on the Cohort page.")
    elif endpoint in view.cohort.endpoints:
        row = view.cohort.patients.index.get_loc(person.patient)
        if not bool(view.cohort.endpoint(endpoint).known[row]):
            lines.append(f"No usable outcome ({endpoint}): the training left such patients out.")
    if lacking:
        lines.append(f"The run reads {', '.join(person.run.modalities)}; this patient has no {', no '.join(lacking)}.")
    lines.append("Choose another run above, or see below what the clinic knows.")
    state_box("No estimate of this run for this patient", lines)
