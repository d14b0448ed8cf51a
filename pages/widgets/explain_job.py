"""An explanation that was not made yet: why it would help, a button, and the job's progress until it is there."""

from __future__ import annotations

import streamlit as st

from core.access.roles import Permission
from core.errors import PrognoscopeError
from core.jobs.job import Job, JobState
from core.jobs.queue import JobQueue
from core.jobs.supervise import cancel_job, submit_job
from core.jobs.words import left_words, state_words
from core.results.explained import Kind, has_explanation
from core.results.naming import model_words
from core.results.workspace import Workspace
from pages.widgets.data import View
from pages.widgets.frame import show_error
from pages.widgets.html import state_box
from pages.widgets.patient_read import refusal
from pages.widgets.who import may

TASK = "explain"
EVERY_SECONDS = 1.0
_TITLES = {
    Kind.VALUES: "What moved this estimate is not computed yet",
    Kind.SLIDE: "Where the model looked on the slides is not computed yet",
    Kind.SCAN: "Where the model looked in the scans is not computed yet",
    Kind.REPORT: "Which sentences of the report counted is not computed yet",
}


def explained(view: View, patient: str, kind: Kind, month: float | None) -> bool:
    """Whether an explanation of this kind is stored; ``month`` is only asked of kinds that explain one month."""
    return view.run is not None and has_explanation(kind, view.run.id, patient, month, view.workspace)


def explain_panel(view: View, patient: str, kinds: tuple[Kind, ...], month: float | None, why: str) -> None:
    """The designed empty state of an explanation, with the way to it.

    Parameters
    ----------
    patient : str
        Pseudonym.
    kinds : tuple of Kind
        What the job should make; the first gives the panel its title.
    month : float or None
        The month to explain, for kinds that explain one.
    why : str
        One sentence: what the reader will see once it is there.
    """
    run = view.run
    if run is None:
        return
    reason = refusal(view, patient)
    if reason:
        words = f"{reason[:1].upper()}{reason[1:]}."
        state_box("Nothing is explained: this patient gets no estimate", (words,), "slight")
        return
    arguments: dict[str, object] = {"run": run.id, "patient": patient, "kinds": [k.value for k in kinds]}
    if run.cohort != view.cohort.name:  # a patient who is new to the run: none of its models saw them
        arguments["cohort"] = view.cohort.name
    if month is not None:
        arguments["month"] = float(month)
    job = _latest(view.workspace, arguments)
    key = "_".join(k.value for k in kinds)
    if job is not None and not job.state.finished:
        with st.container(border=True, key=f"explaining_{key}"):
            st.markdown(f"**{job.title}**")
            st.fragment(_progress, run_every=EVERY_SECONDS)(job.id, view.workspace, key)
        return
    if job is not None and job.state is JobState.FAILED:
        show_error(PrognoscopeError(job.error.rstrip(".") or "the job failed", "the explanation", "see the job's log"))
    refused = _refused(job, kinds)
    state_box(
        _TITLES[kinds[0]], (why, *([f"The last attempt could not make it: {refused}."] if refused else ())), "slight"
    )
    if not may(Permission.EXPLAIN):
        return
    words = "Explain this patient" if job is None else "Explain again"
    st.button(words, key=f"explain_{key}", type="primary", on_click=_start, args=(view, arguments),
              help=f"A job asks the models of {model_words(run.model)} that never saw this patient. "
                   "You may leave this page meanwhile.")  # fmt: skip


def _start(view: View, arguments: dict[str, object]) -> None:
    run = view.run
    if run is not None:
        submit_job(view.workspace, TASK, arguments, f"Explaining one patient with {model_words(run.model)}")


def _latest(workspace: Workspace, arguments: dict[str, object]) -> Job | None:
    """The latest job that makes just this; a cancelled one counts as never asked for."""
    queue = JobQueue(workspace)
    if not queue.path.is_file():
        return None
    mine = [j for j in queue.jobs(200) if j.task == TASK and dict(j.arguments) == arguments]
    latest = max(mine, key=lambda j: j.submitted_at, default=None)
    return None if latest is not None and latest.state is JobState.CANCELLED else latest


def _refused(job: Job | None, kinds: tuple[Kind, ...]) -> str:
    """Why a finished job made nothing of this, or ""."""
    reasons = dict((job.result or {}).get("refused", {})) if job is not None else {}
    return "; ".join(reasons[k.value].rstrip(".") for k in kinds if k.value in reasons)


def _progress(job_id: str, workspace: Workspace, key: str) -> None:
    """Drawn again every second; the whole page once when the job has ended."""
    job = JobQueue(workspace).get(job_id)
    if job.state.finished:
        st.rerun(scope="app")
    words = [job.message or "starting"] if job.state is JobState.RUNNING else [state_words(job)]
    left = left_words(job.eta_seconds)
    text = " · ".join([w[:1].upper() + w[1:] for w in words] + ([left] if left else []))
    st.progress(min(1.0, job.share), text)
    st.button("Stopping …" if job.cancelling else "Cancel", key=f"cancel_explain_{key}", disabled=job.cancelling,
              on_click=cancel_job, args=(workspace, job_id))  # fmt: skip
