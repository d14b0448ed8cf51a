"""What can be done with whole cohorts: add one, delete this one or one of its runs."""

from __future__ import annotations

import streamlit as st

from core.access.roles import Permission
from pages.widgets import import_state
from pages.widgets.data import View
from pages.widgets.deletion_dialog import ask_to_delete_cohort, ask_to_delete_run, deletion_dialog
from pages.widgets.who import may


def actions(view: View) -> None:
    """A quiet row of buttons under the top bar."""
    with st.container(horizontal=True, horizontal_alignment="right", gap="small", key="cohort_actions"):
        if may(Permission.IMPORT):
            st.button("Add a cohort", key="open_import", on_click=import_state.open_wizard)
        if view.run is not None and may(Permission.DELETE):
            st.button("Delete this run …", key="delete_run", type="tertiary", on_click=ask_to_delete_run,
                      args=(view.run.id,))  # fmt: skip
        if may(Permission.DELETE):
            st.button("Delete this cohort …", key="delete_cohort", type="tertiary", on_click=ask_to_delete_cohort,
                      args=(view.cohort.name,))  # fmt: skip
    deletion_dialog(view.cohort.name, view.run, view.workspace)
