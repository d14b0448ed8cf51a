"""Bootstrap intervals and corrected tests: known answers, coverage and cost."""

from __future__ import annotations

import time as clock

import numpy as np
import pytest
from scipy import stats

from core.statistics.comparison import (
    bootstrap_harrell_c,
    bootstrap_interval,
    nadeau_bengio,
    paired_bootstrap_difference,
    paired_harrell_c_difference,
)
from core.statistics.discrimination import harrell_c


def simulated(n: int, seed: int = 0) -> tuple[np.ndarray, ...]:
    rng = np.random.default_rng(seed)
    true = rng.normal(size=n)
    death, follow = rng.exponential(20 * np.exp(-true)), rng.uniform(5, 60, n)
    return np.minimum(death, follow), death <= follow, true + rng.normal(size=n), true, rng.integers(0, 5, n)


def test_interval_of_a_mean_is_that_of_the_normal_theory() -> None:
    values = np.random.default_rng(3).normal(5, 2, 400)
    found = bootstrap_interval(lambda rows: float(values[rows].mean()), 400, repeats=4000)
    half = 1.96 * values.std(ddof=1) / 20
    assert found.mean == pytest.approx(values.mean())
    assert (found.low, found.high) == (
        pytest.approx(found.mean - half, abs=0.03),
        pytest.approx(found.mean + half, abs=0.03),
    )


def test_fast_paths_equal_the_plain_bootstrap() -> None:
    time, event, risk, true, fold = simulated(120)
    plain = bootstrap_interval(lambda r: harrell_c(time[r], event[r], risk[r], fold[r]), 120, repeats=200, seed=4)
    fast = bootstrap_harrell_c(time, event, risk, fold, repeats=200, seed=4)
    np.testing.assert_allclose([fast.mean, fast.low, fast.high], [plain.mean, plain.low, plain.high], atol=1e-12)
    paired = paired_bootstrap_difference(
        lambda r: harrell_c(time[r], event[r], true[r], fold[r]),
        lambda r: harrell_c(time[r], event[r], risk[r], fold[r]),
        120,
        repeats=200,
        seed=4,
    )
    fast = paired_harrell_c_difference(time, event, true, risk, fold, repeats=200, seed=4)
    np.testing.assert_allclose([fast.mean, fast.low, fast.high], [paired.mean, paired.low, paired.high], atol=1e-12)


def test_pairing_narrows_the_difference_of_two_like_models() -> None:
    time, event, risk, _, fold = simulated(300)
    other = risk + np.random.default_rng(1).normal(scale=0.05, size=300)
    difference = paired_harrell_c_difference(time, event, risk, other, fold, repeats=300)
    single = bootstrap_harrell_c(time, event, risk, fold, repeats=300)
    assert difference.high - difference.low < (single.high - single.low) / 4
    assert difference.low < 0 < difference.high


@pytest.mark.alone
def test_a_thousand_repeats_of_a_thousand_patients_take_seconds() -> None:
    time, event, risk, _, fold = simulated(1000)
    start = clock.perf_counter()
    found = bootstrap_harrell_c(time, event, risk, fold, repeats=1000)
    assert clock.perf_counter() - start < 5
    assert found.repeats == 1000
    assert found.low < found.mean < found.high


def test_no_interval_where_most_samples_have_no_pair() -> None:
    found = bootstrap_harrell_c([1.0, 2, 3], [True, False, False], [3.0, 2, 1], repeats=200)
    assert found.mean == 1
    assert found.repeats < 180
    assert np.isnan([found.low, found.high]).all()


def test_nadeau_bengio_widens_the_paired_t_test() -> None:
    differences = np.array([0.02, 0.01, 0.03, -0.005, 0.015])
    plain = stats.ttest_1samp(differences, 0)
    found = nadeau_bengio(differences, train_size=80, test_size=20)
    assert found.t == pytest.approx(plain.statistic * np.sqrt((1 / 5) / (1 / 5 + 0.25)))
    assert found.p == pytest.approx(2 * stats.t.sf(found.t, 4))
    assert found.p > plain.pvalue
    half = stats.t.ppf(0.975, 4) * found.mean / found.t
    assert (found.low, found.high) == (pytest.approx(found.mean - half), pytest.approx(found.mean + half))


def test_nadeau_bengio_says_nothing_of_one_fold_or_no_spread() -> None:
    assert np.isnan(nadeau_bengio([0.02], 80, 20).p)
    assert np.isnan(nadeau_bengio([0.02, 0.02], 80, 20).p)
    assert nadeau_bengio([0.0, 0.0], 80, 20).p == 1
