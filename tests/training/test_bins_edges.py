"""Time bins: horizons are edges, enough patients at the limit, constant hazard within a bin."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from core.errors import PrognoscopeError
from core.features.follow_up import MINIMUM_AT_RISK, last_estimable
from core.features.inputs import Outcome
from core.training.bins import TimeBins, make_bins, upstream_bins


@st.composite
def outcomes(draw: st.DrawFn, delayed: bool = False) -> Outcome:
    """20 to 120 patients with ties, events at 0, and optionally delayed entry."""
    n, seed = draw(st.integers(20, 120)), draw(st.integers(0, 10_000))
    random = np.random.default_rng(seed)
    time = random.exponential(draw(st.sampled_from([2.0, 20.0, 90.0])), n)
    if draw(st.booleans()):
        time = np.floor(time)  # ties, and events at 0
    entry = np.where(random.random(n) < 0.4, random.uniform(0, 10, n), 0.0) if delayed else np.zeros(n)
    time = np.where(entry > 0, entry + 0.5 + time, time)
    return Outcome(entry, time, random.integers(0, 3, n))


def at_risk(outcome: Outcome, month: float) -> int:
    """Under observation just before ``month``, counted one by one."""
    return sum(bool(e < month <= t) for e, t in zip(outcome.entry, outcome.time, strict=True))


@given(outcomes(delayed=False), st.lists(st.sampled_from([6.0, 12.0, 24.0, 36.0, 60.0]), unique=True))
def test_horizons_are_edges_and_twenty_are_at_risk_at_the_limit(outcome: Outcome, horizons: list[float]) -> None:
    try:
        bins = make_bins(outcome, tuple(horizons))
    except PrognoscopeError:
        assert all(at_risk(outcome, t) < MINIMUM_AT_RISK for t in outcome.time if t > 0)
        return
    assert bins.edges[0] == 0.0
    assert (np.diff(bins.edges) > 0).all()
    assert at_risk(outcome, bins.limit) >= MINIMUM_AT_RISK
    last = last_estimable(outcome)
    assert bins.limit <= last
    for horizon in horizons:
        assert (horizon in bins.edges) == (horizon <= last)


@given(outcomes(delayed=True))
def test_the_last_estimable_month_counts_late_entrants(outcome: Outcome) -> None:
    months = [t for t in np.unique(outcome.time) if t > 0 and at_risk(outcome, t) >= MINIMUM_AT_RISK]
    if months:
        assert last_estimable(outcome) == max(months)
    else:
        with pytest.raises(PrognoscopeError, match="never 20 patients under observation"):
            last_estimable(outcome)


def test_a_horizon_given_twice_or_at_zero_makes_no_empty_bin() -> None:
    outcome = Outcome(np.zeros(60), np.arange(1.0, 61.0), np.ones(60, dtype=np.int64))
    bins = make_bins(outcome, (12.0, 0.0, 12.0))
    assert (np.diff(bins.edges) > 0).all()
    assert 12.0 in bins.edges


@given(outcomes())
def test_upstream_bins_hold_every_time_and_have_width(outcome: Outcome) -> None:
    assume(outcome.event.sum() >= 4)
    bins = upstream_bins(outcome)
    assert (np.diff(bins.edges) > 0).all()
    assert bins.limit > outcome.time.max()
    assert len(bins) <= 4


def test_upstream_bins_are_quartiles_of_the_event_times() -> None:
    outcome = Outcome(np.zeros(9), np.arange(1.0, 10.0), np.array([1, 1, 1, 1, 1, 0, 0, 0, 0]))
    assert upstream_bins(outcome).edges[:-1] == (0.0, 2.0, 3.0, 4.0)


@st.composite
def curves(draw: st.DrawFn) -> tuple[TimeBins, np.ndarray]:
    count = draw(st.integers(1, 6))
    widths = draw(st.lists(st.floats(0.5, 40), min_size=count, max_size=count))
    hazards = draw(st.lists(st.floats(0.001, 0.999), min_size=count, max_size=count))
    return TimeBins((0.0, *np.cumsum(widths).tolist())), np.array([hazards])


@given(curves(), st.floats(0, 1))
def test_the_hazard_is_constant_within_a_bin(curve: tuple[TimeBins, np.ndarray], share: float) -> None:
    bins, hazards = curve
    edges = np.array(bins.edges)
    at_edges = bins.survival(hazards, edges)[0]
    assert np.allclose(at_edges, np.concatenate([[1.0], np.cumprod(1 - hazards[0])]), atol=1e-9)
    between = edges[:-1] + share * np.diff(edges)
    expected = at_edges[:-1] * (1 - hazards[0]) ** share
    assert np.allclose(bins.survival(hazards, between)[0], expected, rtol=1e-6, atol=1e-12)


@given(curves(), st.lists(st.floats(0, 400), min_size=1, max_size=20))
def test_survival_decreases_and_ends_at_the_limit(curve: tuple[TimeBins, np.ndarray], months: list[float]) -> None:
    bins, hazards = curve
    times = np.sort(np.array(months))
    survival = bins.survival(hazards, times)[0]
    assert np.array_equal(np.isnan(survival), times > bins.limit)
    known = survival[~np.isnan(survival)]
    assert ((known >= 0) & (known <= 1)).all()
    assert (np.diff(known) <= 1e-12).all()


@given(curves(), st.floats(0, 500))
def test_a_time_lies_in_the_bin_that_holds_it(curve: tuple[TimeBins, np.ndarray], month: float) -> None:
    bins, _ = curve
    k = int(bins.index(np.array([month]))[0])
    assert bins.edges[k] <= month
    assert month < bins.edges[k + 1] or k == len(bins) - 1
    fraction = bins.fraction(np.array([month]))[0]
    assert float(fraction @ np.diff(bins.edges)) == pytest.approx(min(month, bins.limit), abs=1e-6)
