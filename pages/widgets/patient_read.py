"""What the Patient page reads of one patient, remembered for the session that read it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import streamlit as st

from core.access.seen import list_runs
from core.analysis.patient_estimate import PatientEstimate, own_estimate, set_estimate
from core.analysis.patient_history import Earlier
from core.analysis.patient_person import Person
from core.results.own_support import OwnSupport, read_own_support
from core.results.prediction import Predictions
from core.results.prediction_set import (
    PredictionSet,
    PredictionSetSummary,
    list_prediction_sets,
    load_prediction_set,
)
from core.results.run import Run
from core.results.workspace import Workspace
from pages.widgets.data import View, read_cohort, read_predictions

MOST_EARLIER = 6


def with_scoring_runs(view: View) -> View:
    """The view as it is where the cohort has runs; else with the runs of other cohorts that scored its patients."""
    if view.runs:
        return view
    by = {s.run for s in _sets_of(view)}
    runs = tuple(r for r in list_runs(view.workspace)[::-1] if r.id in by)
    if not runs:
        return view
    state = view.state if view.state.run in by else replace(view.state, run=runs[0].id)
    return replace(view, runs=runs, state=state)


def read_person(view: View, patient: str) -> Person | None:
    """The patient with the cohort the chosen run was trained on; None without a run."""
    run = view.run
    if run is None:
        return None
    base = view.cohort if run.cohort == view.cohort.name else read_cohort(run.cohort, view.workspace)
    return Person(patient, view.cohort, base, run)


def refused(view: View, patient: str) -> bool:
    """Whether the chosen run gives this patient no number."""
    return bool(refusal(view, patient))


def refusal(view: View, patient: str) -> str:
    """Why the chosen run gives this patient no number; "" where it gives one, or was not asked yet."""
    person = read_person(view, patient)
    estimate = None if person is None else read_estimate(person, view.workspace)
    return "" if estimate is None else estimate.refused


def read_ensemble(run: Run, workspace: Workspace) -> Predictions:
    """A run's out-of-fold predictions, the mean over its seeds, once a session."""
    return _ensemble(str(workspace.root), run.id, run.created_at, run)


@st.cache_resource(scope="session", show_spinner=False, max_entries=4)
def _ensemble(root: str, run_id: str, created_at: str, _run: Run) -> Predictions:
    return read_predictions(_run, Workspace(Path(root))).ensemble()


def read_estimate(person: Person, workspace: Workspace) -> PatientEstimate | None:
    """What the run says of the patient, with whether it may; None where it says nothing."""
    run = person.run
    if person.new:
        stored = read_set_of(person, workspace)
        return None if stored is None else set_estimate(person.patient, stored)
    support = _support(run, workspace)
    found = None if support is None else support.of(person.patient)
    return own_estimate(person.patient, read_predictions(run, workspace), run.horizons, found)


def read_set_of(person: Person, workspace: Workspace) -> PredictionSet | None:
    """The run's estimates of the patient's cohort as it is now; None where it was not scored."""
    for summary in list_prediction_sets(person.cohort.name, workspace):
        if summary.run == person.run.id and summary.cohort_hash == person.cohort.content_hash:
            return read_set(summary, workspace)
    return None


def _support(run: Run, workspace: Workspace) -> OwnSupport | None:
    """Remembered once it is there: a run is never altered, and a missing verdict may come at any time."""
    held: dict[tuple[str, str], OwnSupport] = st.session_state.setdefault("own_support", {})
    key = (run.id, run.created_at)
    if key not in held:
        found = read_own_support(run.id, run.cohort, run.cohort_hash, workspace)
        if found is None:
            return None
        held[key] = found
    return held[key]


def read_set(summary: PredictionSetSummary, workspace: Workspace) -> PredictionSet:
    """A set of estimates, read once a session and again when it was made again."""
    return _set(str(workspace.root), summary.id, summary.created_at)


@st.cache_resource(scope="session", show_spinner=False, max_entries=4)
def _set(root: str, set_id: str, created_at: str) -> PredictionSet:
    return load_prediction_set(set_id, Workspace(Path(root)))


def other_estimates(person: Person, view: View) -> tuple[Earlier, ...]:
    """The other runs' estimates of the patient, the newest :data:`MOST_EARLIER`."""
    found = []
    for run in view.runs:
        if run.id == person.run.id or run.endpoint != person.run.endpoint:
            continue
        other = Person(person.patient, person.cohort, read_cohort(run.cohort, view.workspace), run)
        estimate = read_estimate(other, view.workspace)
        if estimate is not None:
            found.append(Earlier(run, estimate, not person.new and run.cohort_hash != person.cohort.content_hash))
    if not person.new:
        found += _from_sets(person, view)
    return tuple(sorted(found, key=lambda e: e.run.created_at, reverse=True)[:MOST_EARLIER])


def _from_sets(person: Person, view: View) -> list[Earlier]:
    """Estimates by runs of other cohorts."""
    own, found = {r.id for r in view.runs}, []
    summaries = [s for s in list_prediction_sets(person.cohort.name, view.workspace) if s.run not in own]
    runs = {r.id: r for r in list_runs(view.workspace)} if summaries else {}
    for summary in summaries:
        run = runs.get(summary.run)
        if run is None or run.endpoint != person.run.endpoint:
            continue
        estimate = set_estimate(person.patient, read_set(summary, view.workspace))
        if estimate is not None:
            found.append(Earlier(run, estimate, summary.cohort_hash != person.cohort.content_hash))
    return found


def _sets_of(view: View) -> tuple[PredictionSetSummary, ...]:
    content = view.cohort.content_hash
    return tuple(s for s in list_prediction_sets(view.cohort.name, view.workspace) if s.cohort_hash == content)
