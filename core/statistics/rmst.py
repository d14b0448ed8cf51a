"""Restricted mean survival time: months lived, on average, within the first ``tau`` months."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr

from core.arrays import ArrayLike, BoolArray
from core.statistics.estimate import Estimate, months, z_score
from core.statistics.kaplan_meier import kaplan_meier


@dataclass(frozen=True)
class RmstDifference:
    """RMST of the group minus RMST of the others, months; None where one of them cannot be estimated."""

    difference: float | None
    low: float | None
    high: float | None
    p: float | None
    tau: float
    note: str = ""


def rmst(
    time: ArrayLike, event: ArrayLike, tau: float, entry: ArrayLike | None = None, confidence: float = 0.95
) -> Estimate:
    """Area under the Kaplan-Meier curve from 0 to ``tau`` months, with a normal interval.

    Parameters
    ----------
    time, event, entry : (n,) arrays
        Exit in months, event indicator, entry in months.
    tau : float
        Months; beyond the longest follow-up the mean is not estimable unless survival has reached 0.

    Notes
    -----
    Equals R ``print(survfit, rmean = tau)``. Royston and Parmar, BMC Med Res Methodol 2013, 13:152.
    """
    mean, error, note = _mean_and_error(time, event, tau, entry)
    if note:
        return Estimate(None, note=note)
    width = z_score(confidence) * error
    return Estimate(mean, mean - width, mean + width)


def rmst_difference(
    time: ArrayLike,
    event: ArrayLike,
    group: ArrayLike,
    tau: float,
    entry: ArrayLike | None = None,
    confidence: float = 0.95,
) -> RmstDifference:
    """RMST where ``group`` is True minus RMST where it is False, with a normal interval and two-sided p."""
    inside: BoolArray = np.asarray(group).astype(np.bool_)
    times, events = np.asarray(time), np.asarray(event)
    entries = np.zeros(len(times)) if entry is None else np.asarray(entry)
    first, error_first, note_first = _mean_and_error(times[inside], events[inside], tau, entries[inside])
    second, error_second, note_second = _mean_and_error(times[~inside], events[~inside], tau, entries[~inside])
    if note_first or note_second:
        return RmstDifference(None, None, None, None, tau, note_first or note_second)
    difference, error = first - second, float(np.hypot(error_first, error_second))
    if error == 0:
        return RmstDifference(difference, None, None, None, tau, f"no event before {months(tau)} in either group")
    width = z_score(confidence) * error
    p = float(2 * ndtr(-abs(difference / error)))
    return RmstDifference(difference, difference - width, difference + width, p, tau)


def _mean_and_error(time: ArrayLike, event: ArrayLike, tau: float, entry: ArrayLike | None) -> tuple[float, float, str]:
    """Area under the curve, its standard error, and why there is none (empty when there is one)."""
    if tau <= 0:
        raise ValueError(f"tau must be positive, got {tau}")
    curve = kaplan_meier(time, event, entry)
    if curve.n == 0:
        return np.nan, np.nan, "no patients"
    if tau > curve.time[-1] and curve.survival[-1] > 0:
        return np.nan, np.nan, f"{months(tau)} lie beyond the longest follow-up of {months(curve.time[-1])}"
    keep = curve.time < tau
    edges = np.append(curve.time[keep], tau)
    pieces = curve.survival[keep] * np.diff(edges)
    area_after = np.cumsum(pieces[::-1])[::-1]
    at_risk, events = curve.at_risk[keep].astype(float), curve.events[keep].astype(float)
    survivors = at_risk - events
    terms = np.where(survivors > 0, events / np.maximum(at_risk * survivors, 1), 0.0)
    return float(pieces.sum()), float(np.sqrt((area_after**2 * terms).sum())), ""
