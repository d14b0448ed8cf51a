"""The Kaplan-Meier estimator and what is read from its curve: survival at a month, median, conditional survival."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from core.arrays import ArrayLike, FloatArray, IntArray
from core.statistics.estimate import Estimate, finite_or_none, months, z_score
from core.statistics.risk_sets import risk_sets

_TIE = 1e-8
"""How near to 0.5 a survival counts as exactly 0.5 (the tolerance of R's ``survfit``)."""


@dataclass(frozen=True, eq=False)
class SurvivalCurve:
    """A Kaplan-Meier curve as a right-continuous step function.

    Parameters
    ----------
    time : (t,) float array
        0 and every distinct exit time, months.
    survival : (t,) float array
        S(time); 1 at time 0 unless events happened there.
    low, high : (t,) float arrays
        Pointwise log-log interval; 1 where survival is 1, NaN where survival is 0.
    at_risk : (t,) int array
        Patients at risk just before ``time`` (at an added time 0: those of the first exit time, as in R).
    events, censored : (t,) int arrays
        Exits at ``time``.
    n, n_events : int
    confidence : float
    """

    time: FloatArray
    survival: FloatArray
    low: FloatArray
    high: FloatArray
    at_risk: IntArray
    events: IntArray
    censored: IntArray
    n: int
    n_events: int
    confidence: float = 0.95


def kaplan_meier(
    time: ArrayLike, event: ArrayLike, entry: ArrayLike | None = None, confidence: float = 0.95
) -> SurvivalCurve:
    """Kaplan-Meier estimate with Greenwood variance and log-log interval, for right-censored and late-entry data.

    Parameters
    ----------
    time, event : (n,) arrays
        Exit in months and whether it was the event; n may be 0 (a curve of 1 with nobody at risk).
    entry : (n,) array, optional
        Months at which observation began.
    confidence : float

    Notes
    -----
    Equals R ``survival::survfit(..., conf.type = "log-log")``; R leaves the interval empty where survival is 1,
    here it is 1 to 1 (nothing has happened yet).
    """
    sets = risk_sets(time, event, entry)
    grid, at_risk, events, censored = sets.time, sets.at_risk, sets.events, sets.censored
    if not len(grid) or grid[0] > 0:
        grid = np.concatenate([[0.0], grid])
        at_risk = np.concatenate([at_risk[:1] if len(at_risk) else np.zeros(1, np.int64), at_risk])
        events, censored = (np.concatenate([np.zeros(1, np.int64), a]) for a in (events, censored))
    survival: FloatArray = np.cumprod(1 - events / np.maximum(at_risk, 1)).astype(np.float64)
    low, high = log_log_interval(survival, np.cumsum(_greenwood_terms(at_risk, events)), confidence)
    return SurvivalCurve(
        grid, survival, low, high, at_risk, events, censored, len(np.asarray(time)), int(events.sum()), confidence
    )


def log_log_interval(survival: FloatArray, variance: FloatArray, confidence: float) -> tuple[FloatArray, FloatArray]:
    """Interval of survival on the log(-log) scale, from the variance of log S (Kalbfleisch and Prentice 1980).

    1 to 1 where survival is 1, NaN where it is 0.
    """
    inside = (survival > 0) & (survival < 1)
    safe = np.where(inside, survival, 0.5)
    width = z_score(confidence) * np.sqrt(np.where(inside, variance, 0.0)) / -np.log(safe)
    outside = np.where(survival >= 1, 1.0, np.nan)
    # wide intervals overflow to a power of infinity, whose limits 0 and 1 are the right answers
    factor = np.exp(np.minimum(width, 700.0))
    return np.where(inside, safe**factor, outside), np.where(inside, safe ** (1 / factor), outside)


def at_risk_at(curve: SurvivalCurve, month: float) -> int:
    """Patients at risk just before the first exit at or after ``month`` (R's ``summary(fit, times)$n.risk``)."""
    position = int(np.searchsorted(curve.time, month, side="left"))
    return int(curve.at_risk[position]) if position < len(curve.time) else 0


def survival_at(curve: SurvivalCurve, month: float) -> Estimate:
    """S(month) with its interval; None beyond the longest follow-up unless survival has reached 0."""
    if month < 0:
        raise ValueError(f"a month cannot be negative, got {month}")
    if curve.n == 0:
        return Estimate(None, note="no patients")
    if month > curve.time[-1] and curve.survival[-1] > 0:
        return Estimate(None, note=f"beyond the longest follow-up of {months(curve.time[-1])}")
    step = int(np.searchsorted(curve.time, month, side="right")) - 1
    note = "" if curve.survival[step] > 0 else "survival has reached 0, which has no interval"
    return Estimate(
        float(curve.survival[step]), finite_or_none(curve.low[step]), finite_or_none(curve.high[step]), note
    )


def median_survival(curve: SurvivalCurve) -> Estimate:
    """The first month at which survival is below one half, with the interval of Brookmeyer and Crowley (1982).

    Where the curve runs exactly along one half, the middle of that stretch, as in R. A limit that is not
    reached is None.
    """
    if curve.n == 0:
        return Estimate(None, note="no patients")
    value, low, high = (_half_time(curve.time, s) for s in (curve.survival, curve.low, curve.high))
    if value is None:
        return Estimate(None, low, high, "not reached")
    return Estimate(value, low, high, "" if high is not None else "upper limit not reached")


def conditional_survival(curve: SurvivalCurve, given: float, month: float) -> Estimate:
    """P(T > month | T > given): the Kaplan-Meier estimate among those still observed after ``given``.

    The variance is Greenwood's over the exits in (given, month] only, so the interval is that of
    ``survfit`` on the patients with time > given.
    """
    if month < given:
        raise ValueError(f"month {month} lies before the month {given} already survived")
    if month > curve.time[-1] and curve.survival[-1] > 0:
        return Estimate(None, note=f"beyond the longest follow-up of {months(curve.time[-1])}")
    if curve.n == 0 or not (curve.time > given).any():
        return Estimate(None, note=f"nobody is observed beyond {months(given)}")
    between = (curve.time > given) & (curve.time <= month)
    at_risk, events = curve.at_risk[between], curve.events[between]
    survival = np.array([np.prod(1 - events / np.maximum(at_risk, 1))])
    variance = np.array([_greenwood_terms(at_risk, events).sum()])
    low, high = log_log_interval(survival, variance, curve.confidence)
    return Estimate(float(survival[0]), finite_or_none(low[0]), finite_or_none(high[0]))


def _greenwood_terms(at_risk: IntArray, events: IntArray) -> FloatArray:
    """Terms of Greenwood's sum; 0 where everybody at risk has the event (survival is then 0)."""
    survivors = at_risk - events
    return np.where(survivors > 0, events / np.maximum(at_risk * survivors, 1), 0.0)


def _half_time(time: FloatArray, survival: FloatArray) -> float | None:
    below = np.flatnonzero(survival < 0.5 + _TIE)  # NaN compares False
    if not len(below):
        return None
    first = below[0]
    later = below[survival[below] < survival[first]]
    if abs(survival[first] - 0.5) < _TIE and len(later):
        return float((time[first] + time[later[0]]) / 2)
    return float(time[first])
