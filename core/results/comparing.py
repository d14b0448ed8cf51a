"""Two runs on the same patients and folds: the paired difference of their C-index."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from core.errors import PrognoscopeError
from core.results.evaluation import fold_seed_cs
from core.results.prediction import Predictions
from core.statistics.comparison import CorrectedT, holm, nadeau_bengio, paired_harrell_c_difference


@dataclass(frozen=True)
class Difference:
    """Harrell C of the first minus the second.

    ``mean``, ``low``, ``high`` the seed ensembles' difference with its paired bootstrap interval over patients ·
    ``fold_mean``, ``fold_low``, ``fold_high``, ``p`` mean over folds and seeds with the Nadeau-Bengio corrected t ·
    ``patients`` how many both have predicted · ``p_adjusted`` after Holm's correction over all comparisons made
    together (:func:`compare_with_each`), equal to ``p`` for one.
    """

    mean: float
    low: float
    high: float
    fold_mean: float
    fold_low: float
    fold_high: float
    p: float
    patients: int
    p_adjusted: float = float("nan")


def compare_with_each(first: Predictions, others: Mapping[str, Predictions]) -> dict[str, Difference]:
    """The first run against each of the others; Holm's correction over those whose p-value exists."""
    found = {name: compare_predictions(first, other) for name, other in others.items()}
    tested = [name for name, d in found.items() if np.isfinite(d.p)]
    adjusted = dict(zip(tested, holm([found[name].p for name in tested]), strict=True))
    return {name: replace(d, p_adjusted=float(adjusted.get(name, np.nan))) for name, d in found.items()}


def compare_predictions(first: Predictions, second: Predictions) -> Difference:
    """Compare on the patients both have; raises when they share none or have other folds or outcomes."""
    a, b = first.ensemble().table.set_index("id"), second.ensemble().table.set_index("id")
    shared = a.index.intersection(b.index)
    if not len(shared):
        raise PrognoscopeError("no patient in common", "the two runs", "compare runs of one cohort")
    a, b = a.loc[shared], b.loc[shared]
    if not (a["fold"].to_numpy() == b["fold"].to_numpy()).all():
        raise PrognoscopeError("different folds", "the two runs", "compare runs with the same --folds")
    if not (a[["entry", "time", "event"]].to_numpy() == b[["entry", "time", "event"]].to_numpy()).all():
        raise PrognoscopeError("different outcomes", "the two runs", "compare runs with the same --endpoint")
    time, event = a["time"].to_numpy(dtype=float), a["event"].to_numpy() == 1
    paired = paired_harrell_c_difference(
        time, event, a["risk"].to_numpy(), b["risk"].to_numpy(), a["fold"].to_numpy(dtype=np.int64)
    )
    corrected = difference_over_folds(_only(first, shared), _only(second, shared))
    return Difference(
        paired.mean, paired.low, paired.high, corrected.mean, corrected.low, corrected.high, corrected.p, len(shared)
    )


def difference_over_folds(first: Predictions, second: Predictions) -> CorrectedT:
    """Mean C difference over folds and seeds with the Nadeau-Bengio corrected t; both hold the same patients."""
    patients = first.table["id"].nunique()
    tested = patients / max(1, len(first.folds))
    return nadeau_bengio(_fold_seed_differences(first, second), patients - tested, tested)


def _only(predictions: Predictions, ids: pd.Index) -> Predictions:
    """The rows of some patients."""
    keep = predictions.table["id"].isin(ids).to_numpy()
    return Predictions(predictions.table[keep].reset_index(drop=True), predictions.times, predictions.survival[keep])


def _fold_seed_differences(first: Predictions, second: Predictions) -> list[float]:
    """C differences fold by fold; seeds are paired in order, and averaged when their numbers differ."""
    a, b = fold_seed_cs(first), fold_seed_cs(second)
    differences = []
    for fold in first.folds:
        left = [c for (f, _), c in sorted(a.items()) if f == fold and np.isfinite(c)]
        right = [c for (f, _), c in sorted(b.items()) if f == fold and np.isfinite(c)]
        if len(left) == len(right):
            differences += [x - y for x, y in zip(left, right, strict=True)]
        elif left and right:
            differences.append(float(np.mean(left) - np.mean(right)))
    return differences
