"""How good a run's predictions are for the selected patients: calibration, Brier score against the null, AUC(t)."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from core.arrays import BoolArray, FloatArray, IntArray
from core.errors import PrognoscopeError
from core.results.naming import badge
from core.results.prediction import Predictions
from core.statistics.auc_repeats import bootstrap_auc
from core.statistics.brier import IntegratedBrier, brier_score, integrated_brier, kaplan_meier_null
from core.statistics.calibration import (
    CalibrationCurve,
    calibration_curve,
    calibration_groups,
    calibration_slope,
    ici,
)
from core.statistics.discrimination import auc_ipcw
from core.statistics.estimate import Estimate

FEWEST_AT_RISK = 20
FEWEST_EVENTS = 5
REPEATS = 200
MOST_BOOTSTRAPPED = 1500
"""Above this many patients the AUC is given without an interval: it is narrow, and the page must answer at once."""


@dataclass(frozen=True, eq=False)
class HorizonQuality:
    """Quality at one month. ``note`` says why nothing could be estimated; then the numbers are empty.

    ``behind`` a row a patient, unnamed: ``predicted`` S(month), ``time``, ``event``, ``group`` of the calibration.
    """

    month: float
    n: int
    calibration: CalibrationCurve | None
    slope: Estimate
    ici: Estimate
    auc: Estimate
    brier: float | None
    brier_null: float | None
    note: str = ""
    behind: pd.DataFrame = field(default_factory=pd.DataFrame)


@dataclass(frozen=True, eq=False)
class ModelQuality:
    """Quality of one run for the patients it predicted.

    ``times``, ``brier``, ``brier_null`` are (t,) curves over the run's months; ``null`` is the Kaplan-Meier curve of
    each fold's training patients, which knows nothing of the patient. ``ensemble`` are all predictions of the run, one
    row a patient, ``inside`` which of them were evaluated.
    """

    run: str
    badge: str
    n: int
    n_events: int
    horizons: tuple[HorizonQuality, ...]
    times: FloatArray
    brier: FloatArray
    brier_null: FloatArray
    ibs: IntegratedBrier
    ibs_null: IntegratedBrier
    ensemble: Predictions
    inside: BoolArray


@dataclass(frozen=True, eq=False)
class _Rows:
    """The evaluated patients as arrays."""

    time: FloatArray
    event: BoolArray
    risk: FloatArray
    fold: IntArray
    survival: FloatArray
    null: FloatArray


def assess(
    run_id: str, predictions: Predictions, ids: tuple[str, ...], months: tuple[float, ...], protocol: str = "honest"
) -> ModelQuality:
    """Evaluate a run on some of its patients.

    Parameters
    ----------
    predictions : Predictions
        All of the run; the null model of a fold is the Kaplan-Meier curve of its training patients.
    ids : tuple of str
        Pseudonyms of the selected patients; those without a prediction are left out.
    months : tuple of float
        Horizons.
    protocol : str
        Of the run: the numbers of ``"upstream"`` are called optimistic.

    Raises
    ------
    PrognoscopeError
        With fewer than 20 predicted patients or 5 events.
    """
    ensemble = predictions.ensemble()
    inside = ensemble.table["id"].isin(set(ids)).to_numpy()
    event = ensemble.table["event"].to_numpy() == 1
    if inside.sum() < FEWEST_AT_RISK or (event & inside).sum() < FEWEST_EVENTS:
        raise PrognoscopeError(
            f"only {int(inside.sum())} predicted patients with {int((event & inside).sum())} events",
            f"the selection for run {run_id}",
            f"remove filters until there are {FEWEST_AT_RISK} patients and {FEWEST_EVENTS} events",
        )
    rows = _rows(ensemble, inside)
    horizons = tuple(_horizon(rows, ensemble.survival_at(month)[inside], _null_at(ensemble, inside, month), month)
                     for month in months)  # fmt: skip
    curves = _brier_curve(rows, ensemble.times)
    usable = np.isfinite(rows.survival).all(axis=0) & np.isfinite(rows.null).all(axis=0)
    grid = ensemble.times[usable]
    return ModelQuality(
        run=run_id,
        badge=badge(protocol, predictions.in_sample),
        n=len(rows.time),
        n_events=int(rows.event.sum()),
        horizons=horizons,
        times=ensemble.times,
        brier=curves[0],
        brier_null=curves[1],
        ibs=integrated_brier(rows.time, rows.event, rows.survival[:, usable], grid),
        ibs_null=integrated_brier(rows.time, rows.event, rows.null[:, usable], grid),
        ensemble=ensemble,
        inside=inside,
    )


def _rows(ensemble: Predictions, inside: BoolArray) -> _Rows:
    table = ensemble.table[inside]
    return _Rows(
        table["time"].to_numpy(dtype=float),
        table["event"].to_numpy() == 1,
        table["risk"].to_numpy(dtype=float),
        table["fold"].to_numpy(dtype=np.int64),
        ensemble.survival[inside],
        null_curves(ensemble, ensemble.times)[inside],
    )


def null_curves(ensemble: Predictions, times: FloatArray) -> FloatArray:
    """(n, t) the training patients' Kaplan-Meier curve for each patient's own fold."""
    fold = ensemble.table["fold"].to_numpy()
    time = ensemble.table["time"].to_numpy(dtype=float)
    event = ensemble.table["event"].to_numpy() == 1
    null = np.full((len(fold), len(times)), np.nan)
    for number in np.unique(fold):
        train = np.ones(len(fold), dtype=bool) if len(np.unique(fold)) == 1 else fold != number
        null[fold == number] = kaplan_meier_null(time[train], event[train], times)
    return null


def _null_at(ensemble: Predictions, inside: BoolArray, month: float) -> FloatArray:
    null: FloatArray = null_curves(ensemble, np.array([month]))[inside, 0]
    return null


def _brier_curve(rows: _Rows, times: FloatArray) -> tuple[FloatArray, FloatArray]:
    """(t,) Brier scores of the run and of the null; NaN where fewer than 20 are at risk or a prediction is missing."""
    both = np.full((2, len(times)), np.nan)
    for at, month in enumerate(times):
        estimable = np.isfinite(rows.survival[:, at]).all() and np.isfinite(rows.null[:, at]).all()
        if estimable and (rows.time >= month).sum() >= FEWEST_AT_RISK:
            both[0, at] = brier_score(rows.time, rows.event, rows.survival[:, at], month)
            both[1, at] = brier_score(rows.time, rows.event, rows.null[:, at], month)
    return both[0], both[1]


def _horizon(rows: _Rows, survival: FloatArray, null: FloatArray, month: float) -> HorizonQuality:
    known = np.isfinite(survival) & np.isfinite(null)
    time, event = rows.time[known], rows.event[known]
    left = int((time >= month).sum())
    events = int((event & (time <= month)).sum())
    note = ""
    if not known.any():
        note = f"the run gives no survival at month {month:g}"
    elif left < FEWEST_AT_RISK or events < FEWEST_EVENTS:
        note = f"not estimable: {left} at risk and {events} events by month {month:g} (at least 20 and 5 are needed)"
    if note:
        none = Estimate(None, note=note)
        return HorizonQuality(month, int(known.sum()), None, none, none, none, None, None, note)
    survival, null = survival[known], null[known]
    groups = 5 if len(time) >= 100 else 3
    return HorizonQuality(
        month=month,
        n=int(known.sum()),
        calibration=calibration_curve(time, event, survival, month, groups=groups),
        slope=calibration_slope(time, event, survival, month),
        ici=ici(time, event, survival, month),
        auc=_auc(time, event, rows.risk[known], rows.fold[known], month),
        brier=brier_score(time, event, survival, month),
        brier_null=brier_score(time, event, null, month),
        behind=patients_behind(time, event, survival, groups),
    )


def patients_behind(time: FloatArray, event: BoolArray, survival: FloatArray, groups: int) -> pd.DataFrame:
    """The patients of a calibration curve without their names, sorted by the prediction."""
    member = calibration_groups(survival, groups)
    table = pd.DataFrame({"predicted": survival, "time": time, "event": event.astype(int), "group": member})
    return table.sort_values(["predicted", "time"], ignore_index=True)


def quality_behind(quality: ModelQuality) -> pd.DataFrame:
    """The same of all horizons under each other, with their ``month``."""
    parts = [h.behind.assign(month=h.month) for h in quality.horizons if h.calibration is not None]
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()


def _auc(time: FloatArray, event: BoolArray, risk: FloatArray, fold: IntArray, month: float) -> Estimate:
    """AUC over pairs within a fold (risks of different folds cannot be compared), with a bootstrap interval."""

    if len(time) > MOST_BOOTSTRAPPED:
        value = auc_ipcw(time, event, risk, month, fold)
        return Estimate(value, note=f"no interval above {MOST_BOOTSTRAPPED} patients")
    interval = bootstrap_auc(time, event, risk, month, fold, REPEATS)
    if not np.isfinite(interval.mean):
        return Estimate(None, note="no comparable pair within a fold")
    low, high = (None if np.isnan(v) else v for v in (interval.low, interval.high))
    return Estimate(interval.mean, low, high)
