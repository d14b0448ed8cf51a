"""Cohort: who the patients are, which data they have, and who is selected."""

from __future__ import annotations

import streamlit as st

from pages.widgets.cohort_charts import clinical_charts, modality_chart
from pages.widgets.cohort_groups import groups_panel, paste_panel
from pages.widgets.cohort_head import headline, import_notes, overview, overview_numbers, survival_overview
from pages.widgets.cohort_table import statistics_panel, table_panel
from pages.widgets.data import View
from pages.widgets.opening import nobody_selected, show_page


def body(view: View) -> None:
    """The normal state, or the empty one of a selection without patients."""
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
    groups_panel(view)
    paste_panel(view)
    import_notes(view)


show_page("Cohort", body)
