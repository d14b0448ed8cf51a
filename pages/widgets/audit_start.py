"""Starting an audit as a job: what it shall cover, what it costs, how far it is, and why one failed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from core.access.roles import Permission
from core.analysis.arm_columns import arm_columns
from core.cohort.cohort import Cohort
from core.errors import PrognoscopeError
from core.jobs.job import Job, JobState
from core.jobs.queue import JobQueue
from core.jobs.supervise import cancel_job, submit_job
from core.jobs.words import left_words, state_words
from core.results.naming import model_words
from core.results.run import Run
from core.results.workspace import Workspace
from pages.widgets import state as page
from pages.widgets.data import View
from pages.widgets.frame import show_error, told_plainly
from pages.widgets.html import note, state_box
from pages.widgets.topbar import bound_select
from pages.widgets.who import may

TASK = "audit"
SAID = "audit_said"
NONE = ""
FEW_SEEDS = 3


def start_panel(view: View, run: Run, audited: bool) -> None:
    """The choices and the button, or the progress of the audit that is under way."""
    job = job_of(run, view.workspace)
    if job is not None and not job.state.finished:
        st.fragment(_progress, run_every=1.0)(job.id, view.workspace)
        return
    if job is not None and job.state is JobState.FAILED:
        show_error(PrognoscopeError(job.error.rstrip(".") or "the audit failed", "the last audit of this run",
                                    "mend what it says and run the audit again"))  # fmt: skip
    if run.cohort_hash != view.cohort.content_hash:
        state_box("This run cannot be audited any more",
                  ("The cohort has changed since it was trained.", "Train again on the cohort as it is and audit that "
                   "run."), "error")  # fmt: skip
        return
    if audited:
        with st.expander("Run the audit again"):
            _form(view, run, "Run the audit again")
    else:
        with st.container(key="audit_start"):
            _form(view, run, "Run the audit")


def job_of(run: Run, workspace: Workspace) -> Job | None:
    """The latest audit of this run in the queue."""
    queue = JobQueue(workspace)
    if not queue.path.is_file():
        return None
    mine = [j for j in queue.jobs() if j.task == TASK and j.arguments.get("run") == run.id]
    return max(mine, key=lambda j: j.submitted_at, default=None)


def _form(view: View, run: Run, words: str) -> None:
    left, middle, right = st.columns([6, 4, 3], gap="medium")
    with left:
        _controls(run)
    arms = arm_columns(view.cohort)
    with middle:
        bound_select(
            "Treatment arm", [NONE, *arms], page.current().auditing.treatment, "audit_treatment",
            lambda column: page.audit_with(treatment=column), disabled=not arms,
            format_func=lambda c: view.cohort.label(c) if c else "none",
            help="Describes whether the arms fare differently by risk and by expert. Descriptive, never causal.",
        )  # fmt: skip
    with right:
        st.session_state["audit_landmark"] = page.current().auditing.landmark
        st.number_input(
            "Arms counted from month", 0.0, 240.0, step=1.0, format="%g", key="audit_landmark",
            on_change=lambda: page.audit_with(landmark=float(st.session_state["audit_landmark"])),
            disabled=page.current().auditing.treatment not in arms,
            help="A landmark: only patients still under observation at that month count, so that nobody has to "
            "survive to be treated.",
        )  # fmt: skip
    if len(run.seeds) < FEW_SEEDS:
        count = f"{len(run.seeds)} seed{'' if len(run.seeds) == 1 else 's'}"
        note(f"This run has {count}. Stability and the comparison with controls want at least {FEW_SEEDS}: train it "
             "with more seeds for an answer to rest on.", warn=True)  # fmt: skip
    if may(Permission.EXPLAIN):
        st.button(words, key="audit_run", type="primary", on_click=_submit,
                  args=(view.workspace, run, arguments(run, view.cohort)))  # fmt: skip
    said = st.session_state.pop(SAID, None)
    if isinstance(said, PrognoscopeError):
        show_error(said)


def _controls(run: Run) -> None:
    st.session_state["audit_controls"] = page.current().auditing.controls
    st.checkbox(
        "Also train the three controls", key="audit_controls",
        on_change=lambda: page.audit_with(controls=bool(st.session_state["audit_controls"])),
        help="The same model, folds, seeds and budget: without biological supervision, with the report sentences of "
        "other patients, and with a random router. What is real has to vanish in them.",
    )  # fmt: skip
    note(f"They train the model three more times: about {_span(3 * run.seconds)}, on top of about a minute.")


def arguments(run: Run, cohort: Cohort) -> dict[str, Any]:
    """What the job is given; always the same for the same choices, so that a second click finds the first job."""
    chosen = page.current().auditing
    given: dict[str, Any] = {"run": run.id, "controls": chosen.controls}
    if chosen.treatment in arm_columns(cohort):
        given |= {"treatment": chosen.treatment, "landmark": chosen.landmark}
    return given


def _submit(workspace: Workspace, run: Run, given: Mapping[str, Any]) -> None:
    job = job_of(run, workspace)
    if job is not None and not job.state.finished:
        return  # a second click of the same hand
    try:
        submit_job(workspace, TASK, given, f"Audit of {model_words(run.model)} on {run.cohort}")
    except PrognoscopeError as error:
        st.session_state[SAID] = error


def _progress(job_id: str, workspace: Workspace) -> None:
    """A bar that follows the job; the page is drawn again when it has finished."""
    with told_plainly("Experts, audit"):
        job = JobQueue(workspace).get(job_id)
        if job.state.finished:
            st.rerun(scope="app")
        st.subheader("The audit is under way")
        words = job.message or "starting"
        if job.state is JobState.QUEUED:
            words = state_words(job)
        parts = (f"{words[:1].upper()}{words[1:]}", left_words(job.eta_seconds))
        st.progress(min(1.0, job.share), " · ".join(p for p in parts if p))
        st.button("Stopping …" if job.cancelling else "Cancel", key="audit_cancel", disabled=job.cancelling,
                  on_click=cancel_job, args=(workspace, job.id))  # fmt: skip
        note("It runs in a process of its own: you may leave this page and come back.")


def _span(seconds: float) -> str:
    return f"{max(1, round(seconds))} s" if seconds < 90 else f"{round(seconds / 60)} min"
