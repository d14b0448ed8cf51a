"""Who is at risk, has the event or is censored at each distinct time: what every estimator here starts from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from core.arrays import ArrayLike, BoolArray, FloatArray, IntArray


@dataclass(frozen=True, eq=False)
class RiskSets:
    """Counts at ``t`` ascending times.

    Parameters
    ----------
    time : (t,) float array
        Months.
    at_risk : (t,) int array
        Patients with entry < time <= exit. An entry of 0 or less counts as "from the very beginning", so that
        somebody observed from time zero is at risk for an event at time zero.
    events, censored : (t,) int arrays
        Patients whose observation ended at exactly this time.
    """

    time: FloatArray
    at_risk: IntArray
    events: IntArray
    censored: IntArray


def checked(
    time: ArrayLike, event: ArrayLike, entry: ArrayLike | None = None
) -> tuple[FloatArray, BoolArray, FloatArray | None]:
    """The three arrays of an outcome, checked; ``entry`` becomes None when nobody enters late.

    Raises
    ------
    ValueError
        For arrays of different length, NaN or negative times, or an exit that is not after a late entry.
        Callers filter unknown outcomes (``Endpoint.known``), so this is a programming error.
    """
    times = np.asarray(time, dtype=np.float64)
    events = np.asarray(event).astype(np.bool_)
    if times.ndim != 1 or events.shape != times.shape:
        raise ValueError(f"time and event must be one-dimensional and equally long, got {times.shape}, {events.shape}")
    if not np.isfinite(times).all() or (times < 0).any():
        raise ValueError("times must be finite and not negative")
    if entry is None:
        return times, events, None
    entries = np.asarray(entry, dtype=np.float64)
    if entries.shape != times.shape or np.isnan(entries).any():
        raise ValueError(f"entry must be as long as time and without NaN, got {entries.shape}")
    late = entries > 0
    if not late.any():
        return times, events, None
    if (entries[late] >= times[late]).any():
        raise ValueError("every late entry must lie before its exit")
    return times, events, np.where(late, entries, -np.inf)


def risk_sets(
    time: ArrayLike, event: ArrayLike, entry: ArrayLike | None = None, at: ArrayLike | None = None
) -> RiskSets:
    """Counts at every distinct exit time, or at the ascending times ``at``.

    Parameters
    ----------
    time, event, entry : (n,) arrays
        Exit in months, event indicator, entry in months (None: everybody from time zero).
    at : (t,) array, optional
        Ascending distinct times to count at; exits at other times are then not in ``events`` and ``censored``.
    """
    times, events, entries = checked(time, event, entry)
    grid = np.unique(times) if at is None else np.asarray(at, dtype=np.float64)
    left = np.searchsorted(np.sort(times), grid, side="left")
    entered = len(times) if entries is None else np.searchsorted(np.sort(entries), grid, side="left")
    return RiskSets(
        grid,
        np.asarray(entered - left, dtype=np.int64),
        _count_at(times[events], grid),
        _count_at(times[~events], grid),
    )


def _count_at(times: FloatArray, grid: FloatArray) -> IntArray:
    """How many of ``times`` equal each time of the ascending ``grid``."""
    ordered = np.sort(times)
    counts: IntArray = np.searchsorted(ordered, grid, side="right") - np.searchsorted(ordered, grid, side="left")
    return counts.astype(np.int64)
