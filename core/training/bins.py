"""Time cut into bins, and S(t) read back from the hazards of the bins.

Within a bin the hazard is constant, so S(t) = S(e_k)·(1 − h_k)^((t − e_k)/(e_{k+1} − e_k)). The reported horizons are
edges. The last edge is the last month at which 20 training patients were at risk; nothing is said beyond it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from core.arrays import FloatArray
from core.features.follow_up import last_estimable
from core.features.inputs import Outcome


@dataclass(frozen=True)
class TimeBins:
    """``edges`` in months, from 0 to the last estimable month; bin k is [edges[k], edges[k+1])."""

    edges: tuple[float, ...]

    def __len__(self) -> int:
        return len(self.edges) - 1

    @property
    def limit(self) -> float:
        return self.edges[-1]

    def index(self, time: FloatArray) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
        """(n,) bin of each time; times at or beyond the limit fall into the last bin."""
        return np.asarray(np.searchsorted(np.asarray(self.edges[1:-1]), time, side="right"), dtype=np.int64)

    def fraction(self, time: FloatArray) -> FloatArray:
        """(n, bins) the share of each bin that lies before ``time``, in 0..1."""
        edges = np.asarray(self.edges)
        width = np.diff(edges)
        return np.asarray(np.clip((time[:, None] - edges[:-1]) / width, 0.0, 1.0))

    def survival(self, hazards: FloatArray, times: FloatArray) -> FloatArray:
        """(n, bins) hazards → (n, t) S(t); NaN beyond the limit."""
        logs = np.log1p(-np.clip(hazards, 0.0, 1.0 - 1e-7))
        result = np.exp(logs @ self.fraction(times).T)
        result[:, times > self.limit] = np.nan
        return np.asarray(result)


def make_bins(outcome: Outcome, horizons: tuple[float, ...], quantiles: int = 4) -> TimeBins:
    """Bins of a training fold: the estimable horizons, and quantiles of the event times between them.

    A quantile closer to a horizon than 5 % of the estimable range is dropped: it would make a bin without events.
    """
    limit = last_estimable(outcome)
    gap = 0.05 * limit
    fixed = sorted({h for h in horizons if 0 < h <= limit})
    if fixed and limit - fixed[-1] < gap:
        limit = fixed[-1]
        fixed = fixed[:-1]
    edges = [0.0, *fixed, limit]
    times = outcome.time[outcome.event]
    if len(times):
        for q in np.quantile(times, np.arange(1, quantiles) / quantiles):
            if min(abs(q - e) for e in edges) >= gap and q < limit:
                edges.append(float(q))
    return TimeBins(tuple(sorted(edges)))


def upstream_bins(outcome: Outcome, quantiles: int = 4) -> TimeBins:
    """Quartiles of the event times, last bin up to the last time: the released code's bins (MODELS.md 1.1.1)."""
    inner = np.quantile(outcome.time[outcome.event], np.arange(1, quantiles) / quantiles)
    # a quartile at month 0 would make a bin without width
    return TimeBins((0.0, *(float(q) for q in np.unique(inner) if q > 0), float(outcome.time.max()) + 1e-6))
