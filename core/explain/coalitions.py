"""Exact Shapley values of a few players, from the worth of every coalition of them (Shapley, 1953)."""

from __future__ import annotations

from collections.abc import Callable
from math import comb

import numpy as np

from core.arrays import BoolArray, FloatArray, IntArray

Worth = Callable[[BoolArray], FloatArray]


def coalitions(players: int) -> BoolArray:
    """(2^k, k) every coalition; row number i holds the players that stand in the binary digits of i."""
    return np.asarray((np.arange(2**players)[:, None] >> np.arange(players)) & 1, dtype=bool)


def shapley_weights(players: int) -> FloatArray:
    """(k,) weight of a coalition of s others when a player joins it: s! (k − 1 − s)! / k!."""
    return np.array([1 / (players * comb(players - 1, size)) for size in range(players)])


def shapley_values(worth: FloatArray) -> FloatArray:
    """(k, b) values of k players from the (2^k, b) worth of :func:`coalitions`, each of the b columns for itself.

    φ_j = Σ_T |T|! (k − 1 − |T|)! / k! · (v(T ∪ j) − v(T)) over the coalitions T without j.
    """
    players = int(np.log2(len(worth)))
    members = coalitions(players)
    weights = shapley_weights(players)
    found = np.zeros((players, worth.shape[1]))
    for player in range(players):
        without = np.flatnonzero(~members[:, player])
        joined = without + (1 << player)
        found[player] = weights[members[without].sum(axis=1)] @ (worth[joined] - worth[without])
    return found


def joined_coalitions(others: int, draws: int, random: np.random.Generator) -> BoolArray:
    """(draws, others) coalitions that a further player joins, as often as the Shapley weights say, in random order.

    Systematic sampling: each coalition comes within one of its expected number of times.
    """
    members = coalitions(others)
    ends = np.cumsum(shapley_weights(others + 1)[members.sum(axis=1)])
    places: IntArray = np.searchsorted(ends, (np.arange(draws) + 0.5) / draws * ends[-1])
    return np.asarray(members[random.permutation(places)])
