"""Breslow's baseline: from a model's log hazards to survival curves."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from core.arrays import ArrayLike, FloatArray
from core.statistics.risk_sets import checked


@dataclass(frozen=True, eq=False)
class BreslowBaseline:
    """Cumulative hazard of a patient whose log hazard is 0, as a step function.

    Parameters
    ----------
    times : (t,) float array
        Distinct event times of the training patients, months.
    cumulative_hazard : (t,) float array
    """

    times: FloatArray
    cumulative_hazard: FloatArray

    def survival(self, log_hazard: ArrayLike, times: ArrayLike) -> FloatArray:
        """(n, t) S(times) = exp(-H0(times)·exp(log_hazard)); flat beyond the last event time.

        The caller decides up to which month this may be shown.
        """
        step = np.searchsorted(self.times, np.asarray(times, dtype=np.float64), side="right")
        baseline = np.concatenate([[0.0], self.cumulative_hazard])[step]
        # in logarithms, so that a large log hazard meets a small baseline before it overflows
        with np.errstate(divide="ignore"):
            logs = np.log(baseline)[None, :] + np.asarray(log_hazard, dtype=np.float64)[:, None]
        return np.asarray(np.exp(-np.exp(np.minimum(logs, 700.0))))


def breslow_baseline(
    time: ArrayLike, event: ArrayLike, log_hazard: ArrayLike, entry: ArrayLike | None = None
) -> BreslowBaseline:
    """Events at each time over the summed hazards of those at risk (Breslow, JRSS B 1972, 34:216).

    Parameters
    ----------
    time, event, entry : (n,) arrays
        Exit in months, event indicator, entry in months.
    log_hazard : (n,) array
        The model's linear predictor of the same patients.

    Notes
    -----
    Equals R ``basehaz(coxph(ties = "breslow"), centered = FALSE)``.
    """
    times, events, entries = checked(time, event, entry)
    eta = np.asarray(log_hazard, dtype=np.float64)
    shift = eta.max() if len(eta) else 0.0
    weight = np.exp(eta - shift)
    at, deaths = np.unique(times[events], return_counts=True)
    total = _weight_from(weight, times, at)
    if entries is not None:
        total = total - _weight_from(weight, entries, at)
    return BreslowBaseline(at, np.cumsum(deaths / total) * np.exp(-shift))


def _weight_from(weight: FloatArray, key: FloatArray, at: FloatArray) -> FloatArray:
    order = np.argsort(key, kind="stable")
    tail = np.append(np.cumsum(weight[order][::-1])[::-1], 0.0)
    return np.asarray(tail[np.searchsorted(key[order], at, side="left")])
