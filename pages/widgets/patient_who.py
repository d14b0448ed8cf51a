"""The patient's name plate: pseudonym, age, sex, stage, the data there are, the months of observation."""

from __future__ import annotations

from html import escape

import streamlit as st

from core.analysis.patient_identity import Identity, identity
from core.analysis.patient_person import Person
from core.results.naming import model_words
from pages.widgets.html import note


def who_panel(person: Person) -> None:
    """One line, and what the missing data mean behind it."""
    found = identity(person)
    missing = [m for m in found.modalities if m.read and not m.present]
    with st.container(horizontal=True, gap="small", vertical_alignment="center", key="who_line"):
        st.html(_plate(person, found), width="content")
        words = "Data of this patient" if not missing else f"Missing: {', '.join(m.modality for m in missing)}"
        with st.popover(words, key="who_data"):
            for modality in found.modalities:
                st.markdown(f"- {modality.words}")
        if found.outcome:
            with st.popover("What happened", key="who_outcome"):
                st.markdown(f"{found.outcome}.")
                st.caption("On file; the models behind the estimate were never told it of this patient.")
    if missing:
        note(" ".join(m.words for m in missing))


def _plate(person: Person, found: Identity) -> str:
    facts = " · ".join(escape(f) for f in found.facts)
    pills = "".join(
        f'<span class="pill {"has" if m.present else "lacks"}{"" if m.read else " unread"}">'
        f"{'✓' if m.present else '–'} {escape(m.modality)}</span>"
        for m in found.modalities
    )
    observed = f'<span class="seen">Observed {escape(found.observed)}</span>' if found.observed else ""
    new = '<span class="badge">new patient</span>' if person.new else ""
    return (
        f'<div class="who"><span class="name">{escape(person.patient)}</span>{new}<span class="facts-line">{facts}'
        f'</span><span class="pills" title="Data there are; those the run of {escape(model_words(person.run.model))} '
        f'does not read are faint">{pills}</span>{observed}</div>'
    )
