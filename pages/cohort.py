"""Cohort: who the patients are, which data they have, and who is selected."""

from __future__ import annotations

import streamlit as st

from core.access.roles import Permission
from core.cohort.storage import list_cohorts
from core.results.workspace import Workspace
from pages.widgets import import_state
from pages.widgets.cohort_actions import actions
from pages.widgets.cohort_charts import clinical_charts, modality_chart
from pages.widgets.cohort_groups import groups_panel, paste_panel
from pages.widgets.cohort_head import headline, import_notes, overview, overview_numbers, survival_overview
from pages.widgets.cohort_table import statistics_panel, table_panel
from pages.widgets.data import View
from pages.widgets.html import state_box
from pages.widgets.import_wizard import import_wizard
from pages.widgets.opening import nobody_selected, show_page
from pages.widgets.score_patients import score_panel
from pages.widgets.who import may


def body(view: View) -> None:
    """The normal state, or the empty one of a selection without patients."""
    if import_state.current() is not None and may(Permission.IMPORT):
        import_wizard(view.workspace, list_cohorts(view.workspace))
        return
    actions(view)
    headline(view)
    if not view.selected.count:
        nobody_selected()
        return
    with st.container(key="overview"):
        left, right = st.columns([5, 7])
    with left:
        modality_chart(view)
    with right:
        result = overview(view)
        if result is not None:
            survival_overview(view, result)
    if result is not None:
        with left:
            overview_numbers(result)
    clinical_charts(view)
    table_panel(view)
    statistics_panel(view)
    score_panel(view)
    groups_panel(view)
    paste_panel(view)
    import_notes(view)


def empty(workspace: Workspace) -> None:
    """No cohort yet: how to get one."""
    if not may(Permission.IMPORT):
        state_box("No cohort for you yet", ("An administrator can grant you one.",))
        return
    wizard = import_state.current()
    if wizard is None or wizard.step is import_state.Step.CHOOSE:
        state_box(
            "No cohort yet",
            (
                "This workspace holds no patients. Nothing is wrong: choose a study below, or make invented patients.",
                "On the command line: `./run cli import PATH --name NAME`, or `./run cli import sample`",
            ),
        )
    import_wizard(workspace, ())


show_page("Cohort", body, empty)
