"""Cox's partial likelihood with Efron's ties and late entry: its value, its slope and its curvature at each event."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from core.arrays import BoolArray, FloatArray, IntArray

_LARGEST = 2e8
"""Numbers that (n, p, p) may hold before a fit is refused: 1.6 GB of doubles."""


@dataclass(frozen=True, eq=False)
class RiskSetMoments:
    """What the partial likelihood knows at ``s`` steps, one an event (``p`` covariates).

    Parameters
    ----------
    log_likelihood : float
    time : (s,) float array
        Event time of the step, months.
    mean : (s, p) float array
        Mean of the covariates over those at risk, weighted by their hazard.
    covariance : (s, p, p) float array
        Their weighted covariance.
    observed : (s, p) float array
        Covariates of the patients with an event, in the order of the steps.
    """

    log_likelihood: float
    time: FloatArray
    mean: FloatArray
    covariance: FloatArray
    observed: FloatArray

    @property
    def gradient(self) -> FloatArray:
        """(p,) Slope of the log-likelihood."""
        slope: FloatArray = (self.observed - self.mean).sum(axis=0)
        return slope

    @property
    def information(self) -> FloatArray:
        """(p, p) Minus the curvature of the log-likelihood."""
        information: FloatArray = self.covariance.sum(axis=0)
        return information


def risk_set_moments(
    x: FloatArray, time: FloatArray, event: BoolArray, entry: FloatArray | None, coefficients: FloatArray
) -> RiskSetMoments:
    """Moments of the covariates over each risk set, Efron's way for ties.

    Parameters
    ----------
    x : (n, p) float array
        Covariates; centred ones keep the sums accurate.
    time, event, entry : (n,) arrays
        As from :func:`core.statistics.risk_sets.checked`.
    coefficients : (p,) float array

    Notes
    -----
    Of d deaths at one time, step r = 0 … d-1 sees each of the d with weight 1 - r/d (Efron, JASA 1977, 72:557).
    """
    n, p = x.shape
    if n * p * p > _LARGEST:
        raise ValueError(f"{p} covariates of {n} patients are too many for an unpenalised Cox model")
    eta = x @ coefficients
    weight = np.exp(eta - eta.max())
    order = np.argsort(time, kind="stable")
    deaths = order[event[order]]
    at, first, count = np.unique(time[deaths], return_index=True, return_counts=True)
    step = np.repeat(np.arange(len(at)), count)
    share = (np.arange(len(deaths)) - first[step]) / count[step]

    moments = []
    for values in (weight, weight[:, None] * x, weight[:, None, None] * x[:, :, None] * x[:, None, :]):
        whole = _sum_from(values, time, at)
        if entry is not None:
            whole = whole - _sum_from(values, entry, at)
        dying = np.add.reduceat(values[deaths], first, axis=0) if len(at) else whole
        moments.append(whole[step] - share.reshape(-1, *[1] * (values.ndim - 1)) * dying[step])
    total, linear, square = moments
    mean = linear / total[:, None]
    covariance = square / total[:, None, None] - mean[:, :, None] * mean[:, None, :]
    log_likelihood = float(eta[deaths].sum() - (np.log(total) + eta.max()).sum())
    return RiskSetMoments(log_likelihood, time[deaths], mean, covariance, x[deaths])


def _sum_from(values: FloatArray, key: FloatArray, at: FloatArray) -> FloatArray:
    """For each time of ``at`` the sum of ``values`` whose key is not before it."""
    order: IntArray = np.argsort(key, kind="stable")
    tail = np.cumsum(values[order][::-1], axis=0)[::-1]
    position = np.searchsorted(key[order], at, side="left")
    padded = np.concatenate([tail, np.zeros_like(tail[:1])])
    return np.asarray(padded[position])
