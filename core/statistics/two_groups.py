"""Two independent groups of numbers: do they differ in their mean, or in their ranks?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from core.arrays import ArrayLike


@dataclass(frozen=True)
class TwoGroups:
    """Welch's t-test and the Mann-Whitney rank test of ``first`` against ``second``.

    ``auc`` is the probability that a value of the first group exceeds one of the second (ties count half).
    """

    n_first: int
    n_second: int
    mean_first: float
    mean_second: float
    t: float
    p_welch: float
    auc: float
    p_rank: float


def two_groups(first: ArrayLike, second: ArrayLike) -> TwoGroups:
    """Compare two groups of at least two values each; two-sided p-values."""
    from scipy.stats import mannwhitneyu, ttest_ind

    a, b = (np.asarray(x, dtype=np.float64) for x in (first, second))
    if min(len(a), len(b)) < 2:
        raise ValueError("each group needs at least two values")
    welch = ttest_ind(a, b, equal_var=False)
    ranks = mannwhitneyu(a, b, alternative="two-sided")
    auc = float(ranks.statistic) / (len(a) * len(b))
    return TwoGroups(
        len(a), len(b), float(a.mean()), float(b.mean()), float(welch.statistic), float(welch.pvalue), auc,
        float(ranks.pvalue),
    )  # fmt: skip
