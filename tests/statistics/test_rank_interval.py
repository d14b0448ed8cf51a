"""The interval of a rank correlation holds the true one as often as it says."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import spearmanr

from core.statistics.rank_interval import spearman_interval


@pytest.mark.parametrize("pearson", [0.0, 0.5])
def test_intervals_hold_the_true_correlation_in_nineteen_of_twenty_samples(pearson: float) -> None:
    """The rank correlation of a normal pair is 6/π·asin(r/2)."""
    truth = 6 / np.pi * np.arcsin(pearson / 2)
    rng = np.random.default_rng(5)
    held = 0
    for _ in range(1000):
        x, noise = rng.normal(size=(2, 60))
        low, high = spearman_interval(spearmanr(x, pearson * x + np.sqrt(1 - pearson**2) * noise).statistic, 60)
        held += low <= truth <= high
    assert 930 <= held <= 970


def test_edges() -> None:
    assert spearman_interval(0.4, 3) == (-1.0, 1.0)
    assert spearman_interval(1.0, 50) == (1.0, 1.0)
    low, high = spearman_interval(-0.3, 100)
    assert -1 < low < -0.3 < high < 0
