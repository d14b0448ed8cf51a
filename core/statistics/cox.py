"""Cox's proportional-hazards model: hazard ratios, their intervals, and whether the proportion holds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import ndtr

from core.arrays import ArrayLike, BoolArray, FloatArray
from core.errors import PrognoscopeError
from core.statistics.discrimination import harrell_c
from core.statistics.estimate import z_score
from core.statistics.partial_likelihood import RiskSetMoments, risk_set_moments
from core.statistics.proportional_hazards import ProportionalHazardsTest, proportional_hazards_test
from core.statistics.risk_sets import checked

_VIOLATED = 0.05
_RUNAWAY = 30.0
"""A log hazard ratio a standard deviation beyond which a coefficient is taken to run to infinity."""


@dataclass(frozen=True, eq=False)
class CoxFit:
    """A fitted Cox model of ``k`` covariates.

    Parameters
    ----------
    names : tuple of k str
    coefficients, standard_errors : (k,) float arrays
        Log hazard ratios.
    hazard_ratios, low, high, p : (k,) float arrays
        exp(coefficient), its Wald interval and two-sided p-value.
    n, events : int
    concordance : float
        Harrell's C of the linear predictor, in-sample.
    log_likelihood, null_log_likelihood : float
        At the coefficients and at 0.
    proportional_hazards_p : (k,) float array
        Score test on Schoenfeld residuals (R's ``cox.zph``); NaN where not tested.
    global_p : float
        The same for all covariates together.
    note : str
        What the global test says, in words.
    violations : tuple of str
        One sentence for each covariate whose hazard ratio changes over time (p < 0.05).
    """

    names: tuple[str, ...]
    coefficients: FloatArray
    standard_errors: FloatArray
    hazard_ratios: FloatArray
    low: FloatArray
    high: FloatArray
    p: FloatArray
    n: int
    events: int
    concordance: float
    log_likelihood: float
    null_log_likelihood: float
    proportional_hazards_p: FloatArray
    global_p: float
    note: str
    violations: tuple[str, ...]

    def log_hazard(self, covariates: ArrayLike) -> FloatArray:
        """(m,) linear predictor of (m, k) covariates, not centred."""
        return np.asarray(np.asarray(covariates, dtype=np.float64) @ self.coefficients)


def fit_cox(
    covariates: pd.DataFrame | ArrayLike,
    time: ArrayLike,
    event: ArrayLike,
    entry: ArrayLike | None = None,
    penalizer: float = 0.0,
    names: Sequence[str] | None = None,
    confidence: float = 0.95,
) -> CoxFit:
    """Fit by Newton's method with Efron's ties.

    Parameters
    ----------
    covariates : DataFrame or (n, k) array
        Numbers without NaN, one column a covariate.
    time, event, entry : (n,) arrays
        Exit in months, event indicator, entry in months.
    penalizer : float
        Ridge penalty on standardised covariates, in the units of lifelines: half of ``penalizer`` times the squared
        coefficients is taken from the log-likelihood divided by n. A penalised fit has no Schoenfeld test.
    names : sequence of k str, optional
        Needed for an array; a DataFrame brings its own.

    Raises
    ------
    PrognoscopeError
        When there are no events, a covariate is constant, repeats others, or separates events from the rest.

    Notes
    -----
    Equals R ``coxph`` and lifelines' ``CoxPHFitter``. It is not lifelines itself, because the score test of
    ``cox.zph`` needs the moments of every risk set anyway, and lifelines takes 7 s for 20 000 late entries.
    """
    x, columns = _matrix(covariates, names)
    times, events, entries = checked(time, event, entry)
    if len(x) != len(times):
        raise ValueError(f"{len(x)} rows of covariates for {len(times)} times")
    centre, scale = _centre_and_scale(x, columns, events)
    z = (x - centre) / scale
    beta, moments = _newton(z, times, events, entries, penalizer * len(x))
    information = moments.information + penalizer * len(x) * np.eye(len(beta))
    error = np.sqrt(np.diag(np.linalg.inv(information))) / scale
    coefficients = beta / scale
    test = (
        proportional_hazards_test(moments, times, events, entries)
        if penalizer == 0
        else ProportionalHazardsTest(*(np.full(len(beta), np.nan),) * 2, np.nan, np.nan)
    )
    note, violations = _in_words(columns, test)
    width = z_score(confidence) * error
    with np.errstate(over="ignore"):  # a nearly separated group has an upper limit of infinity, and that is right
        ratios = np.exp(coefficients), np.exp(coefficients - width), np.exp(coefficients + width)
    return CoxFit(
        columns,
        coefficients,
        error,
        *ratios,
        np.asarray(2 * ndtr(-np.abs(coefficients / error))),
        len(x),
        int(events.sum()),
        harrell_c(times, events, z @ beta, entry=entries),
        moments.log_likelihood,
        risk_set_moments(z, times, events, entries, np.zeros(len(beta))).log_likelihood,
        test.p,
        test.global_p,
        note,
        violations,
    )


def hazard_ratio_between(
    time: ArrayLike, event: ArrayLike, group: ArrayLike, entry: ArrayLike | None = None, name: str = "group"
) -> CoxFit:
    """The hazard of the patients where ``group`` is True over that of the others: a Cox model of one covariate."""
    inside = np.asarray(group).astype(np.bool_).astype(np.float64)
    return fit_cox(inside[:, None], time, event, entry, names=(name,))


def _matrix(covariates: pd.DataFrame | ArrayLike, names: Sequence[str] | None) -> tuple[FloatArray, tuple[str, ...]]:
    if isinstance(covariates, pd.DataFrame):
        names = [str(c) for c in covariates.columns] if names is None else names
        covariates = covariates.to_numpy(dtype=np.float64)
    x = np.asarray(covariates, dtype=np.float64)
    if x.ndim != 2 or names is None or x.shape[1] != len(names):
        raise ValueError(f"covariates must be (n, k) with k names, got {x.shape} and names {names}")
    if not np.isfinite(x).all():
        raise ValueError("covariates must be finite")
    return x, tuple(names)


def _centre_and_scale(x: FloatArray, names: tuple[str, ...], events: BoolArray) -> tuple[FloatArray, FloatArray]:
    if not events.any():
        raise PrognoscopeError("no patient has the event", "the patients of the Cox model", "widen the selection")
    centre = x.mean(axis=0)
    scale = x.std(axis=0, ddof=1) if len(x) > 1 else np.zeros(x.shape[1])
    for name, spread, middle in zip(names, scale, centre, strict=True):
        if spread <= 1e-12 * max(1.0, abs(middle)):
            raise PrognoscopeError(
                f"{name!r} is the same in everyone", "the covariates of the Cox model", "leave it out"
            )
    return centre, scale


def _newton(
    z: FloatArray, times: FloatArray, events: BoolArray, entries: FloatArray | None, penalty: float
) -> tuple[FloatArray, RiskSetMoments]:
    """Coefficients of standardised covariates by Newton's method with halved steps, and the moments there."""
    beta = np.zeros(z.shape[1])
    moments = risk_set_moments(z, times, events, entries, beta)
    for _ in range(60):
        gradient = moments.gradient - penalty * beta
        information = moments.information + penalty * np.eye(len(beta))
        if np.linalg.cond(information) > 1e12:
            break
        step = np.linalg.solve(information, gradient)
        if float(gradient @ step) < 1e-18 * max(1.0, abs(moments.log_likelihood)):
            return beta, moments
        value = moments.log_likelihood - penalty / 2 * beta @ beta
        for _ in range(30):
            trial = beta + step
            found = risk_set_moments(z, times, events, entries, trial)
            if found.log_likelihood - penalty / 2 * trial @ trial >= value - 1e-12 * abs(value):
                break
            step = step / 2
        beta, moments = trial, found
        if np.abs(beta).max() > _RUNAWAY:
            break
    raise PrognoscopeError(
        "a covariate repeats others, or parts the patients with the event from those without",
        "the covariates of the Cox model",
        "leave that covariate out or choose larger groups",
    )


def _in_words(names: tuple[str, ...], test: ProportionalHazardsTest) -> tuple[str, tuple[str, ...]]:
    violations = tuple(
        f"The hazard ratio of {name} changes over time (Schoenfeld test p = {p:.2g}): "
        "the single number is an average over follow-up."
        for name, p in zip(names, test.p, strict=True)
        if p < _VIOLATED
    )
    if np.isnan(test.global_p):
        return "Proportional hazards were not tested.", violations
    verdict = "are in doubt" if test.global_p < _VIOLATED or violations else "are not contradicted"
    return f"Proportional hazards {verdict} (global Schoenfeld test p = {test.global_p:.2g}).", violations
