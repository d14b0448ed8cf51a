"""The job that scores a new patient: its progress, its failure in a sentence, and the way to the patient's page."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from core.errors import PrognoscopeError
from core.jobs.job import Job, JobState
from core.jobs.queue import JobQueue
from core.jobs.supervise import cancel_job
from core.jobs.words import left_words, state_words
from core.results.workspace import Workspace
from pages.widgets import state as page
from pages.widgets.frame import show_error
from pages.widgets.html import note

TASK = "score-new"
WATCHED = "new_patient_job"


def watch(job: Job) -> None:
    """Show this job until it has ended."""
    st.session_state[WATCHED] = job.id


def waiting_panel(workspace: Workspace, done: Callable[[], None]) -> bool:
    """Draw the watched job; True while it runs. At its end the state turns to the patient and ``done`` is called."""
    job_id = st.session_state.get(WATCHED)
    if not job_id:
        return False
    job = JobQueue(workspace).get(job_id)
    if not job.state.finished:
        with st.container(border=True, key="new_waiting"):
            st.markdown(f"**{job.title}**")
            st.fragment(_progress, run_every=1.0)(job.id, workspace)
            note("You may leave this page: the patient appears among the cohorts when the estimate is there.")
        return True
    st.session_state.pop(WATCHED)
    result = job.result or {}
    if job.state is JobState.DONE and result.get("cohort"):
        page.put(
            page.PageState(cohort=str(result["cohort"]), run=str(result["run"]), patient=str(result["patient"]))
        )  # fmt: skip
        done()
        st.rerun()
    if job.state is JobState.FAILED:
        show_error(PrognoscopeError(job.error.rstrip(".") or "the job failed", "the new patient",
                                    "correct it and try again; nothing of the patient was kept"))  # fmt: skip
    return False


def _progress(job_id: str, workspace: Workspace) -> None:
    job = JobQueue(workspace).get(job_id)
    if job.state.finished:
        st.rerun(scope="app")
    words = (job.message or "starting") if job.state is JobState.RUNNING else state_words(job)
    left = left_words(job.eta_seconds)
    st.progress(min(1.0, job.share), " · ".join(p for p in (words[:1].upper() + words[1:], left) if p))
    st.button("Stopping …" if job.cancelling else "Cancel", key="new_cancel", disabled=job.cancelling,
              on_click=cancel_job, args=(workspace, job_id))  # fmt: skip
