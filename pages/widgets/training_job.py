"""A training as a job: where it stands, its curves while it runs, and what came of it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import streamlit as st

from core.analysis.training_choices import DEFAULT_MODEL
from core.errors import PrognoscopeError
from core.jobs.job import Job, JobState
from core.jobs.queue import JobQueue
from core.jobs.supervise import cancel_job
from core.jobs.words import left_words, state_words
from core.results.model_catalogue import CATALOGUE
from core.results.run import Run
from core.results.training_curve import FILE, CurvePoint, read_curves
from core.results.workspace import Workspace
from pages.widgets import state as page
from pages.widgets.data import View
from pages.widgets.frame import show_error, told_plainly
from pages.widgets.html import note, state_box
from pages.widgets.run_record import run_summary
from pages.widgets.training_curves import curves_panel

EVERY_SECONDS = 2.0
TASKS = ("train", "encode", "complete-sample", "prepare-sample")


def trainings_panel(view: View) -> None:
    """The watched job, and the other trainings and encodings to look at."""
    st.header("Trainings")
    jobs = tuple(j for j in _jobs(view.workspace) if j.task in TASKS)
    watched = _watched(jobs, view)
    if watched is None:
        state_box(
            "No training yet",
            ("A training runs in a process of its own: you may leave this page, close the browser and come back.",),
            "slight",
        )
        return
    _choose(jobs, watched)
    st.fragment(_live, run_every=None if watched.state.finished else EVERY_SECONDS)(
        watched.id, view.workspace, view.runs, view.cohort.synthetic
    )


def _jobs(workspace: Workspace) -> tuple[Job, ...]:
    queue = JobQueue(workspace)
    return queue.jobs() if queue.path.is_file() else ()


def _watched(jobs: tuple[Job, ...], view: View) -> Job | None:
    """The job the page state names, else the first of this cohort."""
    named = next((j for j in jobs if j.id == page.current().job), None)
    return named or next((j for j in jobs if j.arguments.get("cohort") == view.cohort.name), None)


def _choose(jobs: tuple[Job, ...], watched: Job) -> None:
    """Which of several jobs is shown."""
    if len(jobs) < 2:
        return
    # the state of an unfinished job changes while this box stays as it was drawn: it is said below instead
    words = {
        j.id: " · ".join(
            [j.title, f"{j.submitted_at:%Y-%m-%d %H:%M} UTC", *([j.state.value] if j.state.finished else [])]
        )
        for j in jobs
    }
    st.session_state["watched_job"] = watched.id
    st.selectbox(
        "Show", list(words), key="watched_job", format_func=lambda i: words.get(i, i), label_visibility="collapsed",
        on_change=lambda: page.watch_job(st.session_state["watched_job"]),
    )  # fmt: skip


def _live(job_id: str, workspace: Workspace, runs: tuple[Run, ...], synthetic: bool) -> None:
    """Drawn again every two seconds while the job runs; the whole page once when it has finished."""
    with told_plainly("Train"):
        queue = JobQueue(workspace)
        job = queue.get(job_id)
        run = _run_of(job, runs)
        if job.state is JobState.DONE and job.task == "train" and run is None and _news(job):
            st.rerun(scope="app")
        if job.state.finished and job.task != "train" and _news(job):
            st.rerun(scope="app")
        _where_it_stands(job, workspace)
        if run is not None:
            run_summary(run, "job")
        if job.task == "train":
            points = read_curves(queue.folder(job_id) / FILE)
            epochs = _epochs(job)
            if job.state is JobState.RUNNING:
                note(_how_far(points, epochs))
            curves_panel(points, "training", synthetic, epochs)
        _log(queue, job)


def _epochs(job: Job) -> int | None:
    """Epochs of one fit of this training."""
    entry = CATALOGUE.get(str(job.arguments.get("model", DEFAULT_MODEL)))
    setting = entry.setting("training.epochs") if entry is not None else None
    given = job.arguments.get("settings", {}).get("training.epochs", setting.default if setting is not None else None)
    return given if isinstance(given, int) else None


def _how_far(points: Sequence[CurvePoint], epochs: int | None) -> str:
    """What is under way between two steps of the progress bar, which counts whole fits."""
    if epochs is None:
        return "This model has no epochs to watch."
    last = {(p.fold, p.seed): p.epoch + 1 for p in points}
    under_way = [f"fold {fold + 1}, seed {seed}: epoch {done} of {epochs}"
                 for (fold, seed), done in last.items() if done < epochs]  # fmt: skip
    finished = len(last) - len(under_way)
    words = f"{finished} {'fit has' if finished == 1 else 'fits have'} finished"
    return f"{'; '.join([words, *under_way])}."


def _news(job: Job) -> bool:
    """True once a session for each finished job: the page is drawn again for it."""
    told = st.session_state.setdefault("jobs_told", set())
    new = job.id not in told
    told.add(job.id)
    return new


def _run_of(job: Job, runs: tuple[Run, ...]) -> Run | None:
    made = (job.result or {}).get("run")
    return next((r for r in runs if r.id == made), None)


def _where_it_stands(job: Job, workspace: Workspace) -> None:
    st.subheader(job.title)
    if job.state is JobState.QUEUED:
        words = state_words(job)
        st.progress(0.0, f"{words[:1].upper()}{words[1:]}")
        _cancel(job, workspace)
    elif job.state is JobState.RUNNING:
        message = job.message or "starting"
        parts = (f"{message[:1].upper()}{message[1:]}", f"{100 * job.share:.0f} %", left_words(job.eta_seconds))
        st.progress(min(1.0, job.share), " · ".join(p for p in parts if p))
        if job.attempts > 1:
            note(f"Taken up again after an interruption (attempt {job.attempts}); finished folds are not repeated.")
        _cancel(job, workspace)
    elif job.state is JobState.FAILED:
        show_error(PrognoscopeError(job.error.rstrip(".") or "the job failed", "this job", "see its log below"))
    elif job.state is JobState.CANCELLED:
        state_box("Cancelled", ("It was stopped on request. Start it again with the same choices.",), "slight")
    else:
        note(f"Done in {_took(job)}.")


def _cancel(job: Job, workspace: Workspace) -> None:
    words = "Stopping …" if job.cancelling else "Cancel"
    st.button(
        words, key="cancel_watched", disabled=job.cancelling, on_click=cancel_job, args=(workspace, job.id),
        help="Stops it within seconds and says so; what was finished is not kept as a run.",
    )  # fmt: skip


def _took(job: Job) -> str:
    end = job.finished_at or datetime.now(UTC)
    return _duration((end - (job.started_at or job.submitted_at)).total_seconds())


def _duration(seconds: float) -> str:
    """``"45 s"``, ``"3 min"``."""
    return f"{max(1, round(seconds))} s" if seconds < 90 else f"{round(seconds / 60)} min"


def _log(queue: JobQueue, job: Job) -> None:
    text = queue.log(job.id)
    if text:
        with st.expander("Log"):
            st.code("\n".join(text.splitlines()[-40:]), language=None)
