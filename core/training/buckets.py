"""Bags of a few lengths alone, so that a compiler or a recorded CUDA graph meets few shapes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import torch

from core.features.batch import Batch

RUNGS = (10, 12.5, 15, 20, 25, 30, 40, 50, 60, 80)
"""Lengths within a power of ten: at most a third of a bag is padding."""
SHORTEST = 16


def bucket(length: int, also: Sequence[int] = ()) -> int:
    """The next length of the ladder at or above ``length``; ``also`` are further rungs (a sample's size)."""
    extra = [n for n in also if n >= length]
    ten = 1
    while True:
        for rung in RUNGS:
            step = int(rung * ten)
            if step >= max(length, SHORTEST):
                return min([step, *extra])
        ten *= 10


def bucketed(batch: Batch, also: Sequence[int] = ()) -> Batch:
    """The same patients with every bag padded to its bucket; the mask says what is padding."""
    bags, masks = {}, {}
    for modality, bag in batch.bags.items():
        more = bucket(bag.shape[1], also) - bag.shape[1]
        bags[modality] = torch.nn.functional.pad(bag, (0, 0, 0, more)) if more else bag
        masks[modality] = torch.nn.functional.pad(batch.masks[modality], (0, more)) if more else batch.masks[modality]
    return replace(batch, bags=bags, masks=masks)
