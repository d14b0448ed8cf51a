"""The metrics of out-of-fold predictions, each with its interval.

Ranking metrics count pairs within a fold only: risks of different folds come from different models. The value is that
of the seed ensemble; the mean and standard deviation over every single seed and fold stand beside it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from core.arrays import BoolArray, FloatArray, IntArray
from core.results.prediction import Predictions
from core.results.run import Metric, Metrics
from core.statistics.brier import integrated_brier, kaplan_meier_null
from core.statistics.calibration import calibration_slope, d_calibration, ici
from core.statistics.comparison import bootstrap_harrell_c, bootstrap_interval
from core.statistics.discrimination import auc_ipcw, auc_naive, follow_up_tau, harrell_c, uno_c

FEWEST_EVENTS = 5


@dataclass(frozen=True)
class Repeats:
    """Bootstrap repeats: Harrell's C is cheap, the weighted metrics are not."""

    harrell: int = 1000
    other: int = 200
    calibration: int = 50


@dataclass(frozen=True, eq=False)
class _Rows:
    """Columns of an ensemble's table as arrays."""

    time: FloatArray
    event: BoolArray
    risk: FloatArray
    fold: IntArray

    @classmethod
    def of(cls, predictions: Predictions) -> _Rows:
        table = predictions.table
        return cls(
            table["time"].to_numpy(dtype=float),
            table["event"].to_numpy() == 1,
            table["risk"].to_numpy(dtype=float),
            table["fold"].to_numpy(dtype=np.int64),
        )


def evaluate(
    predictions: Predictions,
    horizons: tuple[float, ...],
    repeats: Repeats | None = None,
    null: tuple[FloatArray, BoolArray] | None = None,
) -> Metrics:
    """All metrics of a run.

    Parameters
    ----------
    predictions : Predictions
        Every patient once per seed. Competing events end observation like censoring (cause-specific evaluation).
    horizons : months at which AUC, slope and ICI are reported
    repeats : Repeats, optional
    null : (m,) times and (m,) events, optional
        Training patients whose Kaplan-Meier curve is the null of patients no fold was trained on; the other folds of
        the predictions themselves when not given.
    """
    repeats = repeats or Repeats()
    ensemble = predictions.ensemble()
    rows = _Rows.of(ensemble)
    uno, tau = _uno(rows, repeats.other)
    ibs, ibs_null = _brier(ensemble, rows, repeats.other, null)
    d = _d_calibration(ensemble, rows)
    at = {f"{h:g}": h for h in horizons}
    return Metrics(
        harrell_c=concordance(predictions, repeats.harrell),
        uno_c=uno,
        ibs=ibs,
        ibs_kaplan_meier=ibs_null,
        auc={k: _auc(auc_ipcw, rows, h, repeats.other) for k, h in at.items()},
        auc_naive={k: _auc(auc_naive, rows, h, repeats.other) for k, h in at.items()},
        d_calibration_p=d,
        calibration_slope={k: _slope(ensemble, rows, h) for k, h in at.items()},
        ici={k: _ici(ensemble, rows, h, repeats.calibration) for k, h in at.items()},
        tau=tau,
    )


def concordance(predictions: Predictions, repeats: int = 1000) -> Metric:
    """Harrell's C alone: of the seed ensemble over pairs within a fold, with the spread over seeds and folds."""
    rows = _Rows.of(predictions.ensemble())
    single = np.array(list(fold_seed_cs(predictions).values()))
    c = bootstrap_harrell_c(rows.time, rows.event, rows.risk, rows.fold, repeats)
    mean, std = float(np.nanmean(single)), float(np.nanstd(single))
    return Metric(c.mean, std, _finite(c.low), _finite(c.high), mean, "pairs within a fold, ties in risk count half")


def fold_seed_cs(predictions: Predictions) -> Mapping[tuple[int, int], float]:
    """Harrell's C of every single (fold, seed); NaN where a fold has no comparable pair."""
    found = {}
    for (fold, seed), part in predictions.table.groupby(["fold", "seed"]):
        arrays = part["time"].to_numpy(), part["event"].to_numpy() == 1, part["risk"].to_numpy()
        found[int(fold), int(seed)] = harrell_c(*arrays)
    return found


def _finite(value: float | None) -> float | None:
    return None if value is None or not np.isfinite(value) else float(value)


def _ranking(statistic: Callable[[IntArray], float], rows: _Rows, repeats: int) -> Metric:
    interval = bootstrap_interval(statistic, len(rows.time), repeats)
    return Metric(_finite(interval.mean), low=_finite(interval.low), high=_finite(interval.high))


