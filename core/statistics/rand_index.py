"""How alike two partitions of the same patients are, corrected for chance, with a bootstrap interval."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from core.arrays import ArrayLike, FloatArray, IntArray


@dataclass(frozen=True)
class Agreement:
    """Mean adjusted Rand index over ``pairs`` of partitions and its 95 % interval over patients; None without pairs."""

    value: float | None
    low: float | None
    high: float | None
    pairs: int


def adjusted_rand(first: ArrayLike, second: ArrayLike) -> float:
    """Adjusted Rand index of two labellings (Hubert and Arabie, J. Classification 1985, 2:193): 1 = the same partition,
    0 = as alike as chance makes them."""
    a, b = _codes(first), _codes(second)
    table = np.zeros((a.max() + 1, b.max() + 1))
    np.add.at(table, (a, b), 1)
    return _index(table)


def agreement(
    partitions: Sequence[tuple[IntArray, IntArray]], repeats: int = 200, seed: int = 0, confidence: float = 0.95
) -> Agreement:
    """Mean over pairs of labellings, with an interval by drawing patients with replacement within each pair.

    Parameters
    ----------
    partitions : pairs of (n_i,) labellings of the same patients by two models
        Pairs of equally many patients (one fold's, seen by several seeds) share their draws, as their patients do.
    """
    if not partitions:
        return Agreement(None, None, None, 0)
    coded = [(_codes(a), _codes(b)) for a, b in partitions]
    value = float(np.mean([adjusted_rand(a, b) for a, b in coded]))
    random = np.random.default_rng(seed)
    found = np.zeros(repeats)
    for i in range(repeats):
        weights = {n: random.multinomial(n, np.full(n, 1 / n)).astype(float) for n in {len(a) for a, _ in coded}}
        found[i] = np.mean([_weighted(a, b, weights[len(a)]) for a, b in coded])
    tail = (1 - confidence) / 2
    low, high = np.quantile(found, (tail, 1 - tail))
    return Agreement(value, float(min(low, value)), float(max(high, value)), len(coded))


def jaccard_of_group(first: ArrayLike, second: ArrayLike, group: int) -> float:
    """Largest Jaccard similarity of one group of ``first`` with any group of ``second`` (Hennig, Comput. Stat. Data
    Anal. 2007, 52:258); NaN for an empty group."""
    a, b = np.asarray(first), np.asarray(second)
    inside = a == group
    if not inside.any():
        return float("nan")
    shared = [float((inside & (b == g)).sum() / (inside | (b == g)).sum()) for g in np.unique(b)]
    return max(shared)


def _codes(labels: ArrayLike) -> IntArray:
    return np.unique(np.asarray(labels), return_inverse=True)[1].astype(np.int64)


def _weighted(a: IntArray, b: IntArray, weight: FloatArray) -> float:
    shape = (int(a.max()) + 1, int(b.max()) + 1)
    table = np.bincount(a * shape[1] + b, weights=weight, minlength=shape[0] * shape[1]).reshape(shape)
    return _index(np.asarray(table, dtype=np.float64))


def _index(table: FloatArray) -> float:
    n = table.sum()
    together = _pairs(table).sum()
    rows, columns = _pairs(table.sum(axis=1)).sum(), _pairs(table.sum(axis=0)).sum()
    expected = rows * columns / _pairs(np.array(n))
    most = (rows + columns) / 2
    return 1.0 if most == expected else float((together - expected) / (most - expected))


def _pairs(counts: FloatArray) -> FloatArray:
    return np.asarray(counts * (counts - 1) / 2)
