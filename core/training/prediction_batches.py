"""Patients to be predicted, in batches that waste little on padding."""

from __future__ import annotations

import numpy as np

from core.arrays import IntArray
from core.features.batch import Tensors

MOST_PATCHES = 16_384
"""Patches of a batch, padding included: one slide of many thousand must not stretch sixty small ones to its length."""


def prediction_batches(tensors: Tensors, n: int, batch_size: int) -> list[IntArray]:
    """Rows of each batch: in order where there are no bags, else by the length of the longest bag of a patient."""
    if not tensors.bags:
        return [np.arange(start, min(n, start + batch_size)) for start in range(0, n, batch_size)]
    lengths = np.ones(n, dtype=np.int64)
    for bags in tensors.bags.values():
        lengths = np.maximum(lengths, [1 if bag is None else len(bag) for bag in bags[:n]])
    batches: list[list[int]] = [[]]
    for row in np.argsort(lengths, kind="stable"):
        size = len(batches[-1]) + 1  # rows come with rising length: this one sets the batch's
        if batches[-1] and (size > batch_size or size * lengths[row] > MOST_PATCHES):
            batches.append([])
        batches[-1].append(int(row))
    return [np.array(batch, dtype=np.int64) for batch in batches]
