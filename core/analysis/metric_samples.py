"""A metric of one run on the shared patients, and the same metric on bootstrap samples of them.

All runs see the same samples of the same patients, so the difference of two runs' samples is the paired bootstrap.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from core.analysis.model_quality import FEWEST_AT_RISK, FEWEST_EVENTS, MOST_BOOTSTRAPPED
from core.arrays import BoolArray, FloatArray, IntArray
from core.results.prediction import Predictions
from core.results.run import Run
from core.statistics.brier import integrated_brier
from core.statistics.comparison import bootstrap_rows, bootstrap_weights
from core.statistics.discrimination import auc_ipcw, follow_up_tau, harrell_c, harrell_c_repeats, uno_c

REPEATS, WEIGHTED_REPEATS = 1000, 200


@dataclass(frozen=True)
class Metric:
    """``key`` e.g. ``"auc:36"`` · ``label`` for a table · ``higher`` True when more is better · ``month`` of an AUC."""

    key: str
    label: str
    higher: bool = True
    month: float | None = None
    note: str = ""


@dataclass(frozen=True, eq=False)
class Shared:
    """Outcomes and folds of the ``n`` shared patients, and the months at which every run states their survival."""

    time: FloatArray
    event: BoolArray
    fold: IntArray
    times: FloatArray

    @classmethod
    def of(cls, ensembles: Sequence[Predictions]) -> Shared:
        """Those of the runs' ensembles, row for row the same patients."""
        table, times = ensembles[0].table, ensembles[0].times
        time, event = table["time"].to_numpy(dtype=float), table["event"].to_numpy() == 1
        stated = [np.isfinite(e.survival_at(month)).all() for month in times for e in ensembles]
        whole = np.array(stated).reshape(len(times), len(ensembles)).all(axis=1)
        return cls(time, event, table["fold"].to_numpy(dtype=np.int64), times[whole & (times < time.max())])


def metrics_of(shared: Shared, runs: tuple[Run, ...]) -> tuple[Metric, ...]:
    """What can be compared: ranking, Brier score, and AUC at the horizons all runs state."""
    found = [Metric("harrell_c", "Harrell C", note="pairs within a fold")]
    if (shared.time[shared.event] < np.quantile(shared.time, 0.8)).any():
        tau = follow_up_tau(shared.time, shared.event)
        found.append(Metric("uno_c", "Uno C", note=f"up to month {tau:.0f}"))
    if len(shared.times) > 1:
        found.append(Metric("ibs", "Integrated Brier score", higher=False, note="lower is better"))
    months = sorted(set.intersection(*(set(run.horizons) for run in runs)))
    estimable = [m for m in months if _estimable(shared, m)]
    return (*found, *(Metric(f"auc:{m:g}", f"AUC at month {m:g}", month=m) for m in estimable))


def _estimable(shared: Shared, month: float) -> bool:
    events = int((shared.event & (shared.time <= month)).sum())
    return events >= FEWEST_EVENTS and int((shared.time > month).sum()) >= FEWEST_AT_RISK


def samples_of(metric: Metric, shared: Shared, ensemble: Predictions) -> tuple[float, FloatArray]:
    """The metric of all shared patients, and (r,) of bootstrap samples of them (the same ones for every run)."""
    risk, n = ensemble.table["risk"].to_numpy(dtype=float), len(shared.time)
    if metric.key == "harrell_c":
        weights = bootstrap_weights(n, REPEATS if n <= MOST_BOOTSTRAPPED else WEIGHTED_REPEATS)
        mean = harrell_c(shared.time, shared.event, risk, shared.fold)
        return mean, harrell_c_repeats(shared.time, shared.event, risk, weights, shared.fold)
    statistic = _statistic(metric, shared, ensemble, risk)
    mean = statistic(np.arange(n))
    if n > MOST_BOOTSTRAPPED or not np.isfinite(mean):
        return mean, np.zeros(0)
    return mean, np.array([statistic(rows) for rows in bootstrap_rows(n, WEIGHTED_REPEATS)])


def _statistic(metric: Metric, shared: Shared, ensemble: Predictions, risk: FloatArray) -> Callable[[IntArray], float]:
    time, event, fold = shared.time, shared.event, shared.fold
    if metric.key == "uno_c":
        tau = follow_up_tau(time, event)
        return lambda rows: uno_c(time[rows], event[rows], risk[rows], tau, fold[rows])
    if metric.month is not None:
        month = metric.month
        return lambda rows: auc_ipcw(time[rows], event[rows], risk[rows], month, fold[rows])
    survival = np.stack([ensemble.survival_at(month) for month in shared.times], axis=1)

    def brier(rows: IntArray) -> float:
        value = integrated_brier(time[rows], event[rows], survival[rows], shared.times).value
        return float("nan") if value is None else value

    return brier
