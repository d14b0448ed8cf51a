"""Concordance of a run on several cancers: pairs within a fold and within a cancer, and the mean over the cancers.

A pan-cancer cohort's plain C-index rewards knowing which cancer kills faster; that is no prognosis within any of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from core.arrays import BoolArray
from core.results.evaluation import concordance
from core.results.prediction import Predictions
from core.results.run import Metric
from core.statistics.comparison import Interval, bootstrap_weights, interval_of
from core.statistics.discrimination import harrell_c, harrell_c_repeats


@dataclass(frozen=True)
class CancerRow:
    """One cancer of a run: how many patients and events, and Harrell's C within it."""

    cancer: str
    patients: int
    events: int
    harrell_c: Metric


@dataclass(frozen=True)
class ByCancer:
    """``rows`` every cancer in alphabetical order · ``mean`` the mean of their C-indices, each cancer counting alike;
    its interval resamples the patients of all cancers together."""

    rows: tuple[CancerRow, ...]
    mean: Metric


def by_cancer(predictions: Predictions, cancers: Mapping[str, str], repeats: int = 1000) -> ByCancer:
    """Evaluate every cancer by itself.

    Parameters
    ----------
    predictions : Predictions
        Every patient once per seed; those without a cancer take no part.
    cancers : mapping of pseudonym to cancer
    repeats : int
        Bootstrap repeats.
    """
    named = predictions.table["id"].map(cancers)
    rows = []
    for cancer in sorted(named.dropna().unique()):
        part = rows_of(predictions, (named == cancer).to_numpy())
        table = part.ensemble().table
        rows.append(CancerRow(cancer, len(table), int((table["event"] == 1).sum()), _within(part, repeats)))
    return ByCancer(tuple(rows), _mean(rows_of(predictions, named.notna().to_numpy()), cancers, rows, repeats))


def _within(part: Predictions, repeats: int) -> Metric:
    """C of one cancer; None, with the reason, where no two patients of a fold can be compared."""
    table = part.ensemble().table
    arrays = table["time"].to_numpy(dtype=float), table["event"].to_numpy() == 1, table["risk"].to_numpy(dtype=float)
    if not np.isfinite(harrell_c(*arrays, table["fold"].to_numpy())):
        return Metric(None, note="no comparable pair")
    return replace(concordance(part, repeats), note="pairs within a fold and within the cancer")


def rows_of(predictions: Predictions, keep: BoolArray) -> Predictions:
    """The predictions of some rows."""
    return Predictions(predictions.table[keep].reset_index(drop=True), predictions.times, predictions.survival[keep])


def _mean(predictions: Predictions, cancers: Mapping[str, str], rows: list[CancerRow], repeats: int) -> Metric:
    known = [r.harrell_c for r in rows if r.harrell_c.mean is not None]
    if not known:
        return Metric(None, note="no cancer has a comparable pair")
    table = predictions.ensemble().table
    cancer = table["id"].map(cancers).to_numpy()
    time, event = table["time"].to_numpy(dtype=float), table["event"].to_numpy() == 1
    risk, fold = table["risk"].to_numpy(dtype=float), table["fold"].to_numpy()
    weights = bootstrap_weights(len(time), repeats)
    samples = []
    for row in rows:
        if row.harrell_c.mean is not None:
            at = np.flatnonzero(cancer == row.cancer)
            samples.append(harrell_c_repeats(time[at], event[at], risk[at], weights[:, at], fold[at]))
    each = np.stack(samples)
    mean = float(np.mean([m.mean for m in known if m.mean is not None]))
    interval = interval_of(mean, each[:, np.isfinite(each).all(axis=0)].mean(axis=0))
    single = [m.seed_fold_mean for m in known if m.seed_fold_mean is not None and np.isfinite(m.seed_fold_mean)]
    low, high = (float(v) if np.isfinite(v) else None for v in (interval.low, interval.high))
    note = f"mean over {len(known)} cancers, each counting alike"
    return Metric(mean, None, low, high, float(np.mean(single)) if single else None, note)


def mean_difference(
    first: Predictions, second: Predictions, cancers: Mapping[str, str], repeats: int = 1000
) -> Interval:
    """Mean over cancers of the C within each, first minus second, with the paired bootstrap interval over patients.

    Only patients that both predicted count; a cancer without a comparable pair takes no part.
    """
    a, b = (p.ensemble().table.set_index("id") for p in (first, second))
    shared = [i for i in a.index.intersection(b.index) if i in cancers]
    a, b = a.loc[shared], b.loc[shared]
    cancer = np.array([cancers[i] for i in shared])
    time, event = a["time"].to_numpy(dtype=float), a["event"].to_numpy() == 1
    folds = (a["fold"].to_numpy(), b["fold"].to_numpy())
    weights = np.concatenate([np.ones((1, len(time)), dtype=np.int64), bootstrap_weights(len(time), repeats)])
    differences = []
    for name in np.unique(cancer):
        at = np.flatnonzero(cancer == name)
        c, d = (
            harrell_c_repeats(time[at], event[at], t["risk"].to_numpy(dtype=float)[at], weights[:, at], fold[at])
            for t, fold in zip((a, b), folds, strict=True)
        )
        if np.isfinite(c[0] - d[0]):
            differences.append(c - d)
    each = np.stack(differences)
    samples = each[:, 1:][:, np.isfinite(each[:, 1:]).all(axis=0)].mean(axis=0)
    return interval_of(float(each[:, 0].mean()), samples)
