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


METRIC = "Metric"


def metrics_table(comparison: RunComparison, names: Mapping[str, str]) -> pd.DataFrame:
    """One row a metric, one column a run with its intervals; the baseline first. The first row names the numbers."""
    columns: dict[str, list[str]] = {METRIC: ["Predictions", *(m.label for m in comparison.metrics)]}
    for item in comparison.compared:
        name = names[item.run.id] + (" (baseline)" if item.run.id == comparison.baseline else "")
        found = [item.values[m.key] for m in comparison.metrics]
        kind = badge(item.run.protocol, comparison.predictions[item.run.id].in_sample)
        columns[name] = [kind, *(interval(e.value, e.low, e.high, 3) for e in found)]
    return pd.DataFrame(columns)


def differences_table(comparison: RunComparison, names: Mapping[str, str]) -> pd.DataFrame:
    """One row a metric and one for each part of the test, one column a run: that run minus the baseline, paired.

    With several runs beside the baseline a last row holds the p-values after Holm's correction.
    """
    several = len(comparison.compared) > 2
    test = ("Harrell C, mean over folds", "Test over folds", *(["Holm-corrected"] if several else []))
    columns: dict[str, list[str]] = {METRIC: [*(m.label for m in comparison.metrics), *test]}
    for item in comparison.compared:
        if item.folds is None:
            continue
        found = [item.differences[m.key] for m in comparison.metrics]
        folds = item.folds
        columns[f"{names[item.run.id]} minus baseline"] = [
            *(interval(e.value, e.low, e.high, 3) for e in found),
            interval(folds.mean, _finite(folds.low), _finite(folds.high), 3),
            p_value(_finite(folds.p)),
            *([p_value(_finite(folds.p_adjusted))] if several else []),
        ]
    return pd.DataFrame(columns)


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
