"""The patients behind a metric of compared runs, unnamed and in an order that says nothing."""

from __future__ import annotations

import numpy as np
import pandas as pd

from core.analysis.metric_samples import Metric, Shared
from core.analysis.quality_behind import month_columns
from core.analysis.run_comparison import RunComparison
from core.statistics.discrimination import follow_up_tau


def forest_behind(comparison: RunComparison, metric: Metric) -> pd.DataFrame:
    """A row a run and shared patient.

    Returns
    -------
    DataFrame
        ``run`` · ``fold`` · ``time`` months · ``event`` · ``risk``; of the integrated Brier score instead of ``risk``
        S at every month that all runs state.
    """
    shared = Shared.of(tuple(comparison.predictions.values()))
    parts = []
    for item in comparison.compared:
        ensemble = comparison.predictions[item.run.id]
        table = pd.DataFrame(
            {"run": item.run.id, "fold": shared.fold, "time": shared.time, "event": shared.event.astype(int)}
        )
        if metric.key == "ibs":
            survival = np.stack([ensemble.survival_at(month) for month in shared.times], axis=1)
            table = pd.concat([table, pd.DataFrame(survival, columns=month_columns(shared.times))], axis=1)
        else:
            table["risk"] = ensemble.table["risk"].to_numpy(dtype=float)
        parts.append(table.sort_values(table.columns[2:].to_list()))
    return pd.concat(parts, ignore_index=True)


def metric_month(comparison: RunComparison, metric: Metric) -> float:
    """The month an AUC is taken at, the month up to which Uno's C counts; 0 for the others."""
    if metric.key == "uno_c":
        shared = Shared.of(tuple(comparison.predictions.values()))
        return follow_up_tau(shared.time, shared.event)
    return metric.month or 0.0
