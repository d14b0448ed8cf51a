"""How sure a number or a difference is: bootstrap intervals, the corrected t-test over folds, many tests at once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.special import stdtr, stdtrit

from core.arrays import ArrayLike, FloatArray, IntArray
from core.statistics.discrimination import harrell_c, harrell_c_repeats

_FEWEST = 0.9
"""Share of the repeats that must give a number for an interval to be shown."""


@dataclass(frozen=True)
class Interval:
    """A statistic of all patients (``mean``) and its percentile bootstrap interval.

    NaN limits mean that too many repeats gave no number; ``repeats`` counts those that did.
    """

    mean: float
    low: float
    high: float
    repeats: int


@dataclass(frozen=True)
class CorrectedT:
    """Mean difference over folds and seeds with the corrected resampled t-test; NaN with fewer than two."""

    mean: float
    low: float
    high: float
    t: float
    p: float


def bootstrap_rows(n: int, repeats: int = 1000, seed: int = 0) -> IntArray:
    """(repeats, n) row numbers drawn with replacement; the same for the same arguments."""
    return np.random.default_rng(seed).integers(0, n, size=(repeats, n))


def bootstrap_weights(n: int, repeats: int = 1000, seed: int = 0) -> IntArray:
    """(repeats, n) how often each patient occurs in the samples of :func:`bootstrap_rows`."""
    rows = bootstrap_rows(n, repeats, seed)
    offset = rows + n * np.arange(repeats)[:, None]
    return np.bincount(offset.ravel(), minlength=repeats * n).reshape(repeats, n)


def bootstrap_interval(
    statistic: Callable[[IntArray], float], n: int, repeats: int = 1000, seed: int = 0, confidence: float = 0.95
) -> Interval:
    """Percentile interval of any statistic.

    Parameters
    ----------
    statistic : callable
        Takes row numbers (with repetitions), gives a float; NaN where it cannot be computed.
    n : int
        Patients.
    """
    samples = np.array([statistic(rows) for rows in bootstrap_rows(n, repeats, seed)], dtype=np.float64)
    return interval_of(float(statistic(np.arange(n))), samples, confidence)


def paired_bootstrap_difference(
    first: Callable[[IntArray], float],
    second: Callable[[IntArray], float],
    n: int,
    repeats: int = 1000,
    seed: int = 0,
    confidence: float = 0.95,
) -> Interval:
    """Interval of ``first`` minus ``second``, both taken on the same samples of the same patients."""
    return bootstrap_interval(lambda rows: first(rows) - second(rows), n, repeats, seed, confidence)


def bootstrap_harrell_c(
    time: ArrayLike,
    event: ArrayLike,
    risk: ArrayLike,
    stratum: ArrayLike | None = None,
    repeats: int = 1000,
    seed: int = 0,
    confidence: float = 0.95,
) -> Interval:
    """:func:`bootstrap_interval` of Harrell's C, with every pair looked at once instead of once a repeat."""
    weights = bootstrap_weights(len(np.asarray(time)), repeats, seed)
    samples = harrell_c_repeats(time, event, risk, weights, stratum)
    return interval_of(harrell_c(time, event, risk, stratum), samples, confidence)


def paired_harrell_c_difference(
    time: ArrayLike,
    event: ArrayLike,
    first: ArrayLike,
    second: ArrayLike,
    stratum: ArrayLike | None = None,
    repeats: int = 1000,
    seed: int = 0,
    confidence: float = 0.95,
) -> Interval:
    """Interval of C(first) minus C(second): two risks of the same patients, re-weighted together."""
    weights = bootstrap_weights(len(np.asarray(time)), repeats, seed)
    mean = harrell_c(time, event, first, stratum) - harrell_c(time, event, second, stratum)
    samples = (harrell_c_repeats(time, event, risk, weights, stratum) for risk in (first, second))
    return interval_of(mean, next(samples) - next(samples), confidence)


def interval_of(mean: float, samples: FloatArray, confidence: float = 0.95) -> Interval:
    """Percentile interval from bootstrap ``samples``; those without a number are left out and counted."""
    usable = samples[np.isfinite(samples)]
    if len(usable) < max(2, _FEWEST * len(samples)):
        return Interval(mean, float("nan"), float("nan"), len(usable))
    low, high = np.quantile(usable, [0.5 - confidence / 2, 0.5 + confidence / 2])
    return Interval(mean, float(low), float(high), len(usable))


def nadeau_bengio(differences: ArrayLike, train_size: float, test_size: float, confidence: float = 0.95) -> CorrectedT:
    """Corrected resampled t-test: training sets overlap, so the variance is multiplied by 1/J + test/train.

    Parameters
    ----------
    differences : (J,) array
        Difference of two models for every fold and seed.
    train_size, test_size : float
        Patients (a mean over folds may be fractional).

    Notes
    -----
    Nadeau and Bengio, Machine Learning 2003, 52:239; J - 1 degrees of freedom.
    """
    values = np.asarray(differences, dtype=np.float64).ravel()
    if not np.isfinite(values).all() or train_size <= 0 or test_size <= 0:
        raise ValueError("differences must be finite and both sizes positive")
    count, nan = len(values), float("nan")
    if count < 2:
        return CorrectedT(float(values.mean()) if count else nan, nan, nan, nan, nan)
    mean = float(values.mean())
    error = float(np.sqrt((1 / count + test_size / train_size) * values.var(ddof=1)))
    if error <= 1e-12 * abs(mean) or error == 0:
        return CorrectedT(mean, mean, mean, nan, 1.0 if mean == 0 else nan)
    t = mean / error
    width = float(stdtrit(count - 1, 0.5 + confidence / 2)) * error
    return CorrectedT(mean, mean - width, mean + width, t, float(2 * stdtr(count - 1, -abs(t))))


def holm(p_values: ArrayLike) -> FloatArray:
    """Adjusted p-values that hold the family-wise error (Holm, Scand J Stat 1979, 6:65), in the given order."""
    p = np.asarray(p_values, dtype=np.float64)
    order = np.argsort(p, kind="stable")
    stepped = np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1))
    adjusted = np.empty_like(p)
    adjusted[order] = np.minimum(stepped, 1.0)
    return adjusted


def benjamini_hochberg(p_values: ArrayLike) -> FloatArray:
    """Adjusted p-values that hold the false discovery rate (JRSS B 1995, 57:289), in the given order."""
    p = np.asarray(p_values, dtype=np.float64)
    order = np.argsort(p, kind="stable")[::-1]
    stepped = np.minimum.accumulate(p[order] * len(p) / np.arange(len(p), 0, -1))
    adjusted = np.empty_like(p)
    adjusted[order] = np.minimum(stepped, 1.0)
    return adjusted


CORRECTIONS: dict[str, Callable[[ArrayLike], FloatArray]] = {"holm": holm, "benjamini-hochberg": benjamini_hochberg}
