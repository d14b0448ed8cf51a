"""The decision curve of a run beside acting on all, on nobody, and on the stage alone fitted without the patient."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from core.analysis.patient_markers import stage_column
from core.arrays import BoolArray, FloatArray
from core.cohort.cohort import Cohort
from core.errors import PrognoscopeError
from core.results.prediction import Predictions
from core.statistics.brier import kaplan_meier_null
from core.statistics.decision_curve import DecisionCurve, decision_curve
from core.statistics.kaplan_meier import at_risk_at, kaplan_meier, survival_at

MODEL, STAGE, LEAD = "this run", "stage alone", "this run minus the best other rule"
THRESHOLDS = np.round(np.arange(0.05, 0.81, 0.025), 3)
"""From 5 % to 80 % chance of the event: beyond, nobody would wait for a model."""
FEWEST_OF_STAGE = 10
"""Training patients of a stage still followed at the month, below which their curve is that of all stages."""
MOST_BOOTSTRAPPED = 3000


@dataclass(frozen=True, eq=False)
class Decision:
    """``curve`` None with the reason in ``note`` · ``left_out`` patients whose S(month) is not estimable ·
    ``stage`` what the stage-only rule is made of, or why there is none · ``behind`` a row a patient, unnamed: ``time``,
    ``event`` and the chance of the event by each rule."""

    month: float
    curve: DecisionCurve | None
    left_out: int
    stage: str
    note: str = ""
    behind: pd.DataFrame = field(default_factory=pd.DataFrame)


def decision_of(cohort: Cohort, predictions: Predictions, month: float, repeats: int = 200) -> Decision:
    """Net benefit at ``month`` over :data:`THRESHOLDS`.

    Parameters
    ----------
    predictions : Predictions
        Out-of-fold; competing events end observation like censoring, as in all of the run's numbers.

    Notes
    -----
    The stage-only rule is the Kaplan-Meier curve of the *training* patients of the same stage, fold by fold.
    """
    ensemble = predictions.ensemble()
    survival = ensemble.survival_at(month)
    known = np.isfinite(survival)
    table = ensemble.table
    time, event = table["time"].to_numpy(dtype=float), table["event"].to_numpy() == 1
    left_out = int((~known).sum())
    by_stage, words = stage_survival(cohort, table, month)
    usable = known if by_stage is None else known & np.isfinite(by_stage)
    if not usable.any():
        return Decision(month, None, left_out, words, f"no patient has an estimate at month {month:g}")
    rules = {MODEL: 1 - survival[usable]}
    if by_stage is not None:
        rules[STAGE] = 1 - by_stage[usable]
    repeats = repeats if usable.sum() <= MOST_BOOTSTRAPPED else 40
    try:
        curve = decision_curve(time[usable], event[usable], dict(rules), month, THRESHOLDS, repeats)
    except PrognoscopeError as error:
        return Decision(month, None, left_out, words, error.found)
    behind = pd.DataFrame({"time": time[usable], "event": event[usable].astype(int), **rules})
    return Decision(month, curve, left_out, words, behind=behind.sort_values(MODEL, ignore_index=True))


def stage_survival(cohort: Cohort, table: pd.DataFrame, month: float) -> tuple[FloatArray | None, str]:
    """(n,) S(month) by stage alone of each row of ``table``, from the other folds, with words; None without a stage."""
    column = stage_column(cohort)
    if column is None:
        return None, "no stage-only rule: the cohort has no stage"
    stage = cohort.patients[column].reindex(table["id"]).astype(object).to_numpy()
    time, event = table["time"].to_numpy(dtype=float), table["event"].to_numpy() == 1
    fold, found, pooled = table["fold"].to_numpy(), np.full(len(table), np.nan), 0
    for k in np.unique(fold):
        train, test = fold != k, fold == k
        everybody = float(kaplan_meier_null(time[train], event[train], np.array([month]))[0])
        for level in pd.unique(stage[test]):
            here = test & (pd.isna(stage) if pd.isna(level) else stage == level)
            curve = kaplan_meier(time[train & (stage == level)], event[train & (stage == level)])
            at = survival_at(curve, month).value if at_risk_at(curve, month) >= FEWEST_OF_STAGE else None
            pooled += int(here.sum()) if at is None else 0
            found[here] = everybody if at is None else at
    words = f"{cohort.label(column)} alone: Kaplan-Meier of the training patients of the same stage, fold by fold"
    rare = f"; {pooled} of {len(table)} patients, of an unknown or rare stage, take the curve of all stages"
    return found, words + (rare if pooled else "")


def decision_table(decision: Decision) -> pd.DataFrame:
    """The drawn numbers: one row a threshold and rule."""
    curve = decision.curve
    if curve is None:
        return pd.DataFrame(columns=["threshold", "rule", "net benefit", "low", "high", "share flagged"])
    rows = []
    for name, rule in [*curve.rules.items(), ("all", curve.everybody), (LEAD, curve.lead)]:
        rows.append(
            pd.DataFrame({"threshold": curve.thresholds, "rule": name, "net benefit": rule.value, "low": rule.low,
                          "high": rule.high, "share flagged": rule.flagged})
        )  # fmt: skip
    nobody = pd.DataFrame({"threshold": curve.thresholds, "rule": "none", "net benefit": 0.0, "share flagged": 0.0})
    return pd.concat([*rows, nobody], ignore_index=True)


def useful_range(curve: DecisionCurve) -> tuple[float, float] | None:
    """The longest run of thresholds at which the run's net benefit is the largest of all rules drawn, or None."""
    return _longest(curve.thresholds, curve.lead.value > 1e-12)


def sure_range(curve: DecisionCurve) -> tuple[float, float] | None:
    """The same where the 95 % interval of the lead over the best other rule excludes 0."""
    return _longest(curve.thresholds, curve.lead.low > 1e-12)


def _longest(thresholds: FloatArray, wins: BoolArray) -> tuple[float, float] | None:
    best: tuple[int, int] = (0, 0)
    begin = None
    for i, won in enumerate([*wins, False]):
        if won and begin is None:
            begin = i
        elif not won and begin is not None:
            best, begin = max(best, (begin, i), key=lambda r: r[1] - r[0]), None
    return (float(thresholds[best[0]]), float(thresholds[best[1] - 1])) if best[1] > best[0] else None


def decision_sentence(decision: Decision) -> str:
    """Where the run's curve is the highest, and where that is beyond chance, in words."""
    curve = decision.curve
    if curve is None:
        return f"No decision curve: {decision.note}."
    others = "acting on all, on nobody" + (" and on the stage alone" if STAGE in curve.rules else "")
    found, sure = useful_range(curve), sure_range(curve)
    if found is None:
        return f"At no threshold drawn does the run have a higher net benefit than {others}."
    words = f"The run's net benefit is higher than that of {others} {_at(found)}"
    if sure is None:
        return f"{words}; at none of them does the 95 % interval of the difference exclude 0."
    return f"{words}; the 95 % interval of the difference excludes 0 {_at(sure)}."


def _at(found: tuple[float, float]) -> str:
    low, high = (f"{100 * v:g} %" for v in found)
    return f"at a threshold of {low}" if low == high else f"at thresholds from {low} to {high}"
