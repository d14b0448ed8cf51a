"""The Cohort page's "Score these patients with run …": a job, then estimates, reasons and what happened to them."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from core.access.roles import Permission
from core.access.seen import list_runs
from core.analysis.new_patients import agreement_table, patients_table, silent_horizons
from core.jobs.job import Job, JobState
from core.jobs.queue import JobQueue
from core.jobs.supervise import submit_job
from core.results.naming import model_words, run_words
from core.results.prediction_set import PredictionSet, list_prediction_sets, load_prediction_set
from core.results.run import Run
from core.results.workspace import Workspace
from core.serving.exports import estimates_url
from core.serving.visitor import visitor_of
from pages.widgets.data import View
from pages.widgets.frame import loading
from pages.widgets.html import facts, note, numbers_table
from pages.widgets.who import may

TASK = "predict"


def score_panel(view: View) -> None:
    """Choose a run of another cohort, let a job score this one's patients, show what it says of the selected."""
    st.header("Estimates from a run of another cohort")
    runs = {r.id: r for r in list_runs(view.workspace)[::-1] if r.cohort != view.cohort.name}
    if not runs:
        note("No run of another cohort yet. A run says something of new patients only: train one on another cohort, "
             "or part this one by site with ./run cli split-cohort.")  # fmt: skip
        return
    left, right = st.columns([5, 2], vertical_alignment="bottom")
    with left:
        chosen = st.selectbox(
            "Run", list(runs), key="score_run", format_func=lambda r: f"{runs[r].cohort} · {run_words(runs[r])}"
        )
    run = runs[chosen]
    job = _job_of(run, view)
    stored = _stored(run, view)
    with right:
        words = "Score again" if stored else "Score these patients"
        busy = job is not None and not job.state.finished
        if may(Permission.EXPLAIN):
            st.button(words, key="score_start", type="secondary" if stored else "primary", width="stretch",
                      disabled=busy, on_click=_start, args=(run, view))  # fmt: skip
    if job is not None and busy:
        _progress(job.id, view.workspace)
    elif job is not None and job.state is JobState.FAILED and not stored:
        note(f"The last attempt failed: {job.error}", warn=True)
    if stored:
        with loading("Reading the estimates"):
            found = _read(str(view.workspace.root), stored, run.id)
        _show(found, run, view)
    elif not busy:
        note("A job applies all models of the run to the patients of this cohort and says how far each lies from the "
             "patients they were trained on.")  # fmt: skip


def _start(run: Run, view: View) -> None:
    words = f"Scoring {view.cohort.title} with {model_words(run.model)} of {run.cohort}"
    submit_job(view.workspace, TASK, {"run": run.id, "cohort": view.cohort.name}, words)


def _job_of(run: Run, view: View) -> Job | None:
    """The latest job that scores this cohort with this run."""
    queue = JobQueue(view.workspace)
    if not queue.path.is_file():
        return None
    wanted = {"run": run.id, "cohort": view.cohort.name}
    mine = [j for j in queue.jobs() if j.task == TASK and dict(j.arguments) == wanted]
    return max(mine, key=lambda j: j.submitted_at, default=None)


@st.fragment(run_every=1.0)
def _progress(job_id: str, workspace: Workspace) -> None:
    """A bar that follows the job; the page is drawn again when it has finished."""
    job = JobQueue(workspace).get(job_id)
    if job.state.finished:
        st.rerun(scope="app")
    waiting = f"waiting, place {job.position} in the queue" if job.position else job.message or "starting"
    st.progress(min(1.0, job.share), f"{waiting[:1].upper()}{waiting[1:]}")


def _stored(run: Run, view: View) -> str:
    """The set of estimates of this run for the cohort as it is now, or ``""``."""
    for found in list_prediction_sets(view.cohort.name, view.workspace):
        if found.run == run.id and found.cohort_hash == view.cohort.content_hash:
            return f"{found.id}|{found.created_at}"
    return ""


@st.cache_resource(scope="session", show_spinner=False, max_entries=3)
def _read(root: str, stored: str, run: str) -> PredictionSet:
    """Read once a session (it speaks of single patients) and again when it was scored again."""
    from pathlib import Path

    return load_prediction_set(stored.partition("|")[0], Workspace(Path(root)))


def _show(found: PredictionSet, run: Run, view: View) -> None:
    n, without = len(found), found.unsupported
    items = [
        (f"{n - without:,}", f"of {n:,}", "patients with an estimate"),
        (f"{without:,}", "", "outside what the run was trained on: no number"),
        (f"{found.members}", "", "models, each estimate their mean"),
    ]
    if found.overlap:
        items.append((f"{found.overlap:,}", "", "the run was trained on: scored by the models that never saw them"))
    facts(items)
    for modality, reason in found.masked.items():
        note(f"{modality.capitalize()} not used: {reason}.", warn=True)
    differing = [f"{count:,} {words}" for words, count in found.notes]
    if differing:
        note(f"Unlike the training cohort: {'; '.join(differing)}.")
    for warning in found.warnings:
        note(f"{warning[:1].upper()}{warning[1:]}.", warn=True)
    table = patients_table(found, view.mask)
    st.dataframe(table, hide_index=True, height=330, placeholder="–", alt="Estimates of the selected patients",
                 column_config=_columns(table))  # fmt: skip
    low, high = (f"{100 * q:.0f} %" for q in found.spread)
    risk = f" Risk: share of the first {found.tau:g} months expected to be lost." if found.tau else ""
    note(f"In brackets the models' spread ({low} to {high} of them), not a confidence interval.{risk} Distance: how "
         "far a patient lies from the training patients; above 1 is farther than allowed.")  # fmt: skip
    silent = silent_horizons(found)
    if silent:
        note(silent)
    _agreement(found, run)
    visitor = visitor_of(st.context.cookies)
    if visitor and may(Permission.EXPORT):
        st.link_button("All estimates (CSV)", estimates_url(found.id, visitor))


def _columns(table: pd.DataFrame) -> dict[str, object]:
    wide = {"Why no estimate": st.column_config.TextColumn(width="large")}
    return {name: column for name, column in wide.items() if name in table}


def _agreement(found: PredictionSet, run: Run) -> None:
    """What happened to the patients, under the name it may be given."""
    if found.no_agreement:
        note(f"Not compared with what happened: {found.no_agreement}.")
        return
    words = found.kind.value
    st.subheader(f"{words[:1].upper()}{words[1:]}: {found.endpoint} of patients new to the run")
    table = agreement_table(found).fillna("")
    numbers_table(table.set_index("").T.rename_axis("").reset_index())
    own = run.metrics.harrell_c.mean
    if own is not None:
        note(f"On its own cohort, out of fold, the run reached a Harrell C of {own:.2f}.")
