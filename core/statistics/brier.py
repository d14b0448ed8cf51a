"""The Brier score of survival probabilities, weighted for censoring, and the Kaplan-Meier null it is read against."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from core.arrays import ArrayLike, BoolArray, FloatArray
from core.statistics.censoring import censoring_of
from core.statistics.kaplan_meier import kaplan_meier
from core.statistics.risk_sets import checked


@dataclass(frozen=True)
class IntegratedBrier:
    """Brier score averaged over the months ``start`` to ``end``; None where fewer than two months are estimable."""

    value: float | None
    start: float | None
    end: float | None
    note: str = ""


def brier_score(
    time: ArrayLike,
    event: ArrayLike,
    survival_at_month: ArrayLike,
    month: float,
    censoring_time: ArrayLike | None = None,
    censoring_event: ArrayLike | None = None,
) -> float:
    """Mean squared difference between S(month) and being alive then, weighted by inverse censoring probability.

    Parameters
    ----------
    time, event : (n,) arrays
    survival_at_month : (n,) array
        Predicted S(month) in 0..1.
    censoring_time, censoring_event : (m,) arrays, optional
        Outcomes from which censoring is estimated; default: the evaluated patients.

    Notes
    -----
    Equals ``sksurv.metrics.brier_score``. Graf et al., Stat Med 1999, 18:2529. NaN where censoring has no estimate.
    """
    survival = np.asarray(survival_at_month, dtype=np.float64)[:, None]
    scores = _scores(time, event, survival, np.array([float(month)]), censoring_time, censoring_event)
    return float(scores[0])


def integrated_brier(
    time: ArrayLike,
    event: ArrayLike,
    survival: ArrayLike,
    times: ArrayLike,
    censoring_time: ArrayLike | None = None,
    censoring_event: ArrayLike | None = None,
) -> IntegratedBrier:
    """Brier score integrated over the estimable months by trapezoids and divided by their span.

    Parameters
    ----------
    time, event : (n,) arrays
    survival : (n, t) array
        Predicted S(times); a month at which anybody's is NaN is left out.
    times : (t,) array
        Ascending months. Those at or beyond the longest follow-up are left out.

    Notes
    -----
    Equals ``sksurv.metrics.integrated_brier_score`` on the months used, which are returned.
    """
    grid = np.asarray(times, dtype=np.float64)
    predicted = np.asarray(survival, dtype=np.float64)
    usable = np.isfinite(predicted).all(axis=0) & (grid < np.max(np.asarray(time, dtype=np.float64), initial=0.0))
    grid = grid[usable]
    scores = _scores(time, event, predicted[:, usable], grid, censoring_time, censoring_event)
    finite = np.isfinite(scores)
    grid, scores = grid[finite], scores[finite]
    if len(grid) < 2:
        return IntegratedBrier(None, None, None, "fewer than two months are estimable for every patient")
    value = float(np.trapezoid(scores, grid) / (grid[-1] - grid[0]))
    return IntegratedBrier(value, float(grid[0]), float(grid[-1]))


def kaplan_meier_null(train_time: ArrayLike, train_event: ArrayLike, times: ArrayLike) -> FloatArray:
    """(t,) S(times) of the training patients: the prediction that knows nobody; NaN beyond their follow-up."""
    curve = kaplan_meier(train_time, train_event)
    grid = np.asarray(times, dtype=np.float64)
    survival = curve.survival[np.searchsorted(curve.time, grid, side="right") - 1]
    return np.where((grid > curve.time[-1]) & (curve.survival[-1] > 0), np.nan, survival)


def _scores(
    time: ArrayLike,
    event: ArrayLike,
    survival: FloatArray,
    grid: FloatArray,
    censoring_time: ArrayLike | None,
    censoring_event: ArrayLike | None,
) -> FloatArray:
    """(t,) Brier scores; NaN where a weight is infinite."""
    times, events, _ = checked(time, event)
    if survival.shape != (len(times), len(grid)):
        raise ValueError(f"survival must be ({len(times)}, {len(grid)}), got {survival.shape}")
    censoring = censoring_of(times, events, censoring_time, censoring_event)
    dead: BoolArray = events[:, None] & (times[:, None] <= grid)
    alive: BoolArray = times[:, None] > grid
    weight = np.where(dead, censoring.weight(times)[:, None], np.where(alive, censoring.weight(grid), 0.0))
    unusable = np.isinf(weight).any(axis=0)
    squared = (survival - alive) ** 2
    scores = (np.where(np.isinf(weight), 0.0, weight) * squared).mean(axis=0)
    return np.where(unusable, np.nan, scores)
