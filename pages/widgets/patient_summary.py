"""The Patient page's Summary tab: one screen about one patient."""

from __future__ import annotations

import streamlit as st

from core.results.naming import run_words
from pages.widgets.data import View, read_predictions
from pages.widgets.html import facts, note, state_box


def draw(view: View, patient: str) -> None:
    """Who the patient is and what the run estimates."""
    run = view.run
    if run is None:
        return
    predictions = read_predictions(run, view.workspace).ensemble()
    rows = (predictions.table["id"] == patient).to_numpy().nonzero()[0]
    if not len(rows):
        state_box("No estimate for this patient", ("The run did not predict this patient.",), "slight")
        return
    value = float(predictions.survival_at(view.state.month)[rows[0]])
    facts([(f"{100 * value:.0f} %", "", f"estimated to be alive at month {view.state.month:g}")])
    note(run_words(run))
    st.caption("Out-of-fold: by the models that never saw this patient.")
