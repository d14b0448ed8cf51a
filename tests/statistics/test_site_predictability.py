"""The site audit finds a planted hospital, and none where there is none."""

from __future__ import annotations

import numpy as np

from core.statistics.site_predictability import site_predictability


def test_a_planted_site_is_found_and_noise_is_not() -> None:
    rng = np.random.default_rng(0)
    sites = np.repeat(["a", "b", "c"], [60, 40, 30])
    noise = rng.normal(size=(130, 200))
    batch_effect = rng.normal(scale=0.4, size=(3, 200))  # a little of everything, as a laboratory leaves it
    shifted = noise + batch_effect[np.searchsorted(["a", "b", "c"], sites)]
    blind, knowing = site_predictability(noise, sites), site_predictability(shifted, sites)
    assert blind is not None
    assert knowing is not None
    assert blind.chance == knowing.chance == 1 / 3
    assert abs(blind.accuracy - 1 / 3) < 0.12
    assert knowing.accuracy > 0.8


def test_small_sites_take_no_part() -> None:
    rows = np.random.default_rng(1).normal(size=(39, 4))
    sites = ["a"] * 20 + ["b"] * 10 + ["c"] * 9
    found = site_predictability(rows, sites)
    assert found is not None
    assert (found.sites, found.patients) == (2, 30)
    assert site_predictability(rows[10:], sites[10:][:10] + ["d"] * 19) is not None
    assert site_predictability(rows[:29], ["a"] * 20 + ["c"] * 9) is None
