"""How the run routed this patient through its experts, in a sentence a level; or why that cannot be said."""

from __future__ import annotations

import streamlit as st

from core.analysis.patient_person import Person
from core.analysis.patient_routing import routing_of_patient
from core.results.routing_record import has_routing
from pages.widgets.data import View
from pages.widgets.experts_record import ROUTED, routing_of
from pages.widgets.html import note


def routing_panel(view: View, person: Person) -> None:
    """Nothing for a model without experts."""
    run = person.run
    if run.model not in ROUTED:
        return
    st.subheader("Through which experts")
    if person.new:
        note("Gates are kept of the run's own patients alone: a new patient has none to show.")
        return
    if not has_routing(run.id, view.workspace):
        note("The routing of this run was not read yet: the Experts page reads it for all patients at once.")
        return
    record = routing_of(view, "")
    found = routing_of_patient(record, person.patient) if record is not None else ()
    if not found:
        note("The stored routing does not know this patient.")
    for words in found:
        note(words)
