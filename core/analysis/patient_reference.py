"""The patients one is compared with: same stage, else the same third of risk; and predictions from one marker alone.

Every curve here leaves the patient out.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from core.analysis.patient_estimate import PatientEstimate, value_at
from core.analysis.patient_markers import albi_grades, stage_column
from core.analysis.patient_person import Person
from core.analysis.patient_sentences import say
from core.arrays import BoolArray, FloatArray, IntArray
from core.results.prediction import Predictions
from core.statistics.kaplan_meier import SurvivalCurve, at_risk_at, kaplan_meier, survival_at

FEWEST_PATIENTS, FEWEST_EVENTS, FEWEST_AT_RISK = 20, 5, 20
THIRDS = ("the lowest third of estimated risk", "the middle third of estimated risk",
          "the highest third of estimated risk")  # fmt: skip
SHORT_THIRDS = ("lowest risk third", "middle risk third", "highest risk third")


@dataclass(frozen=True, eq=False)
class Comparable:
    """Comparable patients. ``same`` what they share, ``short`` in a few signs · ``curve`` their Kaplan-Meier curve,
    None where too few · ``words`` the sentence that says who they are, or why there is no curve."""

    same: str
    short: str
    n: int
    events: int
    curve: SurvivalCurve | None
    words: str


@dataclass(frozen=True)
class SimplePrediction:
    """Kaplan-Meier of the patients with one marker's value alone, at one month.

    ``value``, ``low``, ``high`` with a 95 % interval, None with the reason in ``note``.
    """

    name: str
    level: str
    n: int
    value: float | None
    low: float | None
    high: float | None
    note: str = ""


def comparable(person: Person, ensemble: Predictions, estimate: PatientEstimate, month: float) -> Comparable:
    """Patients of the same stage; of the same third of risk where the stage is unknown or too rare to draw.

    ``ensemble`` are the run's out-of-fold predictions, one row a patient.
    """
    by_stage, column = None, stage_column(person.base)
    if column is not None and person.value(column) is not None:
        stage = str(person.value(column))
        short = stage if stage.lower().startswith("stage") else f"stage {stage}"
        by_stage = _described(f"{person.base.label(column)} {stage}", short, person, person.alike(column))
        if by_stage.curve is not None:
            return by_stage
    third, thirds = risk_thirds(person, ensemble, estimate, month)
    if third is None:
        return by_stage or _described("the same stage or risk", "", person, np.zeros(len(person.base), dtype=bool))
    alike = np.asarray(person.base.patients.index.isin(ensemble.table["id"].to_numpy()[thirds == third]), dtype=bool)
    by_risk = _described(f"an estimate in {THIRDS[third]}", SHORT_THIRDS[third], person, alike & person.others)
    return by_stage if by_stage is not None and by_risk.curve is None else by_risk


def risk_thirds(
    person: Person, ensemble: Predictions, estimate: PatientEstimate, month: float
) -> tuple[int | None, IntArray]:
    """The patient's third (0 lowest risk, None where unknown) and (n,) those of the run's patients.

    A patient of the run is judged by the thresholds their fold put on its *training* patients. Risks of several folds
    have no common scale with a new patient's, so a new patient is placed by S(month) among the out-of-fold S(month).
    """
    if not person.new:
        thirds = _fold_thirds(person, ensemble)
        place = np.flatnonzero((ensemble.table["id"] == person.patient).to_numpy())
        return (int(thirds[place[0]]) if len(place) else None), thirds
    values = ensemble.survival_at(month)
    own = value_at(estimate.times, estimate.survival, month)
    if not np.isfinite(own) or not np.isfinite(values).any():
        return None, np.full(len(values), -1, dtype=np.int64)
    high, low = np.nanquantile(values, [1 / 3, 2 / 3])
    return int(own <= low) + int(own <= high), np.where(np.isfinite(values), _third_of(values, low, high), -1)


def _third_of(values: FloatArray, low: float, high: float) -> IntArray:
    """Low survival is high risk: 2 at or below ``high``, 1 at or below ``low``."""
    return np.asarray((values <= low).astype(np.int64) + (values <= high))


def simple_predictions(person: Person, month: float) -> tuple[SimplePrediction, ...]:
    """What the stage alone and the ALBI grade alone say at ``month``, each fitted without the patient."""
    found, base = [], person.base
    column = stage_column(base)
    if column is not None:
        found.append(_alone("Stage alone", person.value(column), person.alike(column), person, month))
    grades, own = albi_grades(base), albi_grades(person.cohort)
    if grades is not None:
        grade = None if own is None or pd.isna(own.loc[person.patient]) else str(own.loc[person.patient])
        alike = person.others & np.asarray(grades.eq(grade).fillna(False), dtype=bool)
        found.append(_alone("ALBI grade alone", grade, alike, person, month))
    return tuple(found)


def _alone(name: str, level: object | None, alike: BoolArray, person: Person, month: float) -> SimplePrediction:
    if level is None:
        return SimplePrediction(name, "", 0, None, None, None, "not known of this patient")
    curve = _curve(person, alike)
    words = f"{level:g}" if isinstance(level, float) else str(level)
    left = at_risk_at(curve, month)
    if left < FEWEST_AT_RISK:
        note = f"not estimable: {left} of {curve.n} such patients followed to month {month:g}, fewer than 20"
        return SimplePrediction(name, words, curve.n, None, None, None, note)
    at = survival_at(curve, month)
    return SimplePrediction(name, words, curve.n, at.value, at.low, at.high, at.note)


def _fold_thirds(person: Person, ensemble: Predictions) -> IntArray:
    risk, folds = ensemble.table["risk"].to_numpy(dtype=float), ensemble.table["fold"].astype(int)
    third = np.zeros(len(ensemble), dtype=np.int64)
    for key in ("low_tertile", "high_tertile"):
        limits = folds.map({int(k): float(v[key]) for k, v in person.run.thresholds.items()}).to_numpy(dtype=float)
        third += risk > limits
    return third


def _described(same: str, short: str, person: Person, alike: BoolArray) -> Comparable:
    curve = _curve(person, alike)
    n, events = curve.n, curve.n_events
    if n < FEWEST_PATIENTS or events < FEWEST_EVENTS:
        words = say("too_few", n=n, same=same, events=events, patients=FEWEST_PATIENTS, least=FEWEST_EVENTS)
        return Comparable(same, short, n, events, None, words)
    label = person.endpoint.event_label
    had = "died" if label == "death" else f"had {label}"
    return Comparable(same, short, n, events, curve, say("comparable", n=n, same=same, events=events, had=had))


def _curve(person: Person, alike: BoolArray) -> SurvivalCurve:
    """Kaplan-Meier of these patients of the training cohort, as far as their outcome is known."""
    outcome = person.endpoint
    part = outcome.take(alike & outcome.known)
    return kaplan_meier(part.time, part.event, part.entry if part.has_delayed_entry else None)
