"""Runs side by side on the same patients: every metric with its interval, every difference paired."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from core.analysis.metric_samples import Metric, Shared, metrics_of, samples_of
from core.analysis.shared_patients import Refusal, share
from core.arrays import FloatArray
from core.errors import PrognoscopeError
from core.results.comparing import difference_over_folds
from core.results.prediction import Predictions
from core.results.run import Run
from core.statistics.comparison import holm, interval_of
from core.statistics.estimate import Estimate

NOT_ESTIMABLE = "too few events or patients at risk"


@dataclass(frozen=True)
class FoldTest:
    """Mean C difference over folds and seeds, its interval and p-value (Nadeau and Bengio), and p after Holm."""

    mean: float
    low: float
    high: float
    p: float
    p_adjusted: float


@dataclass(frozen=True)
class Compared:
    """One run among the compared.

    ``values`` metric key → value on the shared patients with its 95 % interval · ``differences`` the same of this run
    minus the baseline, paired; empty for the baseline · ``folds`` the fold-by-fold test; None for the baseline.
    """

    run: Run
    values: Mapping[str, Estimate]
    differences: Mapping[str, Estimate] = field(default_factory=dict)
    folds: FoldTest | None = None


@dataclass(frozen=True, eq=False)
class RunComparison:
    """Runs compared on the patients all of them predicted.

    ``predictions`` run id → seed ensemble of the shared patients, in the order of ``ids`` · ``metrics`` in the order of
    a table · ``refused`` the runs that could not be compared, with the reason.
    """

    baseline: str
    compared: tuple[Compared, ...]
    refused: tuple[Refusal, ...]
    ids: tuple[str, ...]
    n_events: int
    metrics: tuple[Metric, ...]
    predictions: Mapping[str, Predictions]

    @property
    def synthetic(self) -> bool:
        return any(c.run.synthetic for c in self.compared)

    def of(self, run_id: str) -> Compared:
        """The compared run of this id."""
        return next(c for c in self.compared if c.run.id == run_id)


def compare_runs(
    runs: tuple[Run, ...], predictions: Mapping[str, Predictions], baseline: str, ids: frozenset[str] | None = None
) -> RunComparison:
    """Compare runs with the one called ``baseline``.

    Parameters
    ----------
    runs : two or more
    predictions : run id → all of its out-of-fold predictions
    baseline : str
        Id of the run the others are subtracted from (run minus baseline).
    ids : pseudonyms, optional
        Compare on these patients only.

    Raises
    ------
    PrognoscopeError
        For fewer than two runs, or when none can be compared with the baseline (the first reason is given).
    """
    if len(runs) < 2:
        raise PrognoscopeError("fewer than two runs", "the comparison", "choose at least two runs")
    ordered = tuple(sorted(runs, key=lambda run: run.id != baseline))
    kept, refused, names = share(ordered, predictions, ids)
    if len(kept) < 2:
        raise PrognoscopeError(
            refused[0].reason if refused else "no run to compare", "the chosen runs", "choose other runs"
        )
    ensembles = {run.id: _rows(predictions[run.id].ensemble(), names) for run in kept}
    shared = Shared.of(tuple(ensembles.values()))
    metrics = metrics_of(shared, kept)
    samples = {m.key: {i: samples_of(m, shared, e) for i, e in ensembles.items()} for m in metrics}
    compared = [_compared(run, kept[0].id, metrics, samples) for run in kept]
    tested = _tested({run.id: predictions[run.id] for run in kept}, names)
    return RunComparison(
        kept[0].id,
        tuple(replace(c, folds=tested.get(c.run.id)) for c in compared),
        refused,
        names,
        int(shared.event.sum()),
        metrics,
        ensembles,
    )


def _rows(ensemble: Predictions, ids: tuple[str, ...]) -> Predictions:
    """An ensemble's rows of these patients, in their order."""
    place = {name: row for row, name in enumerate(ensemble.table["id"])}
    rows = np.array([place[i] for i in ids], dtype=np.int64)
    return Predictions(
        ensemble.table.iloc[rows].reset_index(drop=True), ensemble.times, ensemble.survival[rows], ensemble.in_sample
    )


def _compared(
    run: Run, baseline: str, metrics: tuple[Metric, ...], samples: Mapping[str, Mapping[str, tuple[float, FloatArray]]]
) -> Compared:
    values, differences = {}, {}
    for metric in metrics:
        mean, drawn = samples[metric.key][run.id]
        values[metric.key] = _estimate(mean, drawn)
        if run.id != baseline:
            other, drawn_other = samples[metric.key][baseline]
            differences[metric.key] = _estimate(mean - other, drawn - drawn_other)
    return Compared(run, values, differences)


def _estimate(mean: float, drawn: FloatArray) -> Estimate:
    if not np.isfinite(mean):
        return Estimate(None, note=NOT_ESTIMABLE)
    if not len(drawn):
        return Estimate(mean, note="no interval for so many patients")
    found = interval_of(mean, drawn)
    low, high = (None if np.isnan(v) else v for v in (found.low, found.high))
    return Estimate(mean, low, high)


def _tested(predictions: Mapping[str, Predictions], ids: tuple[str, ...]) -> dict[str, FoldTest]:
    """Each run against the first, fold by fold; Holm's correction over those that have a p-value."""
    kept = {i: _only(p, ids) for i, p in predictions.items()}
    first, *others = kept
    found = {i: difference_over_folds(kept[i], kept[first]) for i in others}
    known = [i for i in others if np.isfinite(found[i].p)]
    adjusted = dict(zip(known, holm([found[i].p for i in known]), strict=True))
    return {i: FoldTest(t.mean, t.low, t.high, t.p, float(adjusted.get(i, np.nan))) for i, t in found.items()}


def _only(predictions: Predictions, ids: tuple[str, ...]) -> Predictions:
    keep = predictions.table["id"].isin(set(ids)).to_numpy()
    table = predictions.table[keep].reset_index(drop=True)
    return Predictions(table, predictions.times, predictions.survival[keep], predictions.in_sample)
