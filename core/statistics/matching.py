"""Which expert of one model is which of another: experts without names keep nothing but what they do."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import linear_sum_assignment

from core.arrays import ArrayLike, FloatArray, IntArray


@dataclass(frozen=True, eq=False)
class Matching:
    """``order`` (e,): the other model's expert that stands in the place of each of the reference's · ``correlation``
    (e,) how alike the two are; 0 where one of them never varies."""

    order: IntArray
    correlation: FloatArray

    @property
    def agreement(self) -> float:
        """Mean correlation of the matched pairs."""
        return float(self.correlation.mean())


def match_experts(reference: ArrayLike, other: ArrayLike) -> Matching:
    """Pair the columns of two matrices so that the sum of their correlations is largest (Kuhn 1955: the assignment
    problem).

    Parameters
    ----------
    reference, other : (n, e) arrays
        Gate weight of the same ``n`` tokens to each of ``e`` experts, by two models.
    """
    r = _correlations(np.asarray(reference, dtype=np.float64), np.asarray(other, dtype=np.float64))
    rows, columns = linear_sum_assignment(-r)
    order = columns[np.argsort(rows)].astype(np.int64)
    return Matching(order, r[np.arange(len(order)), order])


def _correlations(a: FloatArray, b: FloatArray) -> FloatArray:
    """(e, e) Pearson correlation of every column of ``a`` with every one of ``b``."""
    return np.asarray(_unit(a).T @ _unit(b))


def _unit(x: FloatArray) -> FloatArray:
    centred = x - x.mean(axis=0)
    length = np.linalg.norm(centred, axis=0)
    return np.asarray(np.divide(centred, length, out=np.zeros_like(centred), where=length > 1e-12))
