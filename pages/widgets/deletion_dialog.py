"""Deleting a cohort or a run: what goes and what stays is said first, and nothing goes without a second click."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from core.analysis.deletion import Deletion, cohort_deletion, remove_cohort, remove_run, run_deletion
from core.cohort.sample import NAME as SAMPLE
from core.cohort.wording import plural
from core.errors import PrognoscopeError
from core.jobs.job import Job
from core.jobs.queue import JobQueue
from core.results.naming import run_words
from core.results.run import Run
from core.results.workspace import Workspace
from pages.widgets import state as page
from pages.widgets.frame import show_error
from pages.widgets.html import note
from pages.widgets.import_choose import SAMPLE_MEDIA

KEY = "deleting"
"""In the session while a deletion is asked for: what kind, and its name. It keeps the dialog open over reruns."""
_COHORT, _RUN = "cohort", "run"


def ask_to_delete_cohort(name: str) -> None:
    """Open the dialog at the next run of the page."""
    st.session_state[KEY] = (_COHORT, name)


def ask_to_delete_run(run_id: str) -> None:
    """Open the dialog at the next run of the page."""
    st.session_state[KEY] = (_RUN, run_id)


def deletion_dialog(cohort: str, run: Run | None, workspace: Workspace) -> None:
    """The open question, as long as it is about what the page shows."""
    asked = st.session_state.get(KEY)
    if asked == (_COHORT, cohort):
        _delete_cohort_dialog(cohort, workspace)
    elif run is not None and asked == (_RUN, run.id):
        _delete_run_dialog(run, workspace)


def _forget() -> None:
    st.session_state.pop(KEY, None)


@st.dialog("Delete this cohort?", width="medium", on_dismiss=_forget)
def _delete_cohort_dialog(name: str, workspace: Workspace) -> None:
    """Confirm and delete a cohort; its runs are kept unless asked for."""
    try:
        found = cohort_deletion(name, workspace)
    except PrognoscopeError as error:
        show_error(error)
        return
    _lists(found)
    with_runs = False
    if found.runs:
        words = plural(len(found.runs), "run")
        st.markdown(f"**{words} trained on it**")
        st.markdown("\n".join(f"- {run_words(run)}" for run in found.runs))
        with_runs = st.checkbox(f"Delete {'it' if len(found.runs) == 1 else 'them'} too", key="delete_with_runs")
        if not with_runs:
            note("Kept runs are shown again when a cohort is imported under the same name. Their predictions hold "
                 "pseudonyms, times and events of these patients.")  # fmt: skip
    busy = sum(name in (job.arguments.get("cohort"), _sample_of(job)) for job in JobQueue(workspace).unfinished())
    if _confirmed("Delete the cohort", busy):
        _done(lambda: remove_cohort(name, workspace, with_runs), page.PageState())


@st.dialog("Delete this run?", width="medium", on_dismiss=_forget)
def _delete_run_dialog(run: Run, workspace: Workspace) -> None:
    """Confirm and delete a run."""
    try:
        found = run_deletion(run.id, workspace)
    except PrognoscopeError as error:
        show_error(error)
        return
    _lists(found)
    note(f"The same training can be repeated with: {run.command}" if run.command else "")
    busy = sum(job.arguments.get("run") == run.id for job in JobQueue(workspace).unfinished())
    if _confirmed("Delete the run", busy):
        _done(lambda: remove_run(run.id, workspace), replace(page.current(), run=""))


def _lists(found: Deletion) -> None:
    st.markdown(f"**{found.title}**")
    st.markdown("This will be gone for good:")
    st.markdown("\n".join(f"- {words}" for words in found.goes))
    if found.stays:
        st.markdown("This stays:")
        st.markdown("\n".join(f"- {words}" for words in found.stays))


def _sample_of(job: Job) -> str:
    """The sample cohort a job makes pictures and texts for; empty for every other job."""
    return str(job.arguments.get("name", SAMPLE)) if job.task == SAMPLE_MEDIA else ""


def _confirmed(words: str, busy: int) -> bool:
    if busy:
        note(f"{plural(busy, 'job')} still needs it: wait for it or cancel it first.", warn=True)
    with st.container(horizontal=True):
        if st.button("Keep it", key="delete_keep"):
            _forget()
            st.rerun()
        return st.button(words, key="delete_confirm", type="primary", disabled=bool(busy))


def _done(delete, state: page.PageState) -> None:
    """Delete, and open what is left; a failure is said in the dialog."""
    try:
        delete()
    except PrognoscopeError as error:
        show_error(error)
        return
    _forget()
    page.put(state)
    st.rerun()
