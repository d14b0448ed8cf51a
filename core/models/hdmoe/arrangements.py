"""One arrangement of the reorganised features at a time: what the released code draws at random, also at test time.

Evaluation of :class:`~core.models.hdmoe.model.HDMoE` averages the hazard logits over every arrangement of both
reorganisations. Here each pair of arrangements is looked at alone (MODELS.md 1.1.3, item 4).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

from core.arrays import FloatArray
from core.models.hdmoe.model import HDMoE


def arrangement_counts(network: HDMoE) -> tuple[int, int]:
    """How many arrangements the first and the second reorganisation have; 1 where it is left out."""
    return len(network.get_buffer("orders1")), len(network.get_buffer("orders2"))


def draw_probabilities(network: HDMoE) -> FloatArray:
    """(a1, a2) how often each pair is drawn in training: the two draws are independent of each other."""
    rate = network.config.reorganise_rate
    both = []
    for count in arrangement_counts(network):
        share = np.full(count, rate / count)
        share[0] += 1 - rate
        both.append(share)
    return np.asarray(np.outer(*both))


@contextmanager
def fixed_arrangement(network: HDMoE, first: int, second: int) -> Iterator[None]:
    """Within the block the network evaluates with this pair of arrangements alone instead of their average."""
    kept = {name: network.get_buffer(name) for name in ("orders1", "orders2")}
    try:
        for (name, orders), chosen in zip(kept.items(), (first, second), strict=True):
            network.register_buffer(name, orders[[chosen]], persistent=False)
        yield
    finally:
        for name, orders in kept.items():
            network.register_buffer(name, orders, persistent=False)
