"""Embeddings of several models brought into the space of one of them by rotation and scale."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from core.arrays import ArrayLike, FloatArray


@dataclass(frozen=True, eq=False)
class Aligned:
    """``values`` (n, d) in the reference's space · ``explained`` share of the reference's variation they reproduce."""

    values: FloatArray
    explained: float


def align_to(reference: ArrayLike, other: ArrayLike) -> Aligned:
    """Rotate, reflect and scale (n, d) ``other`` onto (n, d) ``reference`` (orthogonal Procrustes, Schönemann 1966)."""
    a, b = (np.asarray(x, dtype=np.float64) for x in (reference, other))
    middle = a.mean(axis=0)
    a, b = a - middle, b - b.mean(axis=0)
    left, strength, right = np.linalg.svd(b.T @ a, full_matrices=False)
    scale = strength.sum() / max(float((b**2).sum()), 1e-12)
    moved = scale * (b @ (left @ right))
    total = float((a**2).sum())
    explained = 1.0 - float(((a - moved) ** 2).sum()) / total if total > 0 else 0.0
    return Aligned(moved + middle, explained)


def principal_axes(values: ArrayLike, axes: int = 2) -> tuple[FloatArray, FloatArray]:
    """(n, axes) scores of the first principal axes, and the share of variation each holds; signs are fixed so that
    the largest loading is positive."""
    x = np.asarray(values, dtype=np.float64)
    x = x - x.mean(axis=0)
    left, strength, right = np.linalg.svd(x, full_matrices=False)
    sign = np.sign(right[np.arange(len(right)), np.abs(right).argmax(axis=1)])
    sign[sign == 0] = 1.0
    scores = left * strength * sign
    share = strength**2 / max(float((strength**2).sum()), 1e-12)
    if scores.shape[1] < axes:
        scores = np.pad(scores, ((0, 0), (0, axes - scores.shape[1])))
        share = np.pad(share, (0, axes - len(share)))
    return scores[:, :axes], share[:axes]
