"""The patches with the highest, or lowest, values of a layer, none upon another."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from core.arrays import Float32Array, IntArray


@dataclass(frozen=True)
class TopPatch:
    """``rank`` from 1 · ``patch`` its row in the layer · ``slide`` · ``x``, ``y``, ``side`` in level-0 pixels."""

    rank: int
    patch: int
    slide: int
    x: int
    y: int
    side: float
    value: float


def top_patches(
    values: Float32Array,
    slides: IntArray,
    coordinates: IntArray,
    sides: Mapping[int, float],
    count: int,
    bottom: bool = False,
) -> tuple[TopPatch, ...]:
    """Up to ``count`` patches by value, each taken only where it overlaps none taken before.

    Equal values stand in the order of slide, row and column, so that the same layer always gives the same patches; a
    patch without a value (NaN) is never taken.
    """
    known = np.flatnonzero(np.isfinite(values))
    key = values[known] if bottom else -values[known]
    order = known[np.lexsort((coordinates[known, 0], coordinates[known, 1], slides[known], key))]
    taken: list[TopPatch] = []
    for patch in order:
        if len(taken) == count:
            break
        slide, (x, y) = int(slides[patch]), coordinates[patch]
        side = float(sides[slide])
        if all(t.slide != slide or max(abs(t.x - x), abs(t.y - y)) >= side for t in taken):
            value = float(values[patch])
            taken.append(TopPatch(len(taken) + 1, int(patch), slide, int(x), int(y), side, value))
    return tuple(taken)
