"""Does an expert's embedding know its own markers better than the other expert's does?

Selectivity of a block = mean over its markers of [out-of-fold R² from the own expert − that from the other expert],
with two null distributions: patients permuted (MODELS.md 1.3), and what the experts hold together split at random
(:mod:`core.statistics.expert_splits`). Experts that were never taught pass the first one by chance, each holding other
things than the other; a name means something only where both are rejected, so p is the larger of the two. The
embeddings of different folds' models live in different spaces, so within each fold a ridge regression is fitted on
the fold's training patients and predicts its test patients; R² is of all test patients together.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from core.arrays import BoolArray, FloatArray, IntArray
from core.statistics.expert_splits import aligned, joint_space, random_rotations, squared_errors
from core.statistics.ridge import ridge_map

FEWEST = 30
"""Patients with a marker below which nothing is said about it."""
MOST_SPLITS = 499
"""Random splits of the experts' joint space: each costs a regression a model and marker."""


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
    """Selectivity of one block over its markers.

    ``p`` is the larger of ``p_patients`` (patients permuted; ``null_mean`` and ``null_sd`` are of this null) and
    ``p_names`` (joint space split at random) · ``p_swapped`` the same for the opposite: the block's markers stand in
    the other expert.
    """

    block: str
    value: float
    p: float
    null_mean: float
    null_sd: float
    markers: tuple[MarkerScore, ...]
    p_patients: float = float("nan")
    p_names: float = float("nan")
    p_swapped: float = float("nan")


def selectivity(
    models: Sequence[FoldEmbedding],
    markers: Mapping[str, FloatArray],
    blocks: Mapping[str, str],
    permutations: int = 999,
    seed: int = 0,
    degrees: float = 12.0,
    groups: Sequence[int] | None = None,
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
    groups : sequence of int, optional
        Which models started alike (their seeds); each by itself when not given.
    """
    rng = np.random.default_rng(seed)
    total = len(next(iter(markers.values())))
    orders = [np.arange(total), *(rng.permutation(total) for _ in range(permutations))]
    per_marker = {name: _differences(models, values, blocks[name], orders, degrees) for name, values in markers.items()}
    split = _splits(models, markers, blocks, min(permutations, MOST_SPLITS), rng, int(degrees), groups)
    return tuple(
        _block(block, {m: (per_marker[m], split[m]) for m in markers if blocks[m] == block}, markers)
        for block in dict.fromkeys(blocks[m] for m in markers)
    )


def _splits(
    models: Sequence[FoldEmbedding],
    markers: Mapping[str, FloatArray],
    blocks: Mapping[str, str],
    count: int,
    rng: np.random.Generator,
    most: int,
    groups: Sequence[int] | None,
) -> dict[str, FloatArray]:
    """Marker → (count,) own − other R² with the experts' joint space split at random."""
    names = tuple(models[0].experts)
    if not count:
        return dict.fromkeys(markers, np.zeros(0))
    groups = range(len(models)) if groups is None else groups
    spaces = aligned([_joint(m, most) for m in models], groups)
    rotations = random_rotations(spaces, groups, count, rng)
    error = {m: np.zeros((len(names), count)) for m in markers}
    spread = dict.fromkeys(markers, 0.0)
    for model, space, rotation in zip(models, spaces, rotations, strict=True):
        place = np.argsort(model.rows)
        turned = space[np.argsort(place)] @ rotation  # (count, patients, d), patients as in the model's rows
        parts = np.array_split(turned, len(names), axis=2)
        for marker, values in markers.items():
            use = np.isfinite(values[model.rows])
            train, test = use & ~model.tested, use & model.tested
            if train.sum() < FEWEST // 2 or not test.any():
                continue
            y_train, y_test = values[model.rows[train]], values[model.rows[test]]
            spread[marker] += float(((y_test - y_train.mean()) ** 2).sum())
            for i, part in enumerate(parts):
                error[marker][i] += squared_errors(part[:, train], part[:, test], y_train, y_test)
    found = {}
    for marker, of_marker in error.items():
        scores = 1 - of_marker / spread[marker] if spread[marker] else np.full_like(of_marker, np.nan)
        own = names.index(blocks[marker]) if blocks[marker] in names else 0
        found[marker] = scores[own] - np.delete(scores, own, axis=0).mean(axis=0)
    return found


def _joint(model: FoldEmbedding, most: int) -> FloatArray:
    """The model's joint space, rows in the order of the patients' numbers: all models of a cohort hold the same."""
    order = np.argsort(model.rows)
    return joint_space([e[order] for e in model.experts.values()], most)


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


def _block(
    block: str, found: Mapping[str, tuple[FloatArray, FloatArray]], markers: Mapping[str, FloatArray]
) -> BlockScore:
    scores = tuple(_marker(name, block, both, split, markers[name]) for name, (both, split) in found.items())
    mean = np.mean([both[:, 0] - both[:, 1] for both, _ in found.values()], axis=0)
    null, split = mean[1:], np.mean([s for _, s in found.values()], axis=0)
    middle, spread = (float(null.mean()), float(null.std())) if len(null) else (float("nan"), float("nan"))
    value, p_patients, p_names = float(mean[0]), _p_value(mean[0], null), _p_value(mean[0], split)
    swapped = max(_p_value(-value, -null), _p_value(-value, -split))
    p = max(p_patients, p_names)
    return BlockScore(block, value, p, middle, spread, scores, p_patients, p_names, swapped)


def _marker(name: str, block: str, both: FloatArray, split: FloatArray, values: FloatArray) -> MarkerScore:
    own, other = both[0]
    difference = both[:, 0] - both[:, 1]
    p = max(_p_value(difference[0], difference[1:]), _p_value(difference[0], split))
    p_own = _p_value(own, both[1:, 0])
    return MarkerScore(name, block, int(np.isfinite(values).sum()), float(own), float(other), p, p_own)


def _p_value(value: float, null: FloatArray) -> float:
    """Share of the null at least as large as the value, the value counted among them."""
    return float((1 + (null >= value).sum()) / (1 + len(null))) if np.isfinite(value) else float("nan")
