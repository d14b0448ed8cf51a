"""The AUC of re-weighted samples is the AUC of the samples, with ties, strata and heavy censoring."""

from __future__ import annotations

import numpy as np
import pytest

from core.statistics.auc_repeats import auc_ipcw_repeats, bootstrap_auc
from core.statistics.comparison import bootstrap_interval, bootstrap_rows, bootstrap_weights
from core.statistics.discrimination import auc_ipcw


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("strata", [1, 4])
def test_each_sample_has_its_own_auc(seed: int, strata: int) -> None:
    random = np.random.default_rng(seed)
    n = int(random.integers(12, 90))
    time = np.round(random.exponential(20, n), 0 if seed % 2 else 2)  # many ties, or hardly any
    event = random.random(n) < (0.25 if seed < 2 else 0.7)
    risk = np.round(random.normal(size=n), 1)
    fold = random.integers(0, strata, n)
    expected = [auc_ipcw(time[r], event[r], risk[r], 15.0, fold[r]) for r in bootstrap_rows(n, 60, seed)]
    found = auc_ipcw_repeats(time, event, risk, 15.0, bootstrap_weights(n, 60, seed), fold)
    np.testing.assert_allclose(found, expected, rtol=1e-12)
    assert np.isfinite(found).any()


def test_the_interval_is_that_of_the_slow_way() -> None:
    random = np.random.default_rng(3)
    time, risk = random.exponential(20, 200), random.normal(size=200)
    event, fold = random.random(200) < 0.6, np.arange(200) % 5
    slow = bootstrap_interval(lambda r: auc_ipcw(time[r], event[r], risk[r], 12.0, fold[r]), 200, 100)
    fast = bootstrap_auc(time, event, risk, 12.0, fold, 100)
    assert (fast.low, fast.mean, fast.high) == pytest.approx((slow.low, slow.mean, slow.high), rel=1e-12)


def test_a_sample_without_a_pair_has_none() -> None:
    found = auc_ipcw_repeats(
        [1.0, 2.0, 9.0], [True, True, False], [3.0, 2.0, 1.0], 5.0, np.array([[1, 2, 0], [1, 1, 1]])
    )
    assert np.isnan(found[0])
    assert found[1] == 1.0
