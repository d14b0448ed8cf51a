"""Bags of features on a common scale, learned from the training patients alone; and bags as single vectors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.arrays import Float32Array, FloatArray

Bags = Sequence[NDArray[np.float32] | None]


@dataclass(frozen=True, eq=False)
class BagScaler:
    """``mean`` and ``scale`` (d,) of the rows, ``pooled_mean`` and ``pooled_scale`` (2d,) of the averaged bags.

    Every patient counts the same, however many rows the bag has. A value that was not measured (NaN) becomes the
    training mean; a column that never changes contributes nothing.
    """

    mean: Float32Array
    scale: Float32Array
    pooled_mean: Float32Array
    pooled_scale: Float32Array

    @classmethod
    def fit(cls, bags: Bags, width: int) -> BagScaler:
        """Learn from the training patients' bags."""
        moments = [_moments(bag) for bag in bags if bag is not None]
        if not moments:
            nothing = np.zeros(width, dtype=np.float32)
            return cls(nothing, nothing, np.zeros(2 * width, np.float32), np.zeros(2 * width, np.float32))
        means, squares = (np.stack(m) for m in zip(*moments, strict=True))
        mean = _nanmean(means)
        # the spread of the rows around the mean of all: within patients and between them
        spread = np.sqrt(np.maximum(_nanmean(squares) - mean**2, 0))
        plain = cls(_single(mean), _inverse(spread, mean), np.zeros(0, np.float32), np.zeros(0, np.float32))
        pooled = np.stack([plain._averaged(bag) for bag in bags if bag is not None])
        centre = pooled.mean(axis=0)
        return cls(plain.mean, plain.scale, _single(centre), _inverse(pooled.std(axis=0), centre))

    def transform(self, bag: NDArray[np.float32]) -> Float32Array:
        """(n, d) → (n, d) standardised."""
        scaled = bag - self.mean
        scaled *= self.scale  # in place: a bag of very many patches is gigabytes
        gaps = np.isnan(scaled)
        if gaps.any():
            scaled[gaps] = 0.0
        return np.asarray(scaled, dtype=np.float32)

    def pooled(self, bags: Bags) -> Float32Array:
        """(n, 2d): mean and standard deviation over the rows of each bag, standardised; a missing bag is zero."""
        rows = np.zeros((len(bags), len(self.pooled_mean)), dtype=np.float32)
        for i, bag in enumerate(bags):
            if bag is not None:
                rows[i] = (self._averaged(bag) - self.pooled_mean) * self.pooled_scale
        return rows

    def _averaged(self, bag: NDArray[np.float32]) -> FloatArray:
        scaled = self.transform(bag).astype(np.float64)
        return np.concatenate([scaled.mean(axis=0), scaled.std(axis=0)])


def _moments(bag: NDArray[np.float32]) -> tuple[FloatArray, FloatArray]:
    """Mean and mean square of each column, NaN left out (NaN where there is nothing else)."""
    known = np.isfinite(bag)
    count = known.sum(axis=0)
    values = np.where(known, bag, 0).astype(np.float64)
    with np.errstate(invalid="ignore", divide="ignore"):
        return values.sum(axis=0) / count, (values**2).sum(axis=0) / count


def _nanmean(rows: FloatArray) -> FloatArray:
    known = np.isfinite(rows)
    total = np.where(known, rows, 0).sum(axis=0)
    return np.asarray(total / np.maximum(known.sum(axis=0), 1))


def _single(values: FloatArray) -> Float32Array:
    return np.asarray(values, dtype=np.float32)


def _inverse(spread: FloatArray, centre: FloatArray) -> Float32Array:
    """1/spread, 0 for a column that is constant up to rounding."""
    moving = spread > 1e-6 * np.maximum(np.abs(centre), 1.0)
    return _single(np.where(moving, 1.0 / np.maximum(spread, 1e-12), 0.0))
