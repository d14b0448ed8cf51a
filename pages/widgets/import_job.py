"""A large study is read and stored by a job; the wizard shows how far it is, and can cancel it."""

from __future__ import annotations

from dataclasses import asdict

import streamlit as st

from core.cohort.checking import Checked
from core.errors import PrognoscopeError
from core.jobs.job import Job, JobState
from core.jobs.queue import JobQueue
from core.jobs.supervise import cancel_job, submit_job
from core.results.workspace import Workspace
from pages.widgets import import_state as wizard
from pages.widgets import import_upload as upload
from pages.widgets import state as page
from pages.widgets.html import note
from pages.widgets.import_state import Step, Wizard

TASK = "import"


def start_check(state: Wizard, workspace: Workspace) -> None:
    """Let a job read the study without storing it."""
    note("This study is large, or holds files of patients: a job reads it before anything is stored.")
    if st.button("Read the whole study", key="import_read"):
        job = submit_job(
            workspace, TASK, asdict(state.request()) | {"check_only": True}, "Check of a study before its import"
        )
        wizard.change(job=job.id, asked=state.question, checked=None, problem=None)
        st.rerun()


def finished_check(state: Wizard, workspace: Workspace) -> None:
    """Show the job, or take up its result."""
    job = JobQueue(workspace).get(state.job)
    if not job.state.finished:
        _progress(job.id, workspace)
        return
    if job.result is not None:
        wizard.change(job="", checked=Checked.from_json(job.result["checked"]), problem=None, identifying="")
    else:
        wizard.change(job="", checked=None, problem=_failure(job))


def start_store(state: Wizard, workspace: Workspace) -> None:
    """Let a job store the study; it takes the upload over."""
    job = submit_job(workspace, TASK, asdict(state.request(to_store=True)), f"Import of {state.name}")
    upload.hand_over_upload()
    wizard.change(job=job.id, problem=None)


def finished_store(state: Wizard, workspace: Workspace) -> None:
    """Show the job, or go on to what it has stored."""
    job = JobQueue(workspace).get(state.job)
    if not job.state.finished:
        _progress(job.id, workspace)
        note("You may leave this page: the cohort appears when it is stored.")
        return
    if job.state is JobState.DONE:
        page.put(page.PageState(cohort=state.name))
        wizard.change(step=Step.STORED, cohort=state.name, job="")
    else:
        if state.path is not None and state.path.exists():
            upload.hold_upload(state.path)
        wizard.change(job="", problem=_failure(job))
    st.rerun()


def _failure(job: Job) -> PrognoscopeError:
    if job.state is JobState.CANCELLED:
        return PrognoscopeError("the job was cancelled", "the queue", "start it again when you like")
    return PrognoscopeError(job.error.rstrip(".") or "the job failed", "the queue", "correct the study or the mapping")


@st.fragment(run_every=1.0)
def _progress(job_id: str, workspace: Workspace) -> None:
    """A bar that follows the job; the whole page is drawn again when it has finished."""
    job = JobQueue(workspace).get(job_id)
    if job.state.finished:
        st.rerun(scope="app")
    waiting = f"waiting, place {job.position} in the queue" if job.position else job.message or "starting"
    left = f" · about {job.eta_seconds:.0f} s left" if job.eta_seconds else ""
    st.progress(min(1.0, job.share), f"{waiting[:1].upper()}{waiting[1:]}{left}")
    words = "Cancelling …" if job.cancelling else "Cancel"
    if st.button(words, key="import_cancel", disabled=job.cancelling):
        cancel_job(workspace, job_id)
        st.rerun(scope="app")
