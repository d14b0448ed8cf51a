"""Comparable pairs of patients: the sums behind every concordance index, also for many re-weightings at once."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from core.arrays import ArrayLike, BoolArray, FloatArray, IntArray, StrArray

_CELLS = 2_000_000
"""Pairs looked at in one block: 16 MB of doubles."""
_FEW = 100_000
"""Pairs up to which looking at each is quicker than sorting."""


def strata_of(stratum: ArrayLike | None, n: int) -> list[IntArray]:
    """Row numbers of each stratum; one stratum of everybody for None."""
    if stratum is None:
        return [np.arange(n)]
    labels: StrArray = np.asarray(stratum)
    if labels.shape != (n,):
        raise ValueError(f"stratum must have {n} rows, got {labels.shape}")
    _, inverse = np.unique(labels, return_inverse=True)
    order = np.argsort(inverse, kind="stable")
    return np.split(order, np.flatnonzero(np.diff(inverse[order])) + 1)


def concordance_sums(
    time: FloatArray,
    event: BoolArray,
    risk: FloatArray,
    case_weight: FloatArray,
    strata: list[IntArray],
    tied_tol: float,
    entry: FloatArray | None = None,
    repeats: FloatArray | None = None,
) -> tuple[FloatArray, FloatArray]:
    """Weighted numbers of concordant (ties in risk one half) and of comparable pairs within strata.

    A pair is comparable when the first has the event while the second is observed and free of it: later, or censored
    at the same time. It is concordant when the first has the higher risk.

    Parameters
    ----------
    time, event, risk, case_weight : (n,) arrays
        ``case_weight`` multiplies every pair whose first patient this is; 0 leaves them out.
    strata : list of row numbers
    tied_tol : float
        Risks no further apart than this are tied.
    entry : (n,) array, optional
        The second must have entered before the first one's event.
    repeats : (r, n) array, optional
        How often each patient is counted in each of r repeats; default once.

    Returns
    -------
    concordant, comparable : (r,) float arrays
    """
    if repeats is None:
        won, known = _counts(time, event, risk, strata, tied_tol, entry)
        return np.array([case_weight @ won]), np.array([case_weight @ known])
    concordant, comparable = np.zeros(len(repeats)), np.zeros(len(repeats))
    for cases, others in _blocks(event & (case_weight != 0), strata):
        score, pairs = _compare(time, event, risk, tied_tol, entry, cases, others)
        first, second = repeats[:, cases] * case_weight[cases], repeats[:, others]
        concordant += ((first @ score) * second).sum(axis=1)
        comparable += ((first @ pairs.astype(np.float64)) * second).sum(axis=1)
    return concordant, comparable


def _counts(
    time: FloatArray,
    event: BoolArray,
    risk: FloatArray,
    strata: list[IntArray],
    tied_tol: float,
    entry: FloatArray | None,
) -> tuple[FloatArray, FloatArray]:
    """(n,) concordant and comparable pairs of which each patient is the first."""
    won, comparable = np.zeros(len(time)), np.zeros(len(time))
    for rows in strata:
        cases = rows[event[rows]]
        if len(cases) * len(rows) <= _FEW:
            score, pairs = _compare(time, event, risk, tied_tol, entry, cases, rows)
            won[cases], comparable[cases] = score.sum(axis=1), pairs.sum(axis=1)
        else:
            late = None if entry is None else entry[rows]
            won[cases], comparable[cases] = _counts_of_many(time[rows], event[rows], risk[rows], tied_tol, late)
    return won, comparable


def _compare(
    time: FloatArray,
    event: BoolArray,
    risk: FloatArray,
    tied_tol: float,
    entry: FloatArray | None,
    cases: IntArray,
    others: IntArray,
) -> tuple[FloatArray, BoolArray]:
    """(c, o) concordance of each comparable pair (0, one half or 1), and which pairs are comparable."""
    pairs = (time[others] > time[cases, None]) | ((time[others] == time[cases, None]) & ~event[others])
    if entry is not None:
        pairs &= entry[others] < time[cases, None]
    difference = risk[cases, None] - risk[others]
    return ((difference > tied_tol) + 0.5 * (np.abs(difference) <= tied_tol)) * pairs, pairs


def _counts_of_many(
    time: FloatArray, event: BoolArray, risk: FloatArray, tied_tol: float, entry: FloatArray | None
) -> tuple[FloatArray, FloatArray]:
    """The row sums of :func:`_compare` in n·log²(n) steps, for strata too large for all pairs.

    Sorted by exit, with the events of a time before those censored then, the patients comparable with a case are
    all those from some place on. Those who enter only after the case's event are counted the same way and taken off.
    """
    at, ordered_risk = time[event], np.sort(risk)
    low = np.searchsorted(ordered_risk, risk[event] - tied_tol, side="left")
    high = np.searchsorted(ordered_risk, risk[event] + tied_tol, side="right")
    rank = np.empty(len(risk), dtype=np.int64)
    rank[np.argsort(risk, kind="stable")] = np.arange(len(risk))

    exits = np.lexsort((~event, time))
    start = np.searchsorted(time[exits], at, side="left") + _deaths_at(at)
    won, pairs = _later_and_below(rank[exits], start, low, high), len(time) - start.astype(np.float64)
    if entry is not None:
        entries = np.argsort(entry, kind="stable")
        start = np.searchsorted(entry[entries], at, side="left")
        won -= _later_and_below(rank[entries], start, low, high)
        pairs -= len(time) - start
    return won, pairs


def _deaths_at(times: FloatArray) -> IntArray:
    """For each time, how many of ``times`` are equal to it."""
    _, inverse, count = np.unique(times, return_inverse=True, return_counts=True)
    return np.asarray(count[inverse], dtype=np.int64)


def _later_and_below(rank: IntArray, start: IntArray, low: IntArray, high: IntArray) -> FloatArray:
    """For each query: ranks from place ``start`` on that are below ``low``, those from there to ``high`` by halves.

    The places from ``start`` to the end are one block of each power of two that the length of the tail contains;
    within the blocks of one size, ranks are sorted once and looked up for all queries together.
    """
    n, found = len(rank), np.zeros(len(start))
    tail = np.asarray(rank[::-1])  # so that the wanted places are the first n - start
    length, size = n - start, 1
    while size <= n:
        block = length // size - 1  # the last whole block of this size within the wanted length
        wanted = (length // size) % 2 == 1
        keys = np.sort((np.arange(n) // size) * (n + 1) + tail)
        offset = block[wanted] * (n + 1)
        for limit in (low, high):
            inside = np.searchsorted(keys, offset + limit[wanted], side="left") - block[wanted] * size
            found[wanted] += 0.5 * inside
        size *= 2
    return found


def _blocks(case: BoolArray, strata: list[IntArray]) -> Iterator[tuple[IntArray, IntArray]]:
    """Cases of a stratum, in blocks of bounded size, with all rows of that stratum."""
    for rows in strata:
        cases = rows[case[rows]]
        size = max(1, _CELLS // max(len(rows), 1))
        for start in range(0, len(cases), size):
            yield cases[start : start + size], rows
