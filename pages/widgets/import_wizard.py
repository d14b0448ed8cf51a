"""The import wizard: choose a study, check what it would become, store it. Nothing is stored before the last step."""

from __future__ import annotations

import streamlit as st

from core.cohort.storage import CohortSummary
from core.results.workspace import Workspace
from pages.widgets import import_state as wizard
from pages.widgets.html import steps
from pages.widgets.import_check import check_step
from pages.widgets.import_choose import choose_step
from pages.widgets.import_state import Step
from pages.widgets.import_store import store_step, stored_step

STEPS = ("Choose a study", "Check what it holds", "Name and store it")
_NUMBER = {Step.CHOOSE: 1, Step.CHECK: 2, Step.STORE: 3, Step.STORED: 4}


def import_wizard(workspace: Workspace, cohorts: tuple[CohortSummary, ...]) -> None:
    """The panel in whichever step it is; opened by itself where there is no cohort yet."""
    if wizard.current() is None:
        wizard.open_wizard()
    state = wizard.current()
    if state is not None and state.step in (Step.CHECK, Step.STORE) and wizard.lost_upload():
        state = wizard.current()
    if state is None:
        return
    with st.container(key="import_wizard"):
        left, right = st.columns([6, 1], vertical_alignment="bottom")
        with left:
            st.header("Add a cohort")
        if cohorts:
            right.button("Close", key="import_close", on_click=wizard.close_wizard, width="stretch")
        steps(STEPS, _NUMBER[state.step])
        if state.step is Step.CHOOSE:
            choose_step(state, workspace, cohorts)
        elif state.step is Step.CHECK:
            check_step(state, workspace)
        elif state.step is Step.STORE:
            store_step(state, workspace)
        else:
            stored_step(state)
