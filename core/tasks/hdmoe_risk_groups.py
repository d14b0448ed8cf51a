"""High and low predicted risk out of fold: the survival of the groups, and the risk of those who died and lived.

The paper forms its groups "based on the median survival time". Taken literally that splits patients by the very times
whose difference is then tested (MODELS.md 1.1.3, item 11): the log-rank test is significant with no model at all. Here
the groups are cut at the median predicted risk of each fold's *training* patients.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from core.analysis.group_survival import GroupSurvival, SurvivalOptions, analyse_groups
from core.analysis.grouping import Grouping
from core.analysis.outcome import Outcome, make_outcome
from core.arrays import FloatArray
from core.cohort.cohort import Cohort
from core.statistics.logrank import logrank_test
from core.statistics.two_groups import TwoGroups, two_groups
from core.tasks.cells import Cell

NAMES = ("Lower risk", "Higher risk")


@dataclass(frozen=True, eq=False)
class RiskGroups:
    """One cohort.

    ``survival`` the two groups' curves and tests · ``month`` the median follow-up time · ``died``, ``alive``
    standardised risks of those who died by that month and of those known to live beyond it · ``unknown`` patients
    censored before it · ``circular_p`` the log-rank p of patients split by their own observed time.
    """

    survival: GroupSurvival
    month: float
    died: FloatArray
    alive: FloatArray
    unknown: int
    by_status: TwoGroups
    circular_p: float | None


def risk_groups_of(cell: Cell, cohort: Cohort) -> RiskGroups:
    """Groups and tests from a cell's out-of-fold predictions (mean over its seeds)."""
    outcome = make_outcome(cohort, np.arange(len(cohort)))
    risk = _standardised(cell, outcome)
    outcome, risk = outcome.take(np.isfinite(risk)), risk[np.isfinite(risk)]
    grouping = Grouping("predicted risk (HDMoE)", NAMES, (risk > 0).astype(np.int64), "out-of-fold")
    month = float(np.median(outcome.time))
    died, alive = outcome.event & (outcome.time <= month), outcome.time > month
    late = np.where(outcome.time > month, "late", "early")
    return RiskGroups(
        analyse_groups(outcome, grouping, SurvivalOptions()),
        month,
        risk[died],
        risk[alive],
        int((~died & ~alive).sum()),
        two_groups(risk[died], risk[alive]),
        logrank_test(outcome.time, outcome.event, late).p,
    )


def _standardised(cell: Cell, outcome: Outcome) -> FloatArray:
    """Risk on the scale of each fold's training patients: 0 at their median, 1 the distance of their tertiles.

    Risks of different folds come from different models and have no common scale without this. NaN = not predicted.
    """
    table = cell.predictions.ensemble().table.set_index("id").reindex(list(outcome.ids))
    scaled = np.full(len(outcome), np.nan)
    for fold, limits in cell.thresholds.items():
        rows = (table["fold"] == int(fold)).to_numpy()
        width = limits["high_tertile"] - limits["low_tertile"]
        scaled[rows] = (table["risk"].to_numpy(dtype=float)[rows] - limits["median"]) / width
    return scaled
