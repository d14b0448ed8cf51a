"""What the clinic knows beside the model: markers, simple predictions, other estimates, similar patients."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

import pandas as pd
import streamlit as st

from core.analysis.comparisons import interval
from core.analysis.patient_estimate import PatientEstimate
from core.analysis.patient_history import Earlier, estimate_words, history_table, spread_words
from core.analysis.patient_markers import Marker, markers_of_patient
from core.analysis.patient_person import Person
from core.analysis.patient_reference import simple_predictions
from core.analysis.patient_sentences import month_words, percent_words, state_words
from core.analysis.patient_similar import similar_patients
from core.results.naming import model_words
from core.results.prediction import Predictions
from pages.widgets import state as page
from pages.widgets.data import View
from pages.widgets.html import badge_html, note, numbers_table
from pages.widgets.patient_read import other_estimates

WORTH_FOLDING = 4
"""So many values that merely describe are put aside; fewer are not worth a click."""


def clinic_panel(view: View, person: Person, estimate: PatientEstimate | None) -> None:
    """Simple predictions beside the run's, and every known value with whether the run used it."""
    st.header("What the clinic knows")
    with st.container(key="patient_clinic"):
        left, right = st.columns(2, gap="large")
    with left:
        _simple(view, person, estimate)
        if estimate is not None:
            _history(view, person, estimate)
    with right:
        _markers(markers_of_patient(person))


def _simple(view: View, person: Person, estimate: PatientEstimate | None) -> None:
    month, state = view.state.month, state_words(person.endpoint)
    rows = []
    if estimate is not None:
        rows.append((f"This run ({model_words(person.run.model)})", "–", estimate_words(estimate, month),
                     spread_words(estimate, month)))  # fmt: skip
    for found in simple_predictions(person, month):
        name = f"{found.name}{f' ({found.level})' if found.level else ''}"
        if found.value is None:
            rows.append((name, str(found.n or "–"), found.note, "–"))
        else:
            limits = interval(found.value, found.low, found.high)
            low, high = (f"{100 * v:.0f}" if v is not None else "–" for v in (found.low, found.high))
            rows.append(
                (name, str(found.n), percent_words(found.value), f"{low} to {high} %, 95 % CI" if limits else "")
            )
    columns = ["Prediction from", "Patients", f"{state[:1].upper()}{state[1:]} at {month_words(month)}", "Uncertainty"]
    st.subheader("Simple predictions")
    if not rows:
        note("No stage and no ALBI in this cohort to predict from.")
        return
    numbers_table(pd.DataFrame(rows, columns=columns), right=("Patients",))
    note("Stage and ALBI alone: Kaplan-Meier of the training cohort's patients with the same value, without this one.")


def _markers(markers: tuple[Marker, ...]) -> None:
    st.subheader("Markers and stages")
    if not markers:
        note("No clinical value is known of this patient.")
        return
    shown, aside = [m for m in markers if not m.aside], [m for m in markers if m.aside]
    if not shown or len(aside) < WORTH_FOLDING:
        shown, aside = list(markers), []
    _table(shown)
    if aside:
        with st.expander(f"What else is recorded ({len(aside)})"):
            _table(aside)


def _table(markers: Sequence[Marker]) -> None:
    lines = "".join(
        f"<tr><td>{escape(m.label)}</td><td>{escape(m.words)}</td><td>{_place(m)}</td><td>{_used(m)}</td></tr>"
        for m in markers
    )
    st.html(
        '<table class="numbers"><thead><tr><th>Value</th><th>Patient</th><th>In the cohort</th><th>Model</th></tr>'
        f"</thead><tbody>{lines}</tbody></table>"
    )


def _used(marker: Marker) -> str:
    if marker.used:
        return badge_html(marker.badge, warn=False)
    return f'<span class="badge-quiet">{escape(marker.badge)}</span>'


def _place(marker: Marker) -> str:
    """The place of a number in the cohort as a small scale with a mark, and in words."""
    if marker.place is None:
        return ""
    share = 100 * marker.place
    words = {0.0: "lower than all", 100.0: "higher than all"}.get(share, f"higher than {share:.0f} %")
    return (
        f'<span class="scale" aria-hidden="true"><i style="left:{share:.0f}%"></i></span> '
        f'<span class="scale-words">{words}</span>'
    )


def _history(view: View, person: Person, estimate: PatientEstimate) -> None:
    """The other runs' estimates of the same patient."""
    others = other_estimates(person, view)
    st.subheader("Other estimates of this patient")
    if not others:
        note("No other run and no earlier set of estimates speaks of this patient.")
        return
    outdated = not person.new and person.run.cohort_hash != person.cohort.content_hash
    table = history_table(Earlier(person.run, estimate, outdated), others, view.state.month)
    numbers_table(table)
    note(f"Estimates at {month_words(view.state.month)}, the newest first. They differ in model, inputs and training: "
         "a change between them is no change of the patient.")  # fmt: skip


def similar_panel(view: View, person: Person, estimate: PatientEstimate, ensemble: Predictions) -> None:
    """The nearest patients with what they share and what happened to them; a click opens one."""
    month = view.state.month
    st.header("Similar patients")
    found = similar_patients(person, ensemble, estimate, month)
    if not found:
        note("No patient is near enough to be called similar.")
        return
    words = [percent_words(s.survival) if s.survival == s.survival else "not estimable" for s in found]
    table = pd.DataFrame(
        {
            "Patient": [s.patient for s in found],
            f"Estimate at {month_words(month)}": words,
            "Why similar": [s.why for s in found],
            "What happened": [s.outcome for s in found],
        }
    )
    key = f"similar_{person.patient}"
    opens = {} if person.new else {"on_select": lambda: _open(key, tuple(table["Patient"])),
                                   "selection_mode": "single-row"}  # fmt: skip
    st.dataframe(
        table, hide_index=True, key=key, alt="Similar patients", **opens,
        column_config={"Why similar": st.column_config.TextColumn(width="large")},
    )  # fmt: skip
    note("Near in the estimated course and in clinical values; what happened to them is no forecast for this patient."
         + ("" if person.new else " Tick one to open it."))  # fmt: skip


def _open(key: str, ids: tuple[str, ...]) -> None:
    rows = st.session_state[key]["selection"]["rows"]
    if rows:
        page.choose_patient(ids[rows[0]])
