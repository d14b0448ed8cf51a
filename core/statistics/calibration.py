"""Are the predicted survival probabilities right? D-calibration, calibration slope, ICI and calibration curve."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import chdtrc

from core.arrays import ArrayLike, BoolArray, FloatArray, IntArray
from core.errors import PrognoscopeError
from core.statistics.breslow import breslow_baseline
from core.statistics.cox import CoxFit, fit_cox
from core.statistics.estimate import Estimate, months
from core.statistics.kaplan_meier import kaplan_meier, survival_at
from core.statistics.risk_sets import checked

_FEWEST_EVENTS = 5
_EDGE = 1e-6
"""Predicted probabilities are kept this far from 0 and 1, where the complementary log-log is infinite."""
_KNOTS = (0.1, 0.5, 0.9)


@dataclass(frozen=True, eq=False)
class DCalibration:
    """Chi-squared test that S(own event time) is uniform; ``bins`` (b,) counts from survival 1 down to 0."""

    statistic: float
    p: float
    bins: FloatArray


@dataclass(frozen=True, eq=False)
class CalibrationCurve:
    """Predicted against observed survival at a month in ``g`` groups of patients, lowest survival first.

    Parameters
    ----------
    predicted : (g,) float array
        Mean predicted S(month).
    observed, low, high : (g,) float arrays
        Kaplan-Meier S(month) with its log-log interval; NaN where follow-up in the group ends before.
    n : (g,) int array
    """

    predicted: FloatArray
    observed: FloatArray
    low: FloatArray
    high: FloatArray
    n: IntArray


def d_calibration(
    time: ArrayLike, event: ArrayLike, survival: ArrayLike, times: ArrayLike, bins: int = 10
) -> DCalibration:
    """D-calibration of survival curves.

    Parameters
    ----------
    time, event : (n,) arrays
    survival : (n, t) array
        Predicted S(times); NaN from the month on at which it is not estimable for the patient.
    times : (t,) array
        Ascending months. Between them (and from S(0) = 1) log S is linear. Whoever is observed beyond the last
        estimable month counts as censored at it.

    Notes
    -----
    A patient censored at survival c is spread evenly over the bins below c. Haider et al., JMLR 2020, 21(85).
    Equals ``SurvivalEVAL``'s ``d_calibration``, which is not used here because importing it loads torch.
    """
    times_seen, events, _ = checked(time, event)
    own, within = _survival_at_own_time(times_seen, np.asarray(survival, dtype=np.float64), np.asarray(times))
    died = events & within
    width = 1.0 / bins
    upper = 1 - width * np.arange(bins)
    position = np.clip(np.ceil((1 - own[died]) * bins - 1e-12).astype(int) - 1, 0, bins - 1)
    counts = np.bincount(position, minlength=bins).astype(float)
    censored = np.maximum(own[~died], 1e-12)[:, None]
    counts += np.clip((np.minimum(upper, censored) - (upper - width)) / censored, 0.0, None).sum(axis=0)
    expected = len(own) / bins
    if expected == 0:
        return DCalibration(float("nan"), float("nan"), counts)
    statistic = float(((counts - expected) ** 2 / expected).sum())
    return DCalibration(statistic, float(chdtrc(bins - 1, statistic)), counts)


def calibration_slope(time: ArrayLike, event: ArrayLike, survival_at_month: ArrayLike, month: float) -> Estimate:
    """Cox coefficient of log(-log S(month)), follow-up ending at ``month``: 1 is right, below 1 overconfident.

    Parameters
    ----------
    time, event : (n,) arrays
    survival_at_month : (n,) array
        Predicted S(month).

    Notes
    -----
    The complementary log-log of the predicted risk is the linear predictor of a proportional-hazards model, so the
    slope is that of van Houwelingen (Stat Med 2000, 19:3401). It says nothing of the level: see :func:`ici`.
    """
    fit = _recalibration(time, event, survival_at_month, month, flexible=False)
    if isinstance(fit, str):
        return Estimate(None, note=fit)
    return Estimate(float(fit.coefficients[0]), float(np.log(fit.low[0])), float(np.log(fit.high[0])))


def ici(time: ArrayLike, event: ArrayLike, survival_at_month: ArrayLike, month: float) -> Estimate:
    """Integrated calibration index: mean |predicted - smoothed observed| probability of the event by ``month``.

    Parameters as in :func:`calibration_slope`. The interval is left to the bootstrap (low and high are None).

    Notes
    -----
    Austin, Harrell and van Klaveren, Stat Med 2020, 39:2714: the observed probability is a Cox model of the
    complementary log-log of the predicted one, with a restricted cubic spline (knots at the 10, 50 and 90 % points).
    With too few distinct predictions for a spline the model is linear.
    """
    smooth = _recalibration(time, event, survival_at_month, month, flexible=True)
    if isinstance(smooth, str):
        return Estimate(None, note=smooth)
    predicted = _clipped(survival_at_month)
    log_hazard = smooth.log_hazard(_spline(np.log(-np.log(predicted)), len(smooth.names) > 1))
    cut_time, cut_event = _until(time, event, month)
    observed = breslow_baseline(cut_time, cut_event, log_hazard).survival(log_hazard, [month])[:, 0]
    return Estimate(float(np.abs(observed - predicted).mean()))


def calibration_groups(survival_at_month: ArrayLike, groups: int) -> IntArray:
    """(n,) group of each patient by predicted survival, lowest first; of equal size, ties stay together."""
    predicted = np.asarray(survival_at_month, dtype=np.float64)
    edges = np.unique(np.quantile(predicted, np.linspace(0, 1, groups + 1)[1:-1])) if len(predicted) else np.zeros(0)
    return np.asarray(np.searchsorted(edges, predicted, side="left"), dtype=np.int64)


def calibration_curve(
    time: ArrayLike, event: ArrayLike, survival_at_month: ArrayLike, month: float, groups: int = 5
) -> CalibrationCurve:
    """Kaplan-Meier survival at ``month`` in groups of equal size by predicted survival; ties stay together."""
    times, events, _ = checked(time, event)
    predicted = np.asarray(survival_at_month, dtype=np.float64)
    member = calibration_groups(predicted, groups)
    rows = [np.flatnonzero(member == g) for g in np.unique(member)]
    seen = [survival_at(kaplan_meier(times[r], events[r]), month) for r in rows]
    observed, low, high = (
        np.array([np.nan if v is None else v for v in column], dtype=np.float64)
        for column in ([e.value for e in seen], [e.low for e in seen], [e.high for e in seen])
    )
    return CalibrationCurve(
        np.array([predicted[r].mean() for r in rows]), observed, low, high, np.array([len(r) for r in rows], np.int64)
    )


def _survival_at_own_time(seen: FloatArray, survival: FloatArray, times: ArrayLike) -> tuple[FloatArray, BoolArray]:
    """(n,) S at the patient's own exit, or at their last estimable month; and whether exit was not beyond it."""
    grid = np.concatenate([[0.0], np.asarray(times, dtype=np.float64)])
    logs = np.log(np.clip(np.concatenate([np.ones((len(seen), 1)), survival], axis=1), 1e-12, 1.0))
    known = np.isfinite(logs)
    last = np.where(known.all(axis=1), len(grid) - 1, np.argmin(known, axis=1) - 1)
    within = seen <= grid[last]
    at = np.minimum(seen, grid[last])
    right = np.clip(np.searchsorted(grid, at, side="left"), 1, np.maximum(last, 1))
    share = np.where(last > 0, (at - grid[right - 1]) / (grid[right] - grid[right - 1]), 0.0)
    row = np.arange(len(seen))
    end = np.where(last > 0, logs[row, right], 0.0)
    return np.exp((1 - share) * logs[row, right - 1] + share * end), within


