"""Genes on a common scale, learned from the training fold alone.

TCGA z-scores reach 36,893; ranks within the training patients have no outliers. A value becomes its percentile among
the training patients (ties count half), then each column is centred and divided by its standard deviation.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from core.arrays import Float32Array

KNOTS = 101
Method = Literal["rank", "z-score"]


@dataclass(frozen=True, eq=False)
class GeneScaler:
    """A fitted scaler of g columns.

    ``knots`` (101, g) training percentiles (unused for ``"z-score"``) · ``mean`` and ``scale`` (g,) of the training
    values after ranking; a constant column gets scale 0 and so contributes nothing.
    """

    method: Method
    knots: Float32Array
    mean: Float32Array
    scale: Float32Array

    @classmethod
    def fit(cls, values: NDArray[np.float32], method: Method = "rank") -> GeneScaler:
        """Learn from the (n, g) training values; NaN is left out."""
        known = values[np.isfinite(values).any(axis=1)]
        if not len(known):
            nothing = np.zeros(values.shape[1], dtype=np.float32)
            return cls(method, np.zeros((KNOTS, values.shape[1]), dtype=np.float32), nothing, nothing)
        filled = _without_gaps(known)
        # knots are values that occurred: between two of them only order would count on a scale the data chose
        knots = np.quantile(filled, np.linspace(0, 1, KNOTS), axis=0, method="nearest").astype(np.float32)
        raw = _percentile(known, knots) if method == "rank" else known
        with np.errstate(invalid="ignore"):
            spread = np.nan_to_num(np.nanstd(_without_gaps(raw), axis=0))
            mean = np.nan_to_num(np.nanmean(_without_gaps(raw), axis=0))
        scale = np.where(spread > 1e-6, 1.0 / np.maximum(spread, 1e-6), 0.0)
        return cls(method, knots, mean.astype(np.float32), scale.astype(np.float32))

    def transform(self, values: NDArray[np.float32]) -> Float32Array:
        """(n, g) raw values → scaled; a missing value becomes 0, the training mean."""
        raw = _percentile(values, self.knots) if self.method == "rank" else values
        scaled = (np.where(np.isfinite(raw), raw, self.mean) - self.mean) * self.scale
        return np.asarray(scaled, dtype=np.float32)


def _without_gaps(values: NDArray[np.float32]) -> Float32Array:
    """Missing values replaced by their column's median, so that quantiles exist; an empty column becomes 0."""
    gaps = ~np.isfinite(values)
    if not gaps.any():
        return values
    filled = np.where(gaps, np.nan, values)
    empty = gaps.all(axis=0)
    median = np.zeros(values.shape[1], dtype=np.float32)
    median[~empty] = np.nanmedian(filled[:, ~empty], axis=0)
    return np.where(gaps, median, values).astype(np.float32)


def _percentile(values: NDArray[np.float32], knots: Float32Array) -> Float32Array:
    """Share of the knots below each value, ties counted half; NaN stays NaN."""
    ranks = np.empty(values.shape, dtype=np.float32)
    for column in range(values.shape[1]):
        below = np.searchsorted(knots[:, column], values[:, column], side="left")
        upto = np.searchsorted(knots[:, column], values[:, column], side="right")
        ranks[:, column] = (below + upto) / (2 * KNOTS)
    ranks[~np.isfinite(values)] = np.nan
    return ranks
