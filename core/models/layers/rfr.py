"""Random feature reorganisation: interleave the segments of several rows (HDMoE Eq. 3-4, Fig. 3)."""

from __future__ import annotations

import torch
from torch import Tensor


def segment_counts(length: int) -> tuple[int, ...]:
    """The segment counts a row of ``length`` may be cut into: powers of two that divide it, below its length."""
    counts, s = [], 1
    while s < length:
        if length % s == 0:
            counts.append(s)
        s *= 2
    return tuple(counts)


def reorganise(rows: Tensor, segments: int) -> Tensor:
    """(b, r, d) → (b, r·d): cut each row into ``segments`` pieces, take piece 1 of every row, then piece 2, …"""
    b, r, d = rows.shape
    return rows.reshape(b, r, segments, d // segments).transpose(1, 2).reshape(b, r * d)


def reorganisation_order(rows: int, length: int, segments: int) -> Tensor:
    """The permutation ``p`` with ``reorganise(x, segments) = x.flatten(1)[:, p]``."""
    places = torch.arange(rows * length).view(1, rows, length)
    return reorganise(places, segments)[0]
