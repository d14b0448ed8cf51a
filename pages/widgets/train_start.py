"""Before a training starts: what is unusual about it, whether its folds are sound, the command, and the button."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd
import streamlit as st

from core.analysis.fold_plan import PlanCheck, check_plan
from core.analysis.training_choices import job_arguments, unusual
from core.cohort.cohort import Cohort
from core.errors import PrognoscopeError
from core.jobs.queue import JobQueue
from core.jobs.supervise import submit_job
from core.results.naming import model_words
from core.results.workspace import Workspace
from pages.widgets import state as page
from pages.widgets.data import View
from pages.widgets.frame import loading, show_error
from pages.widgets.html import facts, note, numbers_table
from pages.widgets.train_folds import folds_spec, originals
from pages.widgets.train_modalities import usual_modalities

SAID = "train_said"


def before_start(view: View, modalities: tuple[str, ...]) -> None:
    """The plan in numbers and words; nothing can be started that would leak or cannot be trained."""
    st.header("Before it starts")
    if not modalities:
        note("Nothing can be trained yet: no modality that this model reads is chosen.", warn=True)
        return
    choices, endpoint = page.current().training, page.current().endpoint
    try:
        spec = folds_spec(view)
        arguments = job_arguments(choices, view.cohort.name, endpoint, modalities, spec)
        with loading("Checking the folds"):
            plan = _checked(view.cohort.content_hash, endpoint, modalities, spec, view.cohort, originals(view))
    except PrognoscopeError as error:
        show_error(error)
        note("No training starts with these folds and inputs.", warn=True)
        return
    facts([
        (f"{plan.patients:,}", f"of {len(view.cohort):,}", "patients take part"),
        (f"{plan.events:,}", "", f"events ({endpoint})"),
        (f"{plan.folds.k}", "", "folds"),
        (f"{plan.folds.k * choices.seeds}", "", "fits"),
    ])  # fmt: skip
    if page.current().selection.filters:
        note("The filters above choose what other pages show; a training takes every patient of the cohort.")
    left, right = st.columns(2, gap="medium")
    with left:
        _unusual(arguments, next(iter(view.cohort.endpoints)), usual_modalities(view))
    with right:
        _guard(plan)
    st.caption("The command that repeats it")
    st.code(arguments["command"], language=None, wrap_lines=True)
    _start(view, arguments)


@st.cache_resource(scope="session", show_spinner=False, max_entries=16)
def _checked(
    content_hash: str, endpoint: str, modalities: tuple[str, ...], spec: str, _cohort: Cohort,
    _originals: Mapping[str, str],
) -> PlanCheck:  # fmt: skip
    return check_plan(_cohort, endpoint, modalities, spec, _originals)


def _unusual(arguments: Mapping[str, Any], endpoint: str, modalities: tuple[str, ...]) -> None:
    """Only what is not the default."""
    st.subheader("Not by default")
    found = unusual(arguments, endpoint, modalities)
    if not found:
        note("Nothing: every choice and every setting is the default.")
        return
    numbers_table(pd.DataFrame(found, columns=["What", "Chosen", "By default"]))


def _guard(plan: PlanCheck) -> None:
    """What was checked of the folds."""
    st.subheader("No patient leaks")
    for words in plan.passed:
        note(f"✓ {words}")
    for words in plan.notes:
        note(words, warn=True)
    if plan.left_out:
        note("Left out: " + "; ".join(f"{n:,} {why}" for why, n in plan.left_out) + ".")
    with st.expander("Folds in numbers"):
        numbers_table(plan.table, right=tuple(plan.table.columns))


def _start(view: View, arguments: Mapping[str, Any]) -> None:
    """The button; a training that is already under way is shown instead of being started twice."""
    same = next(
        (r for r in view.runs if r.command == arguments["command"] and _of_this_data(r.cohort_hash, view)), None
    )
    title = f"{model_words(str(arguments['model']))} on {view.cohort.title}"
    st.button(
        "Start training", key="start_training", type="primary", on_click=_submit,
        args=(view.workspace, dict(arguments), title),
    )  # fmt: skip
    if same is not None:
        note(f"Run {same.id} was trained with the same command on the same data.")
    said = st.session_state.pop(SAID, None)
    if isinstance(said, PrognoscopeError):
        show_error(said)
    elif said:
        note(str(said), warn=True)


def _of_this_data(cohort_hash: str, view: View) -> bool:
    return cohort_hash == view.cohort.content_hash


def _submit(workspace: Workspace, arguments: Mapping[str, Any], title: str) -> None:
    try:
        under_way = {job.id for job in JobQueue(workspace).unfinished()}
        job = submit_job(workspace, "train", arguments, title)
    except PrognoscopeError as error:
        st.session_state[SAID] = error
        return
    if job.id in under_way:
        st.session_state[SAID] = "This very training is already under way: it is shown below and not started twice."
    page.watch_job(job.id)
