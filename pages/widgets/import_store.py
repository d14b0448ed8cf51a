"""Step 3 of the import wizard: a name, then the cohort is stored; a large study is stored by a job."""

from __future__ import annotations

import re

import streamlit as st

from core.access.actor import require
from core.access.audit_entry import Action
from core.access.grants import add_own_cohort
from core.access.record import record
from core.access.roles import Permission
from core.cohort.import_request import store
from core.errors import PrognoscopeError
from core.results.workspace import Workspace, checked_name
from pages.widgets import import_state as wizard
from pages.widgets import import_upload as upload
from pages.widgets import state as page
from pages.widgets.frame import show_error
from pages.widgets.html import note, state_box
from pages.widgets.import_identity import decided_note
from pages.widgets.import_job import finished_store, start_store
from pages.widgets.import_outcome import checked_panel
from pages.widgets.import_state import Step, Wizard


def store_step(state: Wizard, workspace: Workspace) -> None:
    """Name, title, and the button that stores."""
    if state.job:
        finished_store(state, workspace)
        return
    left, right = st.columns([7, 5], gap="large")
    with left:
        _names(state, workspace)
        state = wizard.current() or state
        problem = _name_problem(state, workspace)
        if state.problem is not None:
            show_error(state.problem)
        with st.container(horizontal=True):
            st.button("Back", key="import_back", on_click=lambda: wizard.change(step=Step.CHECK, problem=None))
            stored = st.button("Store the cohort", key="import_store", type="primary", disabled=bool(problem))
        note(problem or "Nothing has been stored so far.", warn=bool(problem))
        if stored:
            start_store(state, workspace) if state.large else _store(state, workspace)
            st.rerun()
    with right, st.container(key="import_result"):
        st.subheader("What will be stored")
        if state.checked is not None:
            checked_panel(state.checked)
            decided_note(state)


def _names(state: Wizard, workspace: Workspace) -> None:
    if not state.name:
        wizard.change(name=_free_name(state.title, workspace))
    state = wizard.current() or state
    st.session_state["import_title"] = state.title
    st.text_input(
        "What pages call it", key="import_title", max_chars=80,
        on_change=lambda: wizard.change(title=st.session_state["import_title"].strip()),
    )  # fmt: skip
    st.session_state["import_name"] = state.name
    st.text_input(
        "Short name (lower-case letters, digits, - and _)", key="import_name", max_chars=64,
        on_change=lambda: wizard.change(name=st.session_state["import_name"].strip()),
    )  # fmt: skip


def _free_name(title: str, workspace: Workspace) -> str:
    """A short name made of the title that no cohort has yet."""
    plain = re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")[:40] or "study"
    return next(n for n in (plain, *(f"{plain}-{i}" for i in range(2, 999))) if not workspace.cohort(n).exists())


def _name_problem(state: Wizard, workspace: Workspace) -> str:
    """Why the names cannot be used; empty when they can."""
    try:
        checked_name(state.name, "short name")
    except PrognoscopeError as error:
        return f"{error.found[:1].upper()}{error.found[1:]}: {error.fix}."
    if workspace.cohort(state.name).exists():
        return f"A cohort named {state.name} exists: choose another short name."
    return "" if state.title else "Give the cohort a title."


def _store(state: Wizard, workspace: Workspace) -> None:
    with st.spinner("Storing …"):
        try:
            who = require(Permission.IMPORT)
            cohort = store(state.request(to_store=True), workspace)
            record(Action.IMPORT, workspace, cohort=cohort.name, count=len(cohort), detail="page")
            add_own_cohort(who.user, cohort.name, workspace)
        except PrognoscopeError as error:
            wizard.change(problem=error)
            return
    upload.give_up_upload()
    arrived(cohort.name)


def arrived(cohort: str) -> None:
    """The study is stored: every page now shows it."""
    page.put(page.PageState(cohort=cohort))
    wizard.change(step=Step.STORED, cohort=cohort, job="", problem=None)


def stored_step(state: Wizard) -> None:
    """What there is now, and where to go."""
    found = state.checked
    lines = [f"It is called {state.title or state.cohort} and is open on every page now."]
    if found is not None:
        events = "; ".join(f"{e.events:,} {e.event_label} ({e.name})" for e in found.endpoints)
        lines.append(f"{found.patients:,} patients; events: {events}.")
    state_box("The cohort is stored", lines)
    with st.container(horizontal=True):
        survival = st.button("See the survival curve", key="import_survival", type="primary")
        st.button("Look at the cohort", key="import_done", on_click=wizard.close_wizard)
        st.button("Add another cohort", key="import_another", type="tertiary", on_click=wizard.start_again)
    if survival:
        wizard.close_wizard()
        st.switch_page("survival.py")
