"""How every page begins: look, state from the address, cohort, run, top bar; and how it says there is nothing yet."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial

import streamlit as st

from core.care.version import make_ready
from core.cohort.cohort import Cohort
from core.cohort.selection import Selection
from core.cohort.storage import CohortSummary, list_cohorts
from core.cohort.wording import plural
from core.errors import PrognoscopeError
from core.results.erasures import erased_patients, only_erased_since
from core.results.explained import default_month
from core.results.run import Run
from core.results.workspace import Workspace
from pages.widgets import state as page
from pages.widgets.account import headed
from pages.widgets.audited import opened
from pages.widgets.data import View, read_cohort, runs_of
from pages.widgets.frame import loading, show_error, strip, told_plainly
from pages.widgets.guide import guide
from pages.widgets.history_bar import history_bar
from pages.widgets.history_words import told
from pages.widgets.html import note, state_box
from pages.widgets.topbar import chips, cohort_and_run


def show_page(title: str, body: Callable[[View], None], empty: Callable[[Workspace], None] | None = None) -> None:
    """Draw a whole page around ``body``, in whichever of its four states it is.

    Empty: no cohort is there yet; ``empty`` draws what can be done about it. Loading: what is being read, over grey
    shapes. Error: one sentence with what to do, or an error id. Normal: the top bar and ``body``.
    """
    with told_plainly(title):
        workspace = Workspace.default()
        make_ready(workspace)
        try:
            page.restore(workspace)
        except PrognoscopeError as error:
            show_error(error)
        cohorts = list_cohorts(workspace)
        named = {c.name: c for c in cohorts}
        chosen = named.get(page.current().cohort) or (cohorts[0] if cohorts else None)
        strip(chosen.title if chosen is not None and chosen.synthetic else "")
        headed(title)
        if chosen is None:
            (empty or no_cohort)(workspace)
            return
        view = _open(title, chosen, cohorts, workspace)
        guide(title, view)
        body(view)
        page.tell_history(title, partial(told, cohort=view.cohort, runs=view.runs))
        page.publish(workspace)


def _open(title: str, chosen: CohortSummary, cohorts: tuple[CohortSummary, ...], workspace: Workspace) -> View:
    opened(workspace, chosen.name)
    with loading(f"Reading {chosen.title}"):
        cohort = read_cohort(chosen.name, workspace)
        runs = runs_of(cohort.name, workspace)
    state = page.current().of_cohort(cohort.name)
    if state.endpoint not in cohort.endpoints:
        state = replace(state, endpoint=next(iter(cohort.endpoints)))
    if runs and state.run not in {r.id for r in runs}:
        state = replace(state, run=runs[0].id)
    page.put(_patient_and_month(state, cohort, runs))
    page.tell_history(title, partial(told, cohort=cohort, runs=runs))
    with st.container(key="topbar"):
        cohort_and_run(cohorts, cohort, runs)
        try:
            selected = state.selection.apply(cohort)
        except PrognoscopeError as error:
            show_error(error)
            selected = Selection().apply(cohort)
        view = View(workspace, page.current(), cohort, runs, selected)
        with st.container(horizontal=True, gap="small"):
            chips(cohort, selected)
            history_bar(view)
    if view.run is not None and chosen.content_hash and view.run.cohort_hash != chosen.content_hash:
        _told_of_change(view.run, chosen, workspace)
    return view


def _told_of_change(run: Run, cohort: CohortSummary, workspace: Workspace) -> None:
    """The run was trained on other data: before patients were erased, or on an earlier import."""
    gone = erased_patients(run)
    if gone and only_erased_since(run.cohort_hash, cohort.content_hash, cohort.name, workspace):
        note(f"The chosen run was trained before {plural(gone, 'patient')} withdrew consent: they are gone from its "
             "predictions, its models still carry what they learned from them.", warn=True)  # fmt: skip
        return
    note("The chosen run was trained on an earlier import of this cohort: its predictions speak of that data.",
         warn=True)  # fmt: skip


def _patient_and_month(state: page.PageState, cohort: Cohort, runs: tuple[Run, ...]) -> page.PageState:
    """Nobody is chosen whom the cohort no longer has; the month is one of the run's horizons."""
    patient, beside = (p if p in cohort.patients.index else "" for p in (state.patient, state.beside))
    run = next((r for r in runs if r.id == state.run), None)
    month = state.month
    if run is not None and run.horizons and month not in run.horizons:
        month = default_month(run.horizons, month)
    return replace(state, patient=patient, beside=beside, month=month)


def no_cohort(_: Workspace) -> None:
    """The empty state of a page that cannot do anything about it."""
    state_box(
        "No cohort yet",
        (
            "This workspace holds no patients. Nothing is wrong: a cohort has to be imported first.",
            "The Cohort page imports your own patients, or makes generated ones to look around with.",
            "On the command line: `./run cli import PATH --name NAME`, or `./run cli import sample`",
        ),
    )


def nobody_selected() -> None:
    """The empty state of a selection that leaves nobody."""
    state_box(
        "No patient fits all filters",
        ("Each chip above shows how many patients are left after it.", "Remove a filter to see patients again."),
    )
    st.button("Clear all filters", key="clear_empty", on_click=page.clear_filters)
