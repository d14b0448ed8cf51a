"""What reports are made from, read once for all patients of a run: cohort, record, predictions, support."""

from __future__ import annotations

from dataclasses import dataclass

from core.analysis.card_source import CardSource, with_sources
from core.analysis.patient_estimate import PatientEstimate, own_estimate, set_estimate
from core.analysis.patient_person import Person
from core.cohort.cohort import Cohort
from core.cohort.storage import load_cohort
from core.errors import PrognoscopeError
from core.results.prediction_set import PredictionSet, list_prediction_sets, load_prediction_set
from core.results.run import Run
from core.results.run_store import load_predictions, load_run
from core.results.workspace import Workspace


@dataclass(frozen=True, eq=False)
class ReportSources:
    """``cohort`` holds the patients · ``card`` the run, the cohort it was trained on and its predictions · ``scored``
    the run's estimates of ``cohort`` where that is another one, else None."""

    workspace: Workspace
    cohort: Cohort
    card: CardSource
    scored: PredictionSet | None

    @property
    def run(self) -> Run:
        return self.card.run

    def person(self, patient: str) -> Person:
        """A patient of the cohort; raises for anybody else. The message does not repeat the name."""
        if patient not in self.cohort.patients.index:
            raise PrognoscopeError("no such patient", f"cohort {self.cohort.name!r}", "use a pseudonym of the cohort")
        return Person(patient, self.cohort, self.card.cohort, self.run)

    def estimate(self, person: Person) -> PatientEstimate | None:
        """What the run says of the patient, as the Patient page shows it; None where it says nothing."""
        if person.new:
            return None if self.scored is None else set_estimate(person.patient, self.scored)
        found = None if self.card.support is None else self.card.support.of(person.patient)
        return own_estimate(person.patient, self.card.predictions, self.run.horizons, found)


def read_sources(run_id: str, cohort: str | None, workspace: Workspace) -> ReportSources:
    """Read them; ``cohort`` None = the one the run was trained on.

    Raises
    ------
    PrognoscopeError
        When the run or a cohort is missing or was altered, or the run never scored the other cohort.
    """
    run = load_run(run_id, workspace)
    base = load_cohort(run.cohort, workspace)
    card = with_sources(run, base, load_predictions(run_id, workspace), (), workspace)
    if cohort is None or cohort == run.cohort:
        return ReportSources(workspace, base, card, None)
    other = load_cohort(cohort, workspace)
    for summary in list_prediction_sets(cohort, workspace):
        if summary.run == run_id and summary.cohort_hash == other.content_hash:
            return ReportSources(workspace, other, card, load_prediction_set(summary.id, workspace))
    raise PrognoscopeError(
        f"no estimates of cohort {cohort!r} by this run", f"run {run_id}",
        f"./run cli predict --run {run_id} --cohort {cohort}",
    )  # fmt: skip
