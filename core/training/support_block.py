"""How far a patient lies from the training patients in one block of inputs (genes, clinical columns, pooled patches).

Two distances, because either alone misses half: within the space of the training patients' main components, the mean
Euclidean distance to the nearest of them (unusual values of usual patterns); and what is left of the patient outside
that space (patterns no training patient had, such as another tissue's). Nearest-neighbour distance: Ramaswamy, Rastogi
and Shim, SIGMOD 2000; score and orthogonal distance: Hubert, Rousseeuw and Vanden Branden, Technometrics 2005, 47:64.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.arrays import FloatArray, IntArray

COMPONENTS = 32
NEIGHBOURS = 10
QUANTILE = 0.99
"""Share of held-out training patients that lie within the threshold of a block, both distances together."""
PARTS = 5
CLIP = 5.0
"""Standard deviations beyond which a standardised column counts no more: one rare value alone makes nobody strange."""
CONSTANT = 1e-5
_ARRAYS = ("centre", "scale", "components", "points", "limits")


@dataclass(frozen=True, eq=False)
class SupportBlock:
    """Training patients of one block as points, and the distances that count as near.

    ``centre``, ``scale`` (d,) subtracted, then multiplied · ``components`` (c, d) orthonormal, (0, d) where the d
    columns are used as they are · ``points`` (m, c) or (m, d) · ``limits`` (2,) thresholds of the two distances; the
    second is infinite without components.
    """

    centre: FloatArray
    scale: FloatArray
    components: FloatArray
    points: FloatArray
    limits: FloatArray

    @property
    def widest(self) -> float:
        """:data:`CLIP` where the columns are standardised here; others come on a scale of their own."""
        return CLIP if bool((self.scale != 1.0).any()) else float("inf")

    @classmethod
    def fit(cls, values: FloatArray, standardise: bool = False) -> SupportBlock:
        """From the prepared (m, d) values of the training patients that have the block, m ≥ 2; NaN counts as mean.

        ``standardise`` divides each column by its standard deviation first, for columns of different units.

        The components are fitted to these patients, who would therefore lie closer to them than a new patient does.
        So the thresholds come from patients held out: components of four fifths, distances of the other fifth, in turn.
        """
        part = np.random.default_rng(0).permutation(len(values)) % PARTS
        held = [
            _placed(values[part != p], standardise).distances(values[part == p])
            for p in range(PARTS)
            if (part == p).any() and (part != p).any()
        ]
        seen = np.concatenate(held)
        block = _placed(values, standardise)
        share = QUANTILE if not len(block.components) else 1 - (1 - QUANTILE) / 2
        limits = np.quantile(seen, share, axis=0)
        if not len(block.components):
            limits[1] = np.inf
        return cls(block.centre, block.scale, block.components, block.points, np.maximum(limits, block.rounding()))

    def distances(self, values: FloatArray) -> FloatArray:
        """(n, 2) distance to the nearest training patients, and distance outside their main components.

        Missing values are taken as the training mean; the second distance is scaled up for them.
        """
        known = np.isfinite(values)
        moved = np.clip(np.where(known, (values - self.centre) * self.scale, 0.0), -self.widest, self.widest)
        if not len(self.components):
            return np.column_stack([_nearest(moved, self.points), np.zeros(len(values))])
        scores = moved @ self.components.T
        rest = np.where(known, moved - scores @ self.components, 0.0)
        scale = np.sqrt(values.shape[1] / np.maximum(known.sum(axis=1), 1))
        return np.column_stack([_nearest(scores, self.points), scale * np.linalg.norm(rest, axis=1)])

    def ratio(self, values: FloatArray) -> FloatArray:
        """(n,) the larger of the two distances as a multiple of its threshold; above 1 is outside."""
        ratios: FloatArray = (self.distances(values) / self.limits).max(axis=1)
        return ratios

    def rounding(self) -> float:
        """A distance too small to mean anything: it keeps exact copies and flat directions from being thresholds."""
        return max(1e-9, 1e-4 * float(np.sqrt(np.mean((self.points**2).sum(axis=1)))))

    def arrays(self) -> dict[str, NDArray[Any]]:
        """For safetensors."""
        return {name: getattr(self, name).astype(np.float32) for name in _ARRAYS}

    @classmethod
    def restore(cls, arrays: dict[str, NDArray[Any]]) -> SupportBlock:
        return cls(*(arrays[name].astype(np.float64) for name in _ARRAYS))


def _placed(values: FloatArray, standardise: bool) -> SupportBlock:
    """The block without thresholds."""
    known = np.isfinite(values)
    counts = np.maximum(known.sum(axis=0), 1)
    centre = np.where(known, values, 0.0).sum(axis=0) / counts
    moved, scale = np.where(known, values - centre, 0.0), np.ones(values.shape[1])
    if standardise:
        spread = np.sqrt((moved**2).sum(axis=0) / counts)
        # a column that only rounding sets apart says nothing
        varies = spread > CONSTANT * np.maximum(1.0, np.abs(centre))
        scale = np.where(varies, 1 / np.where(varies, spread, 1.0), 0.0)
        moved = np.clip(moved * scale, -CLIP, CLIP)
    limits = np.ones(2)
    if values.shape[1] <= COMPONENTS:
        return SupportBlock(centre, scale, np.zeros((0, values.shape[1])), moved, limits)
    components = _components(moved)
    points = moved @ components.T if len(components) else moved  # patients who are all alike have no directions
    return SupportBlock(centre, scale, components, points, limits)


def _components(moved: FloatArray) -> FloatArray:
    """(c, d) main directions of the rows, from their (m, m) inner products: far fewer patients than columns."""
    square, vectors = np.linalg.eigh(moved @ moved.T)
    keep: IntArray = np.flatnonzero(square > 1e-9 * max(float(square[-1]), 1e-12))[::-1][:COMPONENTS]
    directions: FloatArray = (vectors[:, keep] / np.sqrt(square[keep])).T @ moved
    return directions


def _nearest(values: FloatArray, points: FloatArray) -> FloatArray:
    """(n,) mean distance to the nearest points."""
    squared = (values**2).sum(axis=1)[:, None] + (points**2).sum(axis=1) - 2 * values @ points.T
    near = np.sort(np.sqrt(np.maximum(squared, 0.0)), axis=1)[:, :NEIGHBOURS]
    return np.asarray(near.mean(axis=1), dtype=np.float64)
