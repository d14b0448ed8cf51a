"""The head of the System page: how it stands in four numbers, the queue, and what takes how much room."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import streamlit as st

from core.care.backup_list import list_backups
from core.care.error_log import latest_errors
from core.care.system_state import Disk, disk_of, job_counts
from core.care.words import ago_words, size_words
from core.cohort.wording import plural
from core.jobs.job import Job
from core.jobs.queue import JobQueue
from core.results.workspace import Workspace
from pages.widgets.html import facts, note, numbers_table, state_box
from pages.widgets.jobs import jobs_panel

DISK_SECONDS = 60.0
ENDED = 5
LITTLE = 5e9
"""Bytes of free disk below which the page warns."""


def disk_now(workspace: Workspace) -> Disk:
    """What takes how much, looked at once a minute."""
    return _disk(str(workspace.root))


@st.cache_data(ttl=DISK_SECONDS, show_spinner=False)
def _disk(root: str) -> Disk:
    return disk_of(Workspace(Path(root)))


def head(workspace: Workspace, disk: Disk) -> None:
    """Jobs, room, last backup, errors; and what needs somebody's hand."""
    counts, backups, errors = job_counts(workspace), list_backups(workspace), latest_errors(workspace, 100)
    unfinished = counts.running + counts.waiting
    facts(
        [
            (str(unfinished), f"{counts.running} running, {counts.waiting} waiting" if unfinished else "",
             "jobs that have not ended"),
            (size_words(disk.free), f"of {size_words(disk.total)}", "free on the workspace's disk"),
            (ago_words(backups[0].made_at) if backups else "never", "", "last backup"),
            (str(len(errors)) if len(errors) < 100 else "100 or more", "", "unexpected errors on record"),
        ]
    )  # fmt: skip
    if not disk.writable:
        note("The workspace cannot be written: everything can be read, nothing new is kept. Make the folder writable, "
             "or name another in PROGNOSCOPE_WORKSPACE.", warn=True)  # fmt: skip
    elif disk.free < LITTLE:
        note(f"Only {size_words(disk.free)} are free: trainings and imports may stop. Remove what is not needed, or "
             "move the workspace to a larger disk.", warn=True)  # fmt: skip
    if counts.failed:
        note(f"{plural(counts.failed, 'job')} of those remembered failed: the queue below says why.")


def queue_panel(workspace: Workspace) -> None:
    """Running and waiting jobs, which can be cancelled; below them the last that ended."""
    st.header("Queue")
    queue = JobQueue(workspace)
    jobs = queue.jobs(ENDED + 50) if queue.path.is_file() else ()
    unfinished = sum(not job.state.finished for job in jobs)
    if unfinished or not jobs:
        jobs_panel(workspace, max(1, unfinished))
    else:
        note("Nothing is running or waiting.")
    ended = [job for job in jobs if job.state.finished][:ENDED]
    if ended:
        rows = pd.DataFrame([_job_row(job) for job in ended])
        numbers_table(rows if rows["Why"].any() else rows.drop(columns="Why"))


def _job_row(job: Job) -> dict[str, str]:
    at = "" if job.finished_at is None else f"{job.finished_at:%Y-%m-%d %H:%M}"
    return {"Job": job.title, "Ended": job.state.value, "When (UTC)": at, "Why": job.error}


def disk_panel(disk: Disk) -> None:
    """The workspace by part."""
    st.header("Disk")
    if not disk.parts:
        state_box("Nothing is kept yet", ("Cohorts, runs and everything made of them will be listed here.",), "slight")
        return
    rows = [(p.words, f"{p.files:,}", size_words(p.bytes)) for p in disk.parts]
    rows.append(("Whole workspace", f"{sum(p.files for p in disk.parts):,}", size_words(disk.used)))
    numbers_table(pd.DataFrame(rows, columns=["Part", "Files", "Size"]), right=("Files", "Size"))
    note("Looked at once a minute. Slides and scans that lie outside the workspace are only referred to.")
