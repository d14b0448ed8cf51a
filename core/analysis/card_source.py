"""Everything a model card is made from: the run's record, its cohort, its stored predictions, and what lies beside."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from core.arrays import BoolArray, FloatArray
from core.cohort.cohort import Cohort
from core.cohort.endpoint import Endpoint
from core.cohort.storage import load_cohort
from core.results.explained import default_month
from core.results.own_support import OwnSupport, read_own_support
from core.results.prediction import Predictions
from core.results.prediction_set import list_prediction_sets
from core.results.run import Run
from core.results.run_store import list_runs, load_predictions, load_run
from core.results.workspace import Workspace
from core.statistics.kaplan_meier import kaplan_meier, median_survival


@dataclass(frozen=True, eq=False)
class CardSource:
    """What a card is made from; nothing else goes into it.

    Parameters
    ----------
    run : Run
    cohort : Cohort
        As it lies in the workspace now; ``same_data`` says whether the run was trained on it.
    predictions : Predictions
        Out-of-fold, all seeds.
    others : tuple of Run
        The other runs of the cohort.
    support : OwnSupport or None
        Which patients lie where the run was trained; None = never checked.
    models : int
        Stored models (one a fold and seed); 0 for a run without.
    scored : int
        Other cohorts whose patients the run was asked for.
    """

    run: Run
    cohort: Cohort
    predictions: Predictions
    others: tuple[Run, ...] = ()
    support: OwnSupport | None = None
    models: int = 0
    scored: int = 0

    @property
    def same_data(self) -> bool:
        """Whether the cohort is, value for value, the one the run was trained on."""
        return self.run.cohort_hash == self.cohort.content_hash

    @property
    def endpoint(self) -> Endpoint:
        return self.cohort.endpoint(self.run.endpoint)

    @property
    def month(self) -> float:
        """The horizon that one-month parts of the card speak of."""
        return default_month(self.run.horizons) if self.run.horizons else 36.0

    @cached_property
    def ensemble(self) -> Predictions:
        """Mean over seeds, one row a patient."""
        return self.predictions.ensemble()

    @property
    def time(self) -> FloatArray:
        """(n,) months of the predicted patients."""
        return np.asarray(self.ensemble.table["time"], dtype=np.float64)

    @property
    def event(self) -> BoolArray:
        """(n,) whether the event happened; a competing one ends observation like censoring."""
        return np.asarray(self.ensemble.table["event"].to_numpy() == 1, dtype=bool)

    @property
    def median_follow_up(self) -> float | None:
        """Months, reverse Kaplan-Meier."""
        return median_survival(kaplan_meier(self.time, ~self.event)).value


def import_notes(source: CardSource) -> tuple[str, ...]:
    """What the import did to values, in its own sentences; that patients are generated is said elsewhere."""
    return tuple(f"{w.rstrip('.')}." for w in source.cohort.warnings if "patients are generated" not in w)


def read_source(run_id: str, workspace: Workspace) -> CardSource:
    """Read everything from the workspace.

    Raises
    ------
    PrognoscopeError
        When the run or its cohort is missing, or was altered.
    """
    run = load_run(run_id, workspace)
    cohort = load_cohort(run.cohort, workspace)
    others = tuple(r for r in list_runs(workspace) if r.cohort == run.cohort and r.id != run.id)
    return with_sources(run, cohort, load_predictions(run.id, workspace), others, workspace)


def with_sources(
    run: Run, cohort: Cohort, predictions: Predictions, others: tuple[Run, ...], workspace: Workspace
) -> CardSource:
    """The same from what was read already, with what else the workspace holds of the run."""
    support = read_own_support(run.id, run.cohort, run.cohort_hash, workspace)
    models = len(list((workspace.run(run.id) / "checkpoints").glob("fold*-seed*.safetensors")))
    scored = {s.cohort for s in list_prediction_sets(None, workspace) if s.run == run.id and s.cohort != run.cohort}
    return CardSource(run, cohort, predictions, others, support, models, len(scored))
