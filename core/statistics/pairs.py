"""Comparable pairs of patients: the sums behind every concordance index, also for many re-weightings at once."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from core.arrays import ArrayLike, BoolArray, FloatArray, IntArray, StrArray

_CELLS = 2_000_000
"""Pairs looked at in one block: 16 MB of doubles."""


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
    counts = np.ones((1, len(time))) if repeats is None else repeats
    concordant, comparable = np.zeros(len(counts)), np.zeros(len(counts))
    for cases, others in _blocks(event & (case_weight != 0), strata):
        pairs = (time[others] > time[cases, None]) | ((time[others] == time[cases, None]) & ~event[others])
        if entry is not None:
            pairs &= entry[others] < time[cases, None]
        difference = risk[cases, None] - risk[others]
        score = ((difference > tied_tol) + 0.5 * (np.abs(difference) <= tied_tol)) * pairs
        first = counts[:, cases] * case_weight[cases]
        if repeats is None:
            concordant += first[0] @ score.sum(axis=1)
            comparable += first[0] @ pairs.sum(axis=1)
        else:
            second = counts[:, others]
            concordant += ((first @ score) * second).sum(axis=1)
            comparable += ((first @ pairs.astype(np.float64)) * second).sum(axis=1)
    return concordant, comparable


def _blocks(case: BoolArray, strata: list[IntArray]) -> Iterator[tuple[IntArray, IntArray]]:
    """Cases of a stratum, in blocks of bounded size, with all rows of that stratum."""
    for rows in strata:
        cases = rows[case[rows]]
        size = max(1, _CELLS // max(len(rows), 1))
        for start in range(0, len(cases), size):
            yield cases[start : start + size], rows
