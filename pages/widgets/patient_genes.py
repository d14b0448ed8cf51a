"""The Genes tab: which genes and values moved this patient's estimate, by how much, and how sure that is."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from core.analysis.explanation_sentences import check_verdict, check_words, estimate_sentence, groups_sentence
from core.results.explained import Kind, default_month
from core.results.explanation import Explanation, load_explanation
from core.results.run import Run
from pages.widgets.cohort_values import cohort_values
from pages.widgets.data import View
from pages.widgets.explain_job import explain_panel, explained
from pages.widgets.frame import loading
from pages.widgets.html import note, state_box
from pages.widgets.patient_values import levels_block, reasons_block, trust_block, waterfall_block
from pages.widgets.trust_box import trust_box
from pages.widgets.what_if import what_if_panel

WHY = (
    "The estimate is shared out over the patient's genes, clinical values and other data: what raised it, what "
    "lowered it, by how many percentage points, and whether the models agree."
)


def draw(view: View, patient: str) -> None:
    """This patient's values; below them the whole cohort's."""
    run = view.run
    if run is None:
        return
    month = default_month(run.horizons, view.state.month)
    _of_patient(view, run, patient, month)
    st.divider()
    what_if_panel(view, run, patient, month)
    st.divider()
    st.subheader("The whole cohort")
    cohort_values(view, patient, month)


def _of_patient(view: View, run: Run, patient: str, month: float) -> None:
    """The stored explanation, or the way to one."""
    if not explained(view, patient, Kind.VALUES, month):
        explain_panel(view, patient, (Kind.VALUES,), month, WHY)
        return
    with loading("Reading the explanation"):
        found = _labelled(load_explanation(run.id, patient, month, view.workspace), view)
    _said(found)
    waterfall_block(view, found)
    _check_line(found)
    left, right = st.columns([1, 1], gap="large")
    with left:
        reasons_block(found)
        levels_block(found)
    with right:
        trust_block(found)
    for words in found.notes:
        note(words)
    trust_box(view, Kind.VALUES)


def _labelled(found: Explanation, view: View) -> Explanation:
    """Clinical columns under the names a reader knows them by."""
    clinical = found.features["group"] == "clinical"
    names = found.features["name"].where(~clinical, found.features["name"].map(view.cohort.label))
    return replace(found, features=found.features.assign(name=names))


def _said(found: Explanation) -> None:
    st.markdown(f"{estimate_sentence(found)} {groups_sentence(found)}")
    note("What the models used, not what caused the disease: a value may stand for something else that goes with it.")


def _check_line(found: Explanation) -> None:
    """The sum as it is, under the chart that draws it."""
    text = f"Baseline + values + residual = estimate: {check_words(found)} (%). {check_verdict(found)}"
    if "do not use" in text:
        state_box("This explanation does not add up", (text,), "error")
    else:
        note(text)
