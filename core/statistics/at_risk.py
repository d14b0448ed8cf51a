"""The table under a survival curve: at risk, events and censored at the ticks of its time axis."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from core.arrays import ArrayLike, FloatArray, IntArray
from core.statistics.risk_sets import risk_sets


@dataclass(frozen=True, eq=False)
class AtRiskTable:
    """Counts at ``t`` ticks.

    Parameters
    ----------
    ticks : (t,) float array
        Months.
    at_risk : (t,) int array
        Patients at risk at the first exit at or after the tick; 0 after the last exit.
    events, censored : (t,) int arrays
        Cumulative, up to and including the tick. ``np.diff`` gives the counts between ticks.
    """

    ticks: FloatArray
    at_risk: IntArray
    events: IntArray
    censored: IntArray


def at_risk_table(time: ArrayLike, event: ArrayLike, ticks: ArrayLike, entry: ArrayLike | None = None) -> AtRiskTable:
    """Numbers at risk and cumulative numbers of events and censored patients.

    Parameters
    ----------
    time, event, entry : (n,) arrays
        Exit in months, event indicator, entry in months; n may be 0, which gives zeros.
    ticks : (t,) array
        Months in any order.

    Notes
    -----
    ``at_risk`` equals ``n.risk`` of R ``summary(survfit, times = ticks, extend = TRUE)``: the patients with
    entry < u <= exit, u being the first exit time at or after the tick. Without late entry that is everybody with
    exit >= tick. ``events`` and ``censored`` are the cumulative sums of R's ``n.event`` and ``n.censor``.
    """
    sets = risk_sets(time, event, entry)
    months = np.asarray(ticks, dtype=np.float64)
    following = np.searchsorted(sets.time, months, side="left")
    upto = np.searchsorted(sets.time, months, side="right")
    return AtRiskTable(
        months,
        np.append(sets.at_risk, 0)[following],
        np.concatenate([[0], np.cumsum(sets.events)])[upto].astype(np.int64),
        np.concatenate([[0], np.cumsum(sets.censored)])[upto].astype(np.int64),
    )
