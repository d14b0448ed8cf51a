"""Whether the patient lies where the run was trained: said where it is known, asked for where it is not."""

from __future__ import annotations

import streamlit as st

from core.access.roles import Permission
from core.analysis.patient_estimate import PatientEstimate
from core.analysis.patient_person import Person
from core.analysis.patient_sentences import say
from core.jobs.job import Job
from core.jobs.queue import JobQueue
from core.jobs.supervise import submit_job
from core.results.naming import model_words
from core.results.workspace import Workspace
from pages.widgets.data import View
from pages.widgets.html import note
from pages.widgets.patient_read import read_set_of
from pages.widgets.who import may

TASK = "predict"


def support_note(view: View, person: Person, estimate: PatientEstimate) -> None:
    """A line; for a run that was stored before it kept this, the button that has it checked."""
    if person.new:
        _checks(view, person)
    if estimate.refused:
        return
    if estimate.support is not None:
        distance = estimate.support.distance
        words = "" if distance is None else f" (distance {distance:.2f}; above 1 there is no number)"
        note(f"Within what the run was trained on{words}.")
        return
    with st.container(horizontal=True, vertical_alignment="center", key="support"):
        note(say("unchecked"), warn=True)
        job = _job(view.workspace, person)
        if job is not None and not job.state.finished:
            st.fragment(_wait, run_every=1.0)(job.id, view.workspace)
        elif may(Permission.EXPLAIN):
            st.button("Check the run's patients", key="check_support", on_click=_start, args=(view, person))


def _checks(view: View, person: Person) -> None:
    """What did not match the training cohort, and what was masked for it."""
    found = read_set_of(person, view.workspace)
    if found is None:
        return
    for modality, reason in found.masked.items():
        if person.has(modality):
            note(f"{modality.capitalize()} not used: {reason}.", warn=True)
    for words, count in found.notes:
        note(f"Unlike the training cohort: {count:,} {words}.")
    for warning in found.warnings:
        note(f"{warning[:1].upper()}{warning[1:]}.", warn=True)


def _start(view: View, person: Person) -> None:
    words = f"Checking which patients {model_words(person.run.model)} may speak of"
    submit_job(view.workspace, TASK, {"run": person.run.id, "cohort": person.cohort.name}, words)


def _job(workspace: Workspace, person: Person) -> Job | None:
    queue = JobQueue(workspace)
    if not queue.path.is_file():
        return None
    wanted = {"run": person.run.id, "cohort": person.cohort.name}
    mine = [j for j in queue.jobs(100) if j.task == TASK and dict(j.arguments) == wanted]
    return max(mine, key=lambda j: j.submitted_at, default=None)


def _wait(job_id: str, workspace: Workspace) -> None:
    """Drawn again every second; the whole page once when the job has ended."""
    job = JobQueue(workspace).get(job_id)
    if job.state.finished:
        st.rerun(scope="app")
    st.progress(min(1.0, job.share), (job.message or "waiting").capitalize())
