"""How far values that were computed from a few models and background patients would hold with others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import spearmanr

from core.arrays import FloatArray

DRAWS = 20
STABLE = 0.5
"""Rank agreement from which an order may be shown."""


@dataclass(frozen=True, eq=False)
class Stability:
    """``std`` (f,) of the values over models and drawn backgrounds · ``sign_share`` (f,) share of them that have the
    sign of the mean, 0.5 where there is none · ``rank_agreement`` mean Spearman correlation of the values' sizes
    between two models, None with one."""

    std: FloatArray
    sign_share: FloatArray
    rank_agreement: float | None

    @property
    def stable_ranks(self) -> bool:
        """Whether the models agree on the order; one model alone agrees with nobody."""
        return self.rank_agreement is not None and self.rank_agreement >= STABLE


def stability(shares: Sequence[FloatArray], draws: int = DRAWS, seed: int = 0) -> Stability:
    """From each model's (b, f) values against b background patients.

    A drawn background is b of them with replacement: every model is looked at under ``draws`` backgrounds.
    """
    random = np.random.default_rng([seed, 3])
    means = []
    for values in shares:
        count = len(values)
        weights = random.multinomial(count, np.full(count, 1 / count), size=draws) / count
        means.append(weights @ values)
    drawn = np.concatenate(means)
    return Stability(drawn.std(axis=0), _sign_share(drawn), rank_agreement([v.mean(axis=0) for v in shares]))


def rank_agreement(values: Sequence[FloatArray]) -> float | None:
    """Mean Spearman correlation of the sizes of (f,) values over all pairs; None without a pair, or without spread."""
    sizes = [np.abs(v) for v in values]
    found = [
        float(spearmanr(a, b).statistic)
        for i, a in enumerate(sizes)
        for b in sizes[i + 1 :]
        if len(a) > 1 and np.ptp(a) > 0 and np.ptp(b) > 0
    ]
    return float(np.mean(found)) if found else None


def _sign_share(drawn: FloatArray) -> FloatArray:
    positive = (drawn > 0).mean(axis=0) + 0.5 * (drawn == 0).mean(axis=0)
    return np.asarray(np.maximum(positive, 1 - positive))