def _recalibration(
    time: ArrayLike, event: ArrayLike, survival_at_month: ArrayLike, month: float, flexible: bool
) -> CoxFit | str:
    """Cox model of the complementary log-log of the predicted risk, or the words why there is none."""
    cut_time, cut_event = _until(time, event, month)
    link = np.log(-np.log(_clipped(survival_at_month)))
    if cut_event.sum() < _FEWEST_EVENTS:
        return f"fewer than {_FEWEST_EVENTS} events by {months(month)}"
    if np.ptp(link) < 1e-9:
        return "the prediction is the same for everyone"
    for spline in (True, False) if flexible else (False,):
        x = _spline(link, spline)
        try:
            return fit_cox(x, cut_time, cut_event, names=("link", "bend")[: x.shape[1]])
        except PrognoscopeError:
            continue
    return "the predictions part the patients with the event from those without"


def _spline(link: FloatArray, bent: bool) -> FloatArray:
    """(n, 2) the link and its restricted cubic spline term, or (n, 1) the link where that is not wanted or possible.

    Harrell's basis for three knots a < b < c, linear outside them.
    """
    a, b, c = np.quantile(link, _KNOTS)
    if not bent or min(b - a, c - b) < 1e-6 * max(c - a, 1e-12):
        return link[:, None]
    cubes = [np.maximum(link - knot, 0.0) ** 3 for knot in (a, b, c)]
    bend = (cubes[0] - cubes[1] * (c - a) / (c - b) + cubes[2] * (b - a) / (c - b)) / (c - a) ** 2
    return np.column_stack([link, bend])


def _until(time: ArrayLike, event: ArrayLike, month: float) -> tuple[FloatArray, BoolArray]:
    """Outcome with follow-up ended at ``month``."""
    times, events, _ = checked(time, event)
    return np.minimum(times, month), events & (times <= month)


def _clipped(survival: ArrayLike) -> FloatArray:
    values = np.asarray(survival, dtype=np.float64)
    if not np.isfinite(values).all():
        raise ValueError("predicted survival must be finite")
    return np.clip(values, _EDGE, 1 - _EDGE)
