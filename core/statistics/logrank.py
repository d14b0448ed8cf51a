"""The log-rank test for two or more groups, withheld where the groups are too small to carry it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from scipy.special import chdtrc

from core.arrays import ArrayLike, FloatArray, IntArray, StrArray
from core.statistics.comparison import CORRECTIONS
from core.statistics.risk_sets import checked, risk_sets


@dataclass(frozen=True, eq=False)
class LogRank:
    """A log-rank test of ``k`` groups.

    Parameters
    ----------
    statistic : float or None
        Chi-squared; None when withheld or when no group can be compared.
    df : int
    p : float or None
    groups : tuple of k str
    sizes, events : (k,) int arrays
    observed, expected : (k,) float arrays
        Events seen, and expected if all groups had one survival.
    withheld : str
        Why there is no p; empty when there is one.
    """

    statistic: float | None
    df: int
    p: float | None
    groups: tuple[str, ...]
    sizes: IntArray
    events: IntArray
    observed: FloatArray
    expected: FloatArray
    withheld: str = ""


@dataclass(frozen=True)
class PairwiseLogRank:
    """The test of groups ``a`` and ``b``; ``p_adjusted`` is corrected over all pairs that were tested."""

    a: str
    b: str
    p: float | None
    p_adjusted: float | None
    correction: str
    withheld: str = ""


def logrank_test(
    time: ArrayLike,
    event: ArrayLike,
    group: ArrayLike,
    entry: ArrayLike | None = None,
    minimum_size: int = 10,
    minimum_events: int = 5,
    groups: Sequence[str] | None = None,
) -> LogRank:
    """Log-rank test, with the hypergeometric variance for ties.

    Parameters
    ----------
    time, event, entry : (n,) arrays
        Exit in months, event indicator, entry in months.
    group : (n,) array
        Group of each patient, compared as text.
    minimum_size, minimum_events : int
        Below either in any group the p-value is withheld.
    groups : sequence of str, optional
        The groups in the order wanted, also those without patients; default: those found, sorted.

    Notes
    -----
    Equals R ``survdiff``; with late entry the score test of ``coxph(ties = "exact")``, which is the same test.
    """
    labels: StrArray = np.asarray(group).astype(str)
    names = tuple(str(g) for g in (np.unique(labels) if groups is None else groups))
    times, events, entries = checked(time, event, entry)
    sizes = np.array([(labels == g).sum() for g in names], dtype=np.int64)
    deaths = np.array([events[labels == g].sum() for g in names], dtype=np.int64)
    observed, expected, covariance = _observed_expected(times, events, entries, labels, names)
    used = np.flatnonzero(expected > 0)
    df = max(len(used) - 1, 0)
    withheld = _why_withheld(names, sizes, deaths, minimum_size, minimum_events)
    statistic = None if withheld or df == 0 else _chi_squared(observed - expected, covariance, used)
    if statistic is None and not withheld:
        withheld = "Withheld: there are not two groups at risk at the same time."
    p = None if statistic is None else float(chdtrc(df, statistic))
    return LogRank(statistic, df, p, names, sizes, deaths, observed, expected, withheld)


def pairwise_logrank(
    time: ArrayLike,
    event: ArrayLike,
    group: ArrayLike,
    entry: ArrayLike | None = None,
    minimum_size: int = 10,
    minimum_events: int = 5,
    groups: Sequence[str] | None = None,
    correction: str = "holm",
) -> tuple[PairwiseLogRank, ...]:
    """Log-rank tests of every pair of groups, corrected over those tested.

    ``correction`` is ``"holm"`` or ``"benjamini-hochberg"``; other parameters as in :func:`logrank_test`.
    """
    if correction not in CORRECTIONS:
        raise ValueError(f"correction must be one of {', '.join(CORRECTIONS)}, got {correction!r}")
    labels: StrArray = np.asarray(group).astype(str)
    times, events, entries = checked(time, event, entry)
    names = tuple(str(g) for g in (np.unique(labels) if groups is None else groups))
    tests = []
    for a, b in combinations(names, 2):
        rows = (labels == a) | (labels == b)
        late = None if entries is None else entries[rows]
        tests.append(logrank_test(times[rows], events[rows], labels[rows], late, minimum_size, minimum_events, (a, b)))
    raw = {t.groups: t.p for t in tests if t.p is not None}
    corrected = dict(zip(raw, CORRECTIONS[correction](list(raw.values())).tolist(), strict=True))
    return tuple(
        PairwiseLogRank(t.groups[0], t.groups[1], t.p, corrected.get(t.groups), correction, t.withheld) for t in tests
    )


def _observed_expected(
    times: FloatArray, events: IntArray | StrArray, entries: FloatArray | None, labels: StrArray, names: tuple[str, ...]
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Observed and expected events (k,) and the covariance (k, k) of their difference."""
    member = np.isin(labels, names)
    times, events, labels = times[member], events[member], labels[member]
    entries = None if entries is None else entries[member]
    at = np.unique(times[events])
    total = risk_sets(times, events, entries, at)
    per_group = [
        risk_sets(times[rows], events[rows], None if entries is None else entries[rows], at)
        for rows in (labels == g for g in names)
    ]
    n, d = total.at_risk.astype(float), total.events.astype(float)
    share = np.array([s.at_risk for s in per_group]).reshape(len(names), len(at)) / n
    observed = np.array([s.events.sum() for s in per_group], dtype=float)
    variance = d * (n - d) / np.maximum(n - 1, 1)
    covariance = np.diag(share @ variance) - (share * variance) @ share.T
    return observed, share @ d, covariance


def _chi_squared(difference: FloatArray, covariance: FloatArray, used: IntArray) -> float | None:
    keep = used[:-1]  # one group is redundant: the differences sum to 0
    block = covariance[np.ix_(keep, keep)]
    if np.linalg.matrix_rank(block) < len(keep):
        return None
    return float(difference[keep] @ np.linalg.solve(block, difference[keep]))


def _why_withheld(
    names: tuple[str, ...], sizes: IntArray, events: IntArray, minimum_size: int, minimum_events: int
) -> str:
    if len(names) < 2:
        return "Withheld: a test needs at least two groups."
    for name, size, count in zip(names, sizes, events, strict=True):
        if size < minimum_size or count < minimum_events:
            return (
                f"Withheld: group {name} has {size} patients and {count} events; "
                f"at least {minimum_size} patients and {minimum_events} events are needed in every group."
            )
    return ""
