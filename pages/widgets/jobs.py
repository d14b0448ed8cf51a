"""The queue of long work as people see it: one line in the top bar of every page, and the panel with everything."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from html import escape

import streamlit as st

from core.access.actor import actor
from core.access.roles import needed_for
from core.jobs.job import Job, JobState
from core.jobs.owner import cohorts_of
from core.jobs.queue import JobQueue
from core.jobs.supervise import WorkerState, cancel_job, worker_state
from core.jobs.words import left_words, queue_words, state_words
from core.results.workspace import Workspace
from pages.widgets import state as page
from pages.widgets.html import note, state_box
from pages.widgets.who import may

LIVE_SECONDS, QUIET_SECONDS = 1.5, 10.0
RECENT = timedelta(minutes=10)
"""How long the top bar still speaks of a job after its end."""
SHOWN, SHOWN_IN_BAR, LOG_LINES = 20, 5, 60


def jobs_panel(workspace: Workspace, limit: int = SHOWN) -> None:
    """The queue, redrawn by itself: position, progress, time left, log, Cancel, and what a finished job made."""

    def draw() -> None:
        _rows(workspace, _seen(workspace, limit), "panel")

    st.fragment(draw, run_every=_pace(workspace))()


def jobs_indicator(workspace: Workspace) -> None:
    """``1 job running · 43 %``; a click shows the jobs. Nothing at all when nothing runs or has just ended."""

    def draw() -> None:
        jobs = _seen(workspace, SHOWN_IN_BAR)
        words = _bar_words(jobs)
        if words:
            with st.popover(words, width="stretch", key="jobs_bar"):
                _rows(workspace, jobs, "bar")

    st.fragment(draw, run_every=_pace(workspace))()


def _seen(workspace: Workspace, limit: int) -> tuple[Job, ...]:
    """The first jobs of those about cohorts that whoever looks may see."""
    if not _any(workspace):
        return ()
    who, queue = actor(), JobQueue(workspace)
    if who.cohorts is None:
        return queue.jobs(limit)
    seen = [job for job in queue.jobs(1000) if all(map(who.may_see, cohorts_of(job.task, job.arguments, workspace)))]
    return tuple(seen[:limit])


def _any(workspace: Workspace) -> bool:
    """Whether this workspace ever had a job."""
    return JobQueue(workspace).path.is_file()


def _pace(workspace: Workspace) -> float:
    return LIVE_SECONDS if JobQueue(workspace).unfinished() else QUIET_SECONDS


def _bar_words(jobs: tuple[Job, ...]) -> str:
    words = queue_words([job for job in jobs if not job.state.finished])
    if words:
        return words
    latest = next((job for job in jobs if job.finished_at is not None), None)
    if latest is None or latest.finished_at is None or datetime.now(UTC) - latest.finished_at > RECENT:
        return ""
    return {JobState.DONE: "Job finished", JobState.FAILED: "Job failed"}.get(latest.state, "Job cancelled")


def _rows(workspace: Workspace, jobs: tuple[Job, ...], place: str) -> None:
    if not jobs:
        state_box("No jobs yet", ("Training, encoding and large imports run here, one after the other.",), "slight")
        return
    if any(not job.state.finished for job in jobs):
        _worker_note(workspace)
    for job in jobs:
        with st.container(border=True, key=f"job_{place}_{job.id}", gap="small"):
            _row(workspace, job, place)


def _worker_note(workspace: Workspace) -> None:
    state = worker_state(workspace)
    if state is WorkerState.NONE:
        note("The worker is being started; unfinished work goes on where it stopped.")
    elif state is WorkerState.SILENT:
        note("The worker has not been heard of for a minute. Restart the application if this stays so.", warn=True)


def _row(workspace: Workspace, job: Job, place: str) -> None:
    left, right = st.columns([5, 2], vertical_alignment="center")
    with left:
        st.html(
            f'<div class="job"><b>{escape(job.title)}</b> '
            f'<span class="job-state {job.state.value}">{escape(state_words(job))}</span></div>'
        )
    with right:
        if not job.state.finished and may(needed_for(job.task)):
            st.button(
                "Cancel", key=f"cancel_{place}_{job.id}", on_click=cancel_job, args=(workspace, job.id),
                disabled=job.cancelling, width="stretch",
            )  # fmt: skip
        elif job.state is JobState.DONE:
            _open_button(job, place)
    _details(job)
    log = JobQueue(workspace).log(job.id)
    if log:
        with st.expander("Log", key=f"log_{place}_{job.id}"):
            st.code("\n".join(log.splitlines()[-LOG_LINES:]), language=None, wrap_lines=True)


def _details(job: Job) -> None:
    if job.state is JobState.RUNNING:
        st.progress(job.share, text=" · ".join(x for x in (job.message, left_words(job.eta_seconds)) if x))
    if job.attempts > 1 and job.state is JobState.RUNNING:
        note(f"Interrupted and taken up again (attempt {job.attempts} of 3).")
    if job.error:
        note(job.error, warn=True)
    if job.finished_at is not None:
        took = "" if job.started_at is None else f", took {_span(job.finished_at - job.started_at)}"
        note(f"{job.finished_at:%Y-%m-%d %H:%M} UTC{took}")


def _open_button(job: Job, place: str) -> None:
    opens = _opens(job)
    if opens is None:
        return
    script, choose = opens
    if st.button("Open", key=f"open_{place}_{job.id}", type="primary", width="stretch"):
        choose()
        st.switch_page(script)


def _opens(job: Job) -> tuple[str, Callable[[], None]] | None:
    """The page that shows what the job made, and how the session's state gets there; None when there is nothing."""
    result = job.result or {}
    cohort = result.get("cohort")
    patient = str(result.get("patient", ""))  # a new patient, scored by a run of another cohort
    scored = "prediction" in result and not patient
    run = None if scored else result.get("run")  # a run that scored this cohort belongs to another
    if not cohort:
        return None

    def choose() -> None:
        state = page.current().of_cohort(cohort)
        state = replace(state, run=run) if run else state
        page.put(replace(state, patient=patient) if patient else state)

    if patient:
        return "patient.py", choose
    if "audit" in result or "routing" in result:
        return "experts.py", choose
    return ("survival.py" if run else "cohort.py"), choose


def _span(time: timedelta) -> str:
    seconds = round(time.total_seconds())
    return f"{seconds} s" if seconds < 90 else f"{round(seconds / 60)} min"
