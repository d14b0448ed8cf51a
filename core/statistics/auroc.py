"""How well scores tell two kinds of items apart."""

from __future__ import annotations

import numpy as np
from scipy.stats import rankdata

from core.arrays import ArrayLike, BoolArray


def auroc(scores: ArrayLike, positive: BoolArray) -> float:
    """Probability that a positive item scores above a negative one, ties half: (R⁺ − n⁺(n⁺ + 1)/2) / (n⁺ n⁻).

    Raises
    ------
    ValueError
        Without an item of either kind.
    """
    count = int(positive.sum())
    others = len(positive) - count
    if not count or not others:
        raise ValueError("both kinds of items are needed")
    ranks = rankdata(np.asarray(scores, dtype=np.float64))
    return float((ranks[positive].sum() - count * (count + 1) / 2) / (count * others))
