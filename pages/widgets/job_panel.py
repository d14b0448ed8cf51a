"""The designed empty state of something a job can make: why it helps, a button, and the job's progress."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import streamlit as st

from core.access.roles import needed_for
from core.errors import PrognoscopeError
from core.jobs.job import Job, JobState
from core.jobs.queue import JobQueue
from core.jobs.supervise import cancel_job, submit_job
from core.jobs.words import left_words, state_words
from core.results.workspace import Workspace
from pages.widgets.frame import show_error
from pages.widgets.html import state_box
from pages.widgets.who import may

EVERY_SECONDS = 1.0


@dataclass(frozen=True)
class Wanted:
    """A job and how it is offered: ``task`` with ``arguments``; ``job`` its title in the queue; ``button`` its words;
    ``missing`` the title of the empty state and ``why`` its sentences."""

    task: str
    arguments: Mapping[str, Any]
    job: str
    button: str
    missing: str
    why: tuple[str, ...]


def job_panel(wanted: Wanted, workspace: Workspace) -> None:
    """The empty state, or the progress of the job that fills it."""
    job = _latest(wanted, workspace)
    if _running(wanted, job, workspace):
        return
    if job is not None and job.state is JobState.FAILED:
        show_error(PrognoscopeError(job.error.rstrip(".") or "the job failed", "the job", "see its log"))
    state_box(wanted.missing, wanted.why, "slight")
    if not may(needed_for(wanted.task)):
        return
    st.button(
        wanted.button, key=f"start_{wanted.task}", type="primary", on_click=_start, args=(wanted, workspace),
        help="It runs in a process of its own: you may leave this page and come back.",
    )  # fmt: skip


def job_again(wanted: Wanted, words: str, workspace: Workspace) -> None:
    """The same for something that is there already: a quiet button to make it anew."""
    job = _latest(wanted, workspace)
    if not _running(wanted, job, workspace) and may(needed_for(wanted.task)):
        st.button(words, key=f"again_{wanted.task}", on_click=_start, args=(wanted, workspace))


def _running(wanted: Wanted, job: Job | None, workspace: Workspace) -> bool:
    if job is None or job.state.finished:
        return False
    with st.container(border=True, key=f"running_{wanted.task}"):
        st.markdown(f"**{job.title}**")
        st.fragment(_progress, run_every=EVERY_SECONDS)(job.id, workspace, wanted.task)
    return True


def _start(wanted: Wanted, workspace: Workspace) -> None:
    job = _latest(wanted, workspace)
    if job is None or job.state.finished:  # else a second click of the same hand
        submit_job(workspace, wanted.task, wanted.arguments, wanted.job)


def _latest(wanted: Wanted, workspace: Workspace) -> Job | None:
    queue = JobQueue(workspace)
    if not queue.path.is_file():
        return None
    mine = [j for j in queue.jobs(200) if j.task == wanted.task and dict(j.arguments) == dict(wanted.arguments)]
    return max(mine, key=lambda j: j.submitted_at, default=None)


def _progress(job_id: str, workspace: Workspace, task: str) -> None:
    """Drawn again every second; the whole page once when the job has ended."""
    job = JobQueue(workspace).get(job_id)
    if job.state.finished:
        st.rerun(scope="app")
    words = job.message or "starting"
    if job.state is JobState.QUEUED:
        words = state_words(job)
    left = left_words(job.eta_seconds)
    st.progress(min(1.0, job.share), " · ".join(x for x in (f"{words[:1].upper()}{words[1:]}", left) if x))
    st.button("Stopping …" if job.cancelling else "Cancel", key=f"cancel_{task}", disabled=job.cancelling,
              on_click=cancel_job, args=(workspace, job_id))  # fmt: skip
