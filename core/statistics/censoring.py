"""The distribution of censoring times, for inverse-probability-of-censoring weights (IPCW)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from core.arrays import ArrayLike, FloatArray
from core.statistics.risk_sets import risk_sets


@dataclass(frozen=True, eq=False)
class CensoringDistribution:
    """G(t) = P(not censored by t) as a right-continuous step function.

    Parameters
    ----------
    time, uncensored : (t,) float arrays
    """

    time: FloatArray
    uncensored: FloatArray

    def at(self, times: ArrayLike) -> FloatArray:
        """G at these months; 1 before the first exit, flat after the last."""
        step = np.searchsorted(self.time, np.asarray(times, dtype=np.float64), side="right")
        return np.asarray(np.concatenate([[1.0], self.uncensored])[step])

    def weight(self, times: ArrayLike) -> FloatArray:
        """1/G at these months; infinite where nobody is left uncensored."""
        g = self.at(times)
        return np.where(g > 0, 1 / np.where(g > 0, g, 1.0), np.inf)


def censoring_distribution(time: ArrayLike, event: ArrayLike) -> CensoringDistribution:
    """Kaplan-Meier estimate of censoring; at tied times events leave the risk set before the censored do."""
    sets = risk_sets(time, event)
    remaining = np.maximum(sets.at_risk - sets.events, 1)
    return CensoringDistribution(sets.time, np.cumprod(1 - sets.censored / remaining))


def censoring_of(
    time: ArrayLike, event: ArrayLike, censoring_time: ArrayLike | None, censoring_event: ArrayLike | None
) -> CensoringDistribution:
    """From the given (training) patients, or from the evaluated ones where none are given."""
    if (censoring_time is None) != (censoring_event is None):
        raise ValueError("censoring_time and censoring_event are given together or not at all")
    if censoring_time is None or censoring_event is None:
        return censoring_distribution(time, event)
    return censoring_distribution(censoring_time, censoring_event)
