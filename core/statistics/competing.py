"""Cumulative incidence with competing events: the Aalen-Johansen estimator, never one minus Kaplan-Meier."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from core.arrays import ArrayLike, BoolArray, FloatArray, IntArray
from core.statistics.estimate import z_score
from core.statistics.risk_sets import checked, risk_sets


@dataclass(frozen=True, eq=False)
class CumulativeIncidence:
    """Probability that one kind of event has happened, as a right-continuous step function.

    Parameters
    ----------
    time : (t,) float array
        0 and every distinct exit time, months.
    incidence : (t,) float array
    low, high : (t,) float arrays
        Pointwise log-log interval; 0 where the incidence is 0.
    n, events : int
        Patients, and events of this kind.
    standard_error : (t,) float array
        Infinitesimal jackknife.
    """

    time: FloatArray
    incidence: FloatArray
    low: FloatArray
    high: FloatArray
    n: int
    events: int
    standard_error: FloatArray


def cumulative_incidence(
    time: ArrayLike, codes: ArrayLike, entry: ArrayLike | None = None, confidence: float = 0.95
) -> dict[int, CumulativeIncidence]:
    """Aalen-Johansen estimate for the event (code 1) and the competing event (code 2).

    Parameters
    ----------
    time : (n,) array
        Exit in months.
    codes : (n,) int array
        0 censored, 1 event, 2 competing event. Ties are counted as ties, none is moved.
    entry : (n,) array, optional
        Months at which observation began.

    Returns
    -------
    dict
        ``{1: CumulativeIncidence, 2: CumulativeIncidence}``.

    Notes
    -----
    Equals R ``survfit(Surv(time, factor(codes)) ~ 1, conf.type = "log-log")`` with its jackknife standard error.
    """
    kinds: IntArray = np.asarray(codes).astype(np.int64)
    times, happened, entries = checked(time, kinds > 0, entry)
    if len(kinds) and not np.isin(kinds, (0, 1, 2)).all():
        raise ValueError("codes must be 0 (censored), 1 (event) or 2 (competing event)")
    return {code: _one_kind(times, happened, kinds == code, entries, confidence) for code in (1, 2)}


def _one_kind(
    times: FloatArray, happened: BoolArray, mine: BoolArray, entries: FloatArray | None, confidence: float
) -> CumulativeIncidence:
    grid = np.unique(np.append(times, 0.0))
    at_risk = np.maximum(risk_sets(times, happened, entries, grid).at_risk, 1).astype(float)
    hazard = risk_sets(times, happened, entries, grid).events / at_risk
    hazard_mine = risk_sets(times, mine, entries, grid).events / at_risk
    before = np.concatenate([[1.0], np.cumprod(1 - hazard)[:-1]])
    incidence = np.cumsum(before * hazard_mine)
    error = _jackknife_error(grid, at_risk, hazard, hazard_mine, before, times, happened, mine, entries)
    inside = (incidence > 0) & (incidence < 1)
    safe = np.where(inside, incidence, 0.5)
    factor = np.exp(np.minimum(z_score(confidence) * np.where(inside, error, 0.0) / (safe * -np.log(safe)), 700.0))
    outside = np.where(incidence >= 1, np.nan, 0.0)
    low = np.where(inside, safe**factor, outside)
    high = np.where(inside, safe ** (1 / factor), outside)
    return CumulativeIncidence(grid, incidence, low, high, len(times), int(mine.sum()), error)


def _jackknife_error(
    grid: FloatArray,
    at_risk: FloatArray,
    hazard: FloatArray,
    hazard_mine: FloatArray,
    before: FloatArray,
    times: FloatArray,
    happened: BoolArray,
    mine: BoolArray,
    entries: FloatArray | None,
) -> FloatArray:
    """(t,) root of the summed squared influences of the patients on the incidence F(t).

    With S the survival just before v, λ the hazard of any event, κ that of this kind and Y the number at risk,
    a patient at risk at v changes F(t) by S(v)(δκ - κ(v))/Y(v) - (δ - λ(v))(F(t) - F(v)) / (Y(v)(1 - λ(v))),
    summed over v <= t. Each patient's influence is therefore a + b·F(t) after their exit, and
    G(t) - G(entry) + (H(t) - H(entry))·F(t) before it, with G and H the same sums for everybody: running sums of
    their squares over the patients give the variance without an n × t matrix.
    """
    incidence = np.cumsum(before * hazard_mine)
    stays = np.where(hazard < 1, 1 - hazard, 1.0)
    lost = np.where(hazard < 1, 1 / (at_risk * stays), 0.0)
    g = np.cumsum(-before * hazard_mine / at_risk - hazard * lost * incidence)
    h = np.cumsum(hazard * lost)
    leave = np.searchsorted(grid, times)
    arrive = np.full(len(times), -1) if entries is None else np.searchsorted(grid, entries, side="right") - 1
    # entries of minus infinity and entries before the first exit both give -1: nothing has been summed yet
    g_in, h_in = np.append(g, 0.0)[arrive], np.append(h, 0.0)[arrive]
    a = g[leave] - g_in + before[leave] * mine / at_risk[leave] + happened * lost[leave] * incidence[leave]
    b = h[leave] - h_in - happened * lost[leave]

    def gone(values: FloatArray) -> FloatArray:
        """Sum of ``values`` over patients who left at or before each time."""
        return np.cumsum(np.bincount(leave, weights=values, minlength=len(grid)))

    def present(values: FloatArray) -> FloatArray:
        """Sum of ``values`` over patients who have arrived and not yet left."""
        arrived = np.cumsum(np.bincount(arrive + 1, weights=values, minlength=len(grid) + 1))
        return arrived[1:] - gone(values)

    f, one = incidence, np.ones(len(times))
    variance = gone(a * a) + 2 * f * gone(a * b) + f * f * gone(b * b)
    both = g + h * f
    variance += present(g_in**2) + 2 * f * present(g_in * h_in) + f * f * present(h_in**2)
    variance += both**2 * present(one) - 2 * both * (present(g_in) + f * present(h_in))
    return np.asarray(np.sqrt(np.maximum(variance, 0.0)))
