"""Step 2 of the import wizard: what was recognised, what the columns mean, and what the import would give."""

from __future__ import annotations

import streamlit as st

from core.cohort.checking import check_import
from core.cohort.importers.recognise import FORMATS
from core.cohort.preview import FORMAT_WORDS
from core.errors import PrognoscopeError
from core.results.workspace import Workspace
from pages.widgets import import_state as wizard
from pages.widgets.html import note
from pages.widgets.import_beside import beside_panel
from pages.widgets.import_columns import columns_panel
from pages.widgets.import_endpoints import endpoints_panel
from pages.widgets.import_identity import identity_panel
from pages.widgets.import_job import finished_check, start_check
from pages.widgets.import_outcome import outcome_panel
from pages.widgets.import_state import Step, Wizard
from pages.widgets.topbar import bound_select


def check_step(state: Wizard, workspace: Workspace) -> None:
    """The mapping on the left, its result on the right."""
    left, right = st.columns([7, 5], gap="large")
    with left:
        _recognised(state)
        if state.preview is not None and state.preview.mapping is not None:
            endpoints_panel(state)
            columns_panel(state)
        elif state.preview is not None:
            note("This format brings its own meaning: there is nothing to map.")
        if state.preview is not None:
            beside_panel(state, workspace)
    state = wizard.current() or state
    with right, st.container(key="import_result"):
        st.subheader("What would be stored")
        _check(state, workspace)
        state = wizard.current() or state
        outcome_panel(state)
        if state.asked == state.question and not state.job:
            identity_panel(state)
        _buttons(state)


def _recognised(state: Wizard) -> None:
    found = state.preview
    if state.source is None:
        return
    st.subheader(state.source.name)
    if found is not None and found.table:
        genes = f", {found.gene_columns:,} of genes" if found.gene_columns else ""
        st.markdown(f"{found.lines:,} lines, {len(found.columns) + found.gene_columns:,} columns{genes}.")
    for warning in found.warnings if found is not None else ():
        note(warning, warn=True)
    options = list(dict.fromkeys(("", *FORMATS)))
    bound_select(
        "Format", options, state.forced, "import_format",
        wizard.read_as,
        format_func=lambda kind: FORMAT_WORDS.get(kind, kind) if kind else _recognised_words(state),
    )  # fmt: skip


def _recognised_words(state: Wizard) -> str:
    return f"recognised: {state.preview.words}" if state.preview is not None and not state.forced else "recognised"


def _check(state: Wizard, workspace: Workspace) -> None:
    """Read the study as it is mapped now, unless something is open or this very question was answered already."""
    if state.open_questions or state.path is None or (state.asked == state.question and not state.job):
        return
    if state.large:
        finished_check(state, workspace) if state.job else start_check(state, workspace)
        return
    with st.spinner("Reading the whole study …"):
        try:
            checked, problem = check_import(state.path, **state.request().options()), None
        except PrognoscopeError as error:
            checked, problem = None, error
    wizard.change(checked=checked, problem=problem, asked=state.question, identifying="")


def _buttons(state: Wizard) -> None:
    ready = state.checked is not None and state.asked == state.question and not state.open_questions
    mapped = state.preview is not None and state.preview.mapping is not None
    with st.container(horizontal=True):
        st.button("Choose another study", key="import_again", on_click=wizard.start_again)
        st.button(
            "Continue", key="import_continue", type="primary",
            disabled=not ready or (mapped and not state.agreed) or state.undecided,
            on_click=lambda: wizard.change(step=Step.STORE),
        )  # fmt: skip
    if ready and mapped and not state.agreed:
        note("Confirm the meaning of the event codes to continue.")
    if ready and state.undecided:
        note("Say what shall become of the reports to continue.")
