"""A comparison of runs as tables to read, and as the numbers a figure draws."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from core.analysis.comparisons import interval, p_value
from core.analysis.run_comparison import RunComparison
from core.results.naming import badge, model_words
from core.results.run import Run


def run_names(runs: tuple[Run, ...]) -> dict[str, str]:
    """A short name for each run that no other of them has: the model, then what it read, then the end of its id."""
    short = {run.id: model_words(run.model) for run in runs}
    if len(set(short.values())) < len(runs):
        short = {run.id: f"{model_words(run.model)}, {' + '.join(run.modalities)}" for run in runs}
    counts = pd.Series(list(short.values())).value_counts()
    return {i: f"{words} ({i.rpartition('-')[2]})" if counts[words] > 1 else words for i, words in short.items()}


def metrics_table(comparison: RunComparison, names: Mapping[str, str]) -> pd.DataFrame:
    """One row a run, one column a metric with its interval; the baseline first."""
    rows = []
    for item in comparison.compared:
        row = {"Run": names[item.run.id]}
        if item.run.id == comparison.baseline:
            row["Run"] += " (baseline)"
        row["Numbers are"] = badge(item.run.protocol, comparison.predictions[item.run.id].in_sample)
        for metric in comparison.metrics:
            found = item.values[metric.key]
            row[metric.label] = interval(found.value, found.low, found.high, 3)
        rows.append(row)
    return pd.DataFrame(rows)


def differences_table(comparison: RunComparison, names: Mapping[str, str]) -> pd.DataFrame:
    """One row a run other than the baseline: run minus baseline, paired on the same patients."""
    rows = []
    for item in comparison.compared:
        if item.run.id == comparison.baseline:
            continue
        row = {"Run minus baseline": names[item.run.id]}
        for metric in comparison.metrics:
            found = item.differences[metric.key]
            row[metric.label] = interval(found.value, found.low, found.high, 3)
        if item.folds is not None:
            low, high = _finite(item.folds.fold_low), _finite(item.folds.fold_high)
            row["Harrell C, mean over folds"] = interval(item.folds.fold_mean, low, high, 3)
            row["Test over folds"] = p_value(_finite(item.folds.p))
            row["Holm-corrected"] = p_value(_finite(item.folds.p_adjusted))
        rows.append(row)
    return pd.DataFrame(rows)


def _finite(value: float) -> float | None:
    return value if np.isfinite(value) else None


def forest_numbers(comparison: RunComparison, names: Mapping[str, str], key: str) -> pd.DataFrame:
    """The drawn numbers of the forest figure of one metric."""
    rows = []
    for item in comparison.compared:
        value, other = item.values[key], item.differences.get(key)
        rows.append(
            {
                "run": item.run.id, "name": names[item.run.id], "value": value.value, "low": value.low,
                "high": value.high, "difference": other.value if other else None,
                "difference_low": other.low if other else None, "difference_high": other.high if other else None,
            }
        )  # fmt: skip
    return pd.DataFrame(rows)
