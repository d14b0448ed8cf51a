"""Groups by a number: cut-points fixed beforehand, and the best cut with the price it has to pay."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from scipy.special import ndtr

from core.arrays import ArrayLike, FloatArray, IntArray
from core.errors import PrognoscopeError
from core.statistics.risk_sets import checked, risk_sets


@dataclass(frozen=True)
class BestCut:
    """The cut that separates survival most.

    ``statistic`` is the standardised log-rank statistic at the cut, ``p_naive`` its p-value as if the cut had been
    known beforehand, ``p_adjusted`` the one that pays for having searched; report the latter. ``n_low`` patients
    have values up to the cut, ``n_high`` above.
    """

    cut: float
    statistic: float
    p_naive: float
    p_adjusted: float
    n_low: int
    n_high: int


def clinical_groups(values: ArrayLike, cuts: Sequence[float]) -> IntArray:
    """(n,) group 0, 1, … of each value by ascending ``cuts``; a value equal to a cut belongs below it.

    With the ALBI cuts -2.60 and -1.39 these are grades 1, 2 and 3, numbered 0, 1 and 2.
    """
    edges = np.asarray(cuts, dtype=np.float64)
    if (np.diff(edges) <= 0).any():
        raise ValueError(f"cuts must ascend, got {tuple(cuts)}")
    return np.searchsorted(edges, _finite(values), side="left").astype(np.int64)


def median_cut(values: ArrayLike) -> tuple[float, ...]:
    """The median, as a tuple of one cut."""
    return (float(np.median(_finite(values))),)


def tertile_cuts(values: ArrayLike) -> tuple[float, ...]:
    """The 1/3 and 2/3 quantiles; one cut when they coincide."""
    return tuple(float(q) for q in np.unique(np.quantile(_finite(values), [1 / 3, 2 / 3])))


def median_groups(values: ArrayLike) -> IntArray:
    """(n,) 0 up to the median, 1 above it."""
    return clinical_groups(values, median_cut(values))


def tertile_groups(values: ArrayLike) -> IntArray:
    """(n,) 0, 1, 2 for the lowest, middle and highest third."""
    return clinical_groups(values, tertile_cuts(values))


def cut_labels(cuts: Sequence[float], digits: int = 3) -> tuple[str, ...]:
    """Words for the groups: ``("≤ -2.6", "-2.6 to -1.39", "> -1.39")``."""
    shown = [f"{c:.{digits}g}" for c in cuts]
    middle = [f"{a} to {b}" for a, b in pairwise(shown)]
    return (f"≤ {shown[0]}", *middle, f"> {shown[-1]}")


def best_cut(values: ArrayLike, time: ArrayLike, event: ArrayLike, lower: float = 0.1, upper: float = 0.9) -> BestCut:
    """Maximally selected log-rank statistic over the cuts between two quantiles.

    Parameters
    ----------
    values, time, event : (n,) arrays
        The groups compared are values <= cut and values > cut.
    lower, upper : float
        Shares of patients between which the lower group's size must lie.

    Raises
    ------
    PrognoscopeError
        When no cut lies between the two shares, or no patient has the event.

    Notes
    -----
    Log-rank scores are the event indicator minus the Nelson-Aalen hazard at exit; the p-value is the approximation of
    Lausen and Schumacher (Biometrics 1992, 48:73). Equals R ``maxstat.test(smethod = "LogRank", pmethod = "Lau92")``
    where times are not tied.
    """
    if not 0 < lower < upper < 1:
        raise ValueError(f"0 < lower < upper < 1 is needed, got {lower} and {upper}")
    times, events, _ = checked(time, event)
    x = _finite(values)
    if x.shape != times.shape:
        raise ValueError(f"values must have {len(times)} rows, got {x.shape}")
    n = len(x)
    order = np.argsort(x, kind="stable")
    ordered = x[order]
    sizes = np.flatnonzero(np.diff(ordered)) + 1
    sizes = sizes[(sizes >= max(1, int(n * lower))) & (sizes <= int(n * upper))]
    scores = _log_rank_scores(times, events)[order]
    spread = float(n * (scores**2).sum() - scores.sum() ** 2)
    if not len(sizes) or spread <= 1e-12:
        raise PrognoscopeError(
            "no cut leaves enough patients on both sides" if events.any() else "no patient has the event",
            "the values to be cut",
            "choose a fixed cut-point or more patients",
        )
    deviation = np.cumsum(scores)[sizes - 1] - sizes / n * scores.sum()
    tests = np.abs(deviation) / np.sqrt(sizes * (n - sizes) / (n**2 * (n - 1)) * spread)
    best = int(np.argmax(tests))
    m, statistic = int(sizes[best]), float(tests[best])
    naive = float(2 * ndtr(-statistic))
    return BestCut(
        float(ordered[m - 1]), statistic, naive, max(naive, _lausen_schumacher(statistic, lower, upper)), m, n - m
    )


def _log_rank_scores(times: FloatArray, events: ArrayLike) -> FloatArray:
    sets = risk_sets(times, events)
    hazard = np.cumsum(sets.events / sets.at_risk)
    return np.asarray(np.asarray(events, dtype=np.float64) - hazard[np.searchsorted(sets.time, times)])


def _lausen_schumacher(b: float, lower: float, upper: float) -> float:
    if b < 1:
        return 1.0
    density = float(np.exp(-b * b / 2) / np.sqrt(2 * np.pi))
    odds = upper * (1 - lower) / ((1 - upper) * lower)
    return float(np.clip(4 * density / b + density * (b - 1 / b) * np.log(odds), 0.0, 1.0))


def _finite(values: ArrayLike) -> FloatArray:
    x = np.asarray(values, dtype=np.float64)
    if x.ndim != 1 or not len(x) or not np.isfinite(x).all():
        raise ValueError("values must be a non-empty one-dimensional array of finite numbers")
    return x
