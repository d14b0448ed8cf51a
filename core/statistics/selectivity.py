"""Does an expert's embedding know its own markers better than the other expert's does?

Selectivity of a block = mean over its markers of [out-of-fold R² from the own expert − that from the other expert],
with a null distribution by permuting patients (MODELS.md 1.3). The embeddings of different folds' models live in
different spaces, so within each fold a ridge regression is fitted on the fold's training patients and predicts its
test patients; R² is of all test patients together.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from core.arrays import BoolArray, FloatArray, IntArray
from core.statistics.ridge import ridge_map

FEWEST = 30
"""Patients with a marker below which nothing is said about it."""


@dataclass(frozen=True, eq=False)
class FoldEmbedding:
    """One model of one outer fold: ``rows`` (n,) the patients, ``tested`` (n,) those it never saw, and each expert's
    embedding (n, d) by name."""

    rows: IntArray
    tested: BoolArray
    experts: Mapping[str, FloatArray]


@dataclass(frozen=True)
class MarkerScore:
    """Out-of-fold R² of one marker from each expert, and the p-values of own − other.

    ``own`` − ``other`` is the marker's selectivity; ``p`` one-sided by permutation; ``p_own`` that of ``own`` > 0.
    """

    marker: str
    block: str
    patients: int
    own: float
    other: float
    p: float
    p_own: float


@dataclass(frozen=True)
class BlockScore:
    """Selectivity of one block over its markers, with its permutation p and the mean and spread of the null."""

    block: str
    value: float
    p: float
    null_mean: float
    null_sd: float
    markers: tuple[MarkerScore, ...]


def selectivity(
    models: Sequence[FoldEmbedding],
    markers: Mapping[str, FloatArray],
    blocks: Mapping[str, str],
    permutations: int = 999,
    seed: int = 0,
    degrees: float = 12.0,
) -> tuple[BlockScore, ...]:
    """Selectivity of every block that has a marker.

    Parameters
    ----------
    models : sequence of FoldEmbedding
        The models of all folds and seeds; R² is averaged over seeds in the sense that each model predicts its fold.
    markers : mapping of name to (N,) array, NaN = missing
    blocks : mapping of marker to block
        A block is also the name of its own expert; the other experts together are "other" (their mean).
    permutations, seed : int
        Patients are permuted together for all markers, so that the markers' correlation is kept.
    degrees : float
        Effective degrees of freedom of each ridge regression.
    """
    rng = np.random.default_rng(seed)
    total = len(next(iter(markers.values())))
    orders = [np.arange(total), *(rng.permutation(total) for _ in range(permutations))]
    per_marker = {name: _differences(models, values, blocks[name], orders, degrees) for name, values in markers.items()}
    return tuple(
        _block(block, {m: per_marker[m] for m in markers if blocks[m] == block}, markers)
        for block in dict.fromkeys(blocks[m] for m in markers)
    )


def _differences(
    models: Sequence[FoldEmbedding], values: FloatArray, own: str, orders: Sequence[IntArray], degrees: float
) -> FloatArray:
    """(1 + permutations, 2) R² from the own and from the other experts; row 0 is the data as they are."""
    permuted = np.stack([values[order] for order in orders])
    names = tuple(models[0].experts)
    residual = {name: np.zeros(len(orders)) for name in names}
    spread = np.zeros(len(orders))
    known = np.isfinite(values)
    for model in models:
        # which patients have the marker is kept as it is: the values move among those that have one
        target = _moved(permuted, known, model.rows)
        use = known[model.rows]
        train, test = use & ~model.tested, use & model.tested
        if train.sum() < FEWEST // 2 or not test.any():
            continue
        y_train, y_test = target[:, train], target[:, test]
        spread += ((y_test - y_train.mean(axis=1, keepdims=True)) ** 2).sum(axis=1)
        for name in names:
            embedding = model.experts[name]
            predicted = y_train @ ridge_map(embedding[train], embedding[test], degrees).T
            residual[name] += ((y_test - predicted) ** 2).sum(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        scores = {name: 1 - residual[name] / spread for name in names}
    others = np.mean([scores[n] for n in names if n != own], axis=0)
    return np.stack([scores[own], others], axis=1)


def _moved(permuted: FloatArray, known: BoolArray, rows: IntArray) -> FloatArray:
    """(permutations, len(rows)) the permuted values laid onto the patients that have one, in order."""
    laid = np.full(permuted.shape, np.nan)
    for i, values in enumerate(permuted):
        laid[i, known] = values[np.isfinite(values)]
    return np.asarray(laid[:, rows])


def _block(block: str, differences: Mapping[str, FloatArray], markers: Mapping[str, FloatArray]) -> BlockScore:
    scores = tuple(_marker(name, block, both, markers[name]) for name, both in differences.items())
    mean = np.mean([both[:, 0] - both[:, 1] for both in differences.values()], axis=0)
    null = mean[1:]
    middle, spread = (float(null.mean()), float(null.std())) if len(null) else (float("nan"), float("nan"))
    return BlockScore(block, float(mean[0]), _p_value(mean), middle, spread, scores)


def _marker(name: str, block: str, both: FloatArray, values: FloatArray) -> MarkerScore:
    own, other = both[0]
    p, p_own = _p_value(both[:, 0] - both[:, 1]), _p_value(both[:, 0])
    return MarkerScore(name, block, int(np.isfinite(values).sum()), float(own), float(other), p, p_own)


def _p_value(values: FloatArray) -> float:
    """Share of the permutations at least as large as the data, the data counted among them."""
    return float((values >= values[0]).mean()) if np.isfinite(values[0]) else float("nan")
