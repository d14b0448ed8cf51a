"""Patients like this one: near in the estimated course and in clinical values, with what they share and what happened.

Distance = ½ · mean over months of |S − S'|, divided by the largest in the cohort + ½ · Gower's distance over clinical
inputs and markers (Gower, Biometrics 1971), numbers as the difference of their ranks.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from core.analysis.grouping import is_numeric
from core.analysis.patient_estimate import PatientEstimate
from core.analysis.patient_identity import outcome_words
from core.analysis.patient_markers import value_words
from core.analysis.patient_person import Person
from core.analysis.patient_sentences import say
from core.arrays import FloatArray, IntArray
from core.cohort.cohort import Cohort, Role
from core.results.prediction import Predictions

NEAREST, NAMED = 5, 3
CLOSE = 0.1
"""Difference of ranks (0..1) up to which two numbers count as alike."""
_DERIVED = ("log10_afp", "albi_grade")
"""Columns that repeat another one: they would count it twice."""


@dataclass(frozen=True)
class Similar:
    """One similar patient. ``distance`` 0..1 · ``survival`` their estimated S(month), NaN where not estimable ·
    ``why`` what they share, the rarest first · ``outcome`` what happened to them."""

    patient: str
    distance: float
    survival: float
    why: str
    outcome: str


@dataclass(frozen=True, eq=False)
class _Columns:
    """(n, c) ``difference`` to the patient, 0..1, NaN where one of the two is missing; their names; each agreement's
    rarity, the share of the others that agree as well."""

    names: tuple[str, ...]
    difference: FloatArray
    shared: FloatArray


def similar_patients(
    person: Person, ensemble: Predictions, estimate: PatientEstimate, month: float, k: int = NEAREST
) -> tuple[Similar, ...]:
    """The ``k`` nearest patients of the training cohort.

    Parameters
    ----------
    ensemble : Predictions
        The run's, one row a patient, out-of-fold.
    estimate : PatientEstimate
        The patient's own, at the months of ``ensemble``.
    month : float
        At which the others' estimate is shown.
    """
    base, ids = person.base, ensemble.table["id"].to_numpy()
    rows = base.patients.index.get_indexer(ids)
    columns = _columns(person, rows)
    distance = _distance(_course(ensemble.survival, estimate.survival), columns.difference)
    distance[(rows < 0) | ~person.others[rows]] = np.inf
    order = [int(i) for i in np.argsort(distance, kind="stable")[:k] if np.isfinite(distance[i])]
    at = ensemble.survival_at(month)
    return tuple(
        Similar(
            str(ids[i]), float(distance[i]), float(at[i]), _why(base, columns, i, str(ids[i])),
            outcome_words(base, person.run.endpoint, str(ids[i])),
        )
        for i in order
    )  # fmt: skip


def _course(survival: FloatArray, own: FloatArray) -> FloatArray:
    """(n,) mean absolute difference of the curves where both are estimable, as a share of the largest."""
    both = np.isfinite(survival) & np.isfinite(own)
    difference = np.where(both, np.abs(survival - own), 0.0).sum(axis=1) / np.maximum(both.sum(axis=1), 1)
    difference[~both.any(axis=1)] = np.nan
    largest = np.nanmax(difference) if np.isfinite(difference).any() else 0.0
    return np.asarray(difference / largest if largest > 0 else difference)


def _distance(course: FloatArray, columns: FloatArray) -> FloatArray:
    """(n,) half course, half columns; the course alone where fewer than half of the columns are known of both."""
    known = np.isfinite(columns)
    enough = known.sum(axis=1) * 2 >= max(1, columns.shape[1])
    gower = np.where(known, columns, 0.0).sum(axis=1) / np.maximum(known.sum(axis=1), 1)
    mixed = np.where(enough, 0.5 * course + 0.5 * gower, np.inf) if columns.shape[1] else course
    return np.asarray(np.where(np.isfinite(mixed), mixed, np.inf), dtype=float)


def _columns(person: Person, rows: IntArray) -> _Columns:
    base = person.base
    names = [c for role in (Role.INPUT, Role.MARKER) for c in base.columns(role) if c not in _DERIVED]
    names = [c for c in names if person.value(c) is not None]
    differences = []
    for name in names:
        values, own = base.patients[name].iloc[rows], person.value(name)
        missing = values.isna().to_numpy()
        if is_numeric(base, name):
            numbers, mine = pd.to_numeric(values).to_numpy(dtype=float, na_value=np.nan), float(str(own))
            part = np.abs(_ranks(numbers, numbers) - _ranks(numbers, np.array([mine])))
        else:
            part = np.where(values.eq(own).fillna(False).to_numpy(dtype=bool), 0.0, 1.0)
        differences.append(np.where(missing, np.nan, np.minimum(part, 1.0)))
    table = np.stack(differences, axis=1) if differences else np.zeros((len(rows), 0))
    agrees = table <= CLOSE
    return _Columns(tuple(names), table, agrees.mean(axis=0) if len(rows) else np.zeros(len(names)))


def _ranks(known: FloatArray, values: FloatArray) -> FloatArray:
    """Share of the known numbers below each value, ties half."""
    ordered = np.sort(known[np.isfinite(known)])
    below, up_to = (np.searchsorted(ordered, values, side) for side in ("left", "right"))
    return np.asarray((below + up_to) / 2 / max(1, len(ordered)))


def _why(cohort: Cohort, columns: _Columns, row: int, patient: str) -> str:
    """The rarest agreements, each with the other patient's own value."""
    alike = np.flatnonzero(columns.difference[row] <= CLOSE)
    named = [columns.names[i] for i in alike[np.argsort(columns.shared[alike], kind="stable")][:NAMED]]
    if not named:
        return say("similar_curve")
    values = [f"{cohort.label(c)} {value_words(cohort, c, cohort.patients.at[patient, c])}" for c in named]
    return say("similar", same=", ".join(values))
