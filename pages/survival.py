"""Survival: how groups of the selected patients fare, and how far a run's predictions can be trusted for them."""

from __future__ import annotations

import streamlit as st

from core.analysis.group_survival import GroupSurvival, analyse_groups
from core.analysis.grouping import Grouping, Source, column_groups, everybody, named_groups, risk_groups
from core.analysis.outcome import Outcome, make_outcome
from core.errors import PrognoscopeError
from pages.widgets import state as page
from pages.widgets.data import View, read_predictions
from pages.widgets.frame import loading, show_error
from pages.widgets.model_quality import quality_panel
from pages.widgets.opening import nobody_selected, show_page
from pages.widgets.survival_controls import controls
from pages.widgets.survival_results import picked_panel, results, survival_chart


def body(view: View) -> None:
    """The normal state, or the empty one of a selection without patients."""
    if not view.selected.count:
        nobody_selected()
        return
    left, right = st.columns([3, 10], gap="medium")
    with left:
        controls(view)
    options = page.current().options
    result: GroupSurvival | None = None
    with right:
        try:
            with loading("Computing survival"):
                outcome = make_outcome(
                    view.cohort, view.rows, page.current().endpoint, options.competing_as, options.landmark
                )
                result = analyse_groups(outcome, _grouping(view, outcome), options.survival)
        except PrognoscopeError as error:
            show_error(error)
        if result is not None:
            survival_chart(view, result)
            picked_panel(view)
    if result is not None:
        results(result)
    quality_panel(view)


def _grouping(view: View, outcome: Outcome) -> Grouping:
    by = page.current().options.group_by
    if by.source is Source.RISK and view.run is not None:
        return risk_groups(outcome, view.run, read_predictions(view.run, view.workspace), by.cut)
    if by.source is Source.COLUMN:
        return column_groups(outcome, view.cohort, by)
    if by.source is Source.NAMED:
        return named_groups(outcome, {g.name: g.ids for g in page.current().groups})
    return everybody(outcome)


show_page("Survival", body)
