"""The null that names mean nothing: what the experts hold together, split at random into equally large parts.

Permuting patients asks whether two experts differ at all. Two experts that nobody taught differ too: each keeps other
directions of what they read, by chance. What a name claims is more than that, so the observed difference is also
compared with that of random halves of the same joint space. Models of one seed start alike and split alike: their
spaces are turned onto each other first (orthogonal Procrustes), and one random rotation serves all of them.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from core.arrays import FloatArray

_KEPT = 0.95
"""Share of the directions that a ridge regression on few of them keeps, as in :mod:`core.statistics.ridge`."""


def joint_space(experts: Sequence[FloatArray], most: int) -> FloatArray:
    """(n, d) orthonormal basis of all that the experts' embeddings (n, ·) hold; at most ``most`` directions of each."""
    return _basis(np.hstack([_basis(e)[:, :most] for e in experts]))


def _basis(columns: FloatArray) -> FloatArray:
    u, singular, _ = np.linalg.svd(columns - columns.mean(axis=0), full_matrices=False)
    return np.asarray(u[:, singular > 1e-6 * max(singular[0], 1e-12)])


def aligned(spaces: Sequence[FloatArray], groups: Sequence[int]) -> list[FloatArray]:
    """Each space turned onto the first of its group where they are equally wide; rows are the same patients."""
    first: dict[int, FloatArray] = {}
    turned = []
    for space, group in zip(spaces, groups, strict=True):
        reference = first.setdefault(group, space)
        if space.shape == reference.shape and space is not reference:
            u, _, vt = np.linalg.svd(space.T @ reference)
            space = space @ (u @ vt)
        turned.append(space)
    return turned


def random_rotations(
    spaces: Sequence[FloatArray], groups: Sequence[int], count: int, rng: np.random.Generator
) -> list[FloatArray]:
    """(count, d, d) rotations of each space, those of a group with equal widths the same."""
    drawn: dict[tuple[int, int], FloatArray] = {}
    for space, group in zip(spaces, groups, strict=True):
        width = space.shape[1]
        if (group, width) not in drawn:
            drawn[group, width] = np.linalg.qr(rng.normal(size=(count, width, width)))[0]
    return [drawn[group, space.shape[1]] for space, group in zip(spaces, groups, strict=True)]


def squared_errors(train: FloatArray, test: FloatArray, y_train: FloatArray, y_test: FloatArray) -> FloatArray:
    """(s,) squared errors on the test patients of ridge regressions on s sets of predictors (s, n, d)."""
    mean = train.mean(axis=1, keepdims=True)
    x, z, y = train - mean, test - mean, y_train - y_train.mean()
    gram = np.einsum("snd,sne->sde", x, x)
    width = gram.shape[1]
    penalty = np.trace(gram, axis1=1, axis2=2) / width * (1 / _KEPT - 1)
    weights = np.linalg.solve(gram + penalty[:, None, None] * np.eye(width), np.einsum("snd,n->sd", x, y)[..., None])
    predicted = y_train.mean() + (z @ weights)[..., 0]
    return np.asarray(((y_test - predicted) ** 2).sum(axis=1))