def _uno(rows: _Rows, repeats: int) -> tuple[Metric, float | None]:
    """Uno's C and its tau; not estimable when no event comes before the 80 % quantile of follow-up."""
    if not (rows.time[rows.event] < np.quantile(rows.time, 0.8)).any():
        return Metric(None, note="not estimable: no event before the 80 % quantile of follow-up"), None
    tau = follow_up_tau(rows.time, rows.event)
    found = _ranking(lambda r: uno_c(rows.time[r], rows.event[r], rows.risk[r], tau, rows.fold[r]), rows, repeats)
    return replace(found, note=f"tau = {tau:.1f} months (80 % quantile of follow-up)"), tau


def _estimable(rows: _Rows, month: float) -> str:
    """Why nothing can be said at this month, or ''."""
    events = int((rows.event & (rows.time <= month)).sum())
    if events < FEWEST_EVENTS:
        return f"not estimable: {events} events by month {month:g}"
    later = int((rows.time > month).sum())
    return "" if later >= 20 else f"not estimable: {later} patients followed beyond month {month:g}, fewer than 20"


def _auc(function: Callable[..., float], rows: _Rows, month: float, repeats: int) -> Metric:
    reason = _estimable(rows, month)
    if reason:
        return Metric(None, note=reason)
    return _ranking(lambda r: function(rows.time[r], rows.event[r], rows.risk[r], month, rows.fold[r]), rows, repeats)


def _brier(
    ensemble: Predictions, rows: _Rows, repeats: int, trained: tuple[FloatArray, BoolArray] | None
) -> tuple[Metric, Metric]:
    """IBS of the ensemble and of the Kaplan-Meier curve of each training fold, over the same months."""
    columns = np.isfinite(ensemble.survival).all(axis=0)
    times, survival = ensemble.times[columns], ensemble.survival[:, columns]
    null = np.empty_like(survival)
    for fold in np.unique(rows.fold):
        train = rows.fold != fold
        time, event = trained if trained is not None else (rows.time[train], rows.event[train])
        null[rows.fold == fold] = kaplan_meier_null(time, event, times)
    whole = integrated_brier(rows.time, rows.event, survival, times)
    if whole.value is None:
        return Metric(None, note=whole.note), Metric(None, note=whole.note)
    note = f"months {whole.start:g} to {whole.end:g}"
    used = (times >= (whole.start or 0)) & (times <= (whole.end or 0))

    def metric(curves: FloatArray) -> Metric:
        def of(r: IntArray) -> float:
            value = integrated_brier(rows.time[r], rows.event[r], curves[r][:, used], times[used]).value
            return float("nan") if value is None else value

        interval = bootstrap_interval(of, len(rows.time), repeats)
        return Metric(_finite(interval.mean), low=_finite(interval.low), high=_finite(interval.high), note=note)

    return metric(survival), metric(null)


def _d_calibration(ensemble: Predictions, rows: _Rows) -> Metric:
    result = d_calibration(rows.time, rows.event, ensemble.survival, ensemble.times)
    return Metric(_finite(result.p), note=f"chi-squared {result.statistic:.1f}, 10 bins")


def _slope(ensemble: Predictions, rows: _Rows, month: float) -> Metric:
    known, reason = _with_survival(ensemble, rows, month)
    if reason:
        return Metric(None, note=reason)
    predicted = ensemble.survival_at(month)[known]
    slope = calibration_slope(rows.time[known], rows.event[known], predicted, month)
    return Metric(_finite(slope.value), low=_finite(slope.low), high=_finite(slope.high), note=slope.note)


def _ici(ensemble: Predictions, rows: _Rows, month: float, repeats: int) -> Metric:
    known, reason = _with_survival(ensemble, rows, month)
    if reason:
        return Metric(None, note=reason)
    time, event, predicted = rows.time[known], rows.event[known], ensemble.survival_at(month)[known]

    def of(r: IntArray) -> float:
        value = ici(time[r], event[r], predicted[r], month).value
        return float("nan") if value is None else value

    interval = bootstrap_interval(of, len(time), repeats)
    return Metric(_finite(interval.mean), low=_finite(interval.low), high=_finite(interval.high))


def _with_survival(ensemble: Predictions, rows: _Rows, month: float) -> tuple[BoolArray, str]:
    """Patients whose S(month) is estimable, and why there are too few of them, or ''."""
    known: BoolArray = np.isfinite(ensemble.survival_at(month))
    reason = _estimable(rows, month)
    if not reason and not known.all():
        reason = f"not estimable: S({month:g}) lies beyond the bins of a training fold"
    return known, reason
