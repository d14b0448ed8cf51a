"""The AUC of many bootstrap samples at once: every pair is looked at once, each sample re-weights it."""

from __future__ import annotations

import numpy as np

from core.arrays import ArrayLike, BoolArray, FloatArray, IntArray
from core.statistics.comparison import Interval, bootstrap_weights, interval_of
from core.statistics.discrimination import TIED_TOLERANCE, auc_ipcw
from core.statistics.pairs import strata_of
from core.statistics.risk_sets import checked


def bootstrap_auc(
    time: ArrayLike,
    event: ArrayLike,
    risk: ArrayLike,
    month: float,
    stratum: ArrayLike | None = None,
    repeats: int = 1000,
    seed: int = 0,
) -> Interval:
    """``bootstrap_interval`` of :func:`auc_ipcw`, the same samples and the same numbers, many times faster."""
    weights = bootstrap_weights(len(np.asarray(time)), repeats, seed)
    samples = auc_ipcw_repeats(time, event, risk, month, weights, stratum)
    return interval_of(auc_ipcw(time, event, risk, month, stratum), samples)


def auc_ipcw_repeats(
    time: ArrayLike,
    event: ArrayLike,
    risk: ArrayLike,
    month: float,
    counts: IntArray,
    stratum: ArrayLike | None = None,
    tied_tol: float = TIED_TOLERANCE,
) -> FloatArray:
    """(r,) :func:`auc_ipcw` of samples with repetitions.

    Parameters
    ----------
    time, event, risk, stratum : (n,) arrays
        As in :func:`auc_ipcw`.
    counts : (r, n) int array
        How often each patient occurs in each sample.

    Returns
    -------
    (r,) float array
        NaN for a sample without a comparable pair, or in which nobody is left uncensored at the time of an event.
    """
    times, events, _ = checked(time, event)
    risks = np.asarray(risk, dtype=np.float64)
    samples = counts.astype(np.float64)
    weight = samples / np.where((kept := _uncensored(times, events, samples)) > 0, kept, np.nan)
    weight = np.where(samples > 0, weight, 0.0)
    won, total = np.zeros(len(samples)), np.zeros(len(samples))
    for rows in strata_of(stratum, len(times)):
        case = rows[events[rows] & (times[rows] <= month)]
        control = rows[times[rows] > month]
        apart = risks[case][:, None] - risks[control][None, :]
        wins = np.where(apart > tied_tol, 1.0, np.where(apart < -tied_tol, 0.0, 0.5))
        others = samples[:, control]
        won += (weight[:, case] * (others @ wins.T)).sum(axis=1)
        total += weight[:, case].sum(axis=1) * others.sum(axis=1)
    found: FloatArray = np.divide(won, total, out=np.full(len(samples), np.nan), where=total > 0)
    return found


def _uncensored(times: FloatArray, events: BoolArray, samples: FloatArray) -> FloatArray:
    """(r, n) Kaplan-Meier estimate of remaining uncensored, of each sample at each patient's time."""
    grid, place = np.unique(times, return_inverse=True)
    order = np.argsort(place, kind="stable")
    starts = np.searchsorted(place[order], np.arange(len(grid)))
    ordered, happened = samples[:, order], events[order]
    left = np.add.reduceat(ordered, starts, axis=1)
    died = np.add.reduceat(np.where(happened, ordered, 0.0), starts, axis=1)
    at_risk = left[:, ::-1].cumsum(axis=1)[:, ::-1]
    # at tied times events leave before the censored do
    curve: FloatArray = np.cumprod(1 - (left - died) / np.maximum(at_risk - died, 1), axis=1)
    return curve[:, place]
