"""What must hold for any data: monotone curves, mirrored concordance, weights that are repeated rows."""

from __future__ import annotations

import numpy as np
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from core.statistics.at_risk import at_risk_table
from core.statistics.breslow import breslow_baseline
from core.statistics.comparison import benjamini_hochberg, bootstrap_rows, bootstrap_weights, holm
from core.statistics.competing import cumulative_incidence
from core.statistics.discrimination import auc_ipcw, harrell_c, harrell_c_repeats, uno_c
from core.statistics.kaplan_meier import conditional_survival, kaplan_meier, survival_at
from core.statistics.rmst import rmst

QUICK = settings(max_examples=60, deadline=None, derandomize=True)


@st.composite
def outcomes(draw: st.DrawFn, late: bool = False) -> tuple[np.ndarray, ...]:
    """Tied times in 0..12 months, events, tied risks, strata; entries before the exits where ``late``."""
    n = draw(st.integers(2, 30))
    time = draw(hnp.arrays(np.int64, n, elements=st.integers(0, 12))).astype(float)
    event = draw(hnp.arrays(np.bool_, n))
    risk = draw(hnp.arrays(np.int64, n, elements=st.integers(-3, 3))).astype(float)
    stratum = draw(hnp.arrays(np.int64, n, elements=st.integers(0, 2)))
    if not late:
        return time, event, risk, stratum
    share = draw(hnp.arrays(np.float64, n, elements=st.floats(0, 0.9)))
    return time, event, risk, stratum, np.floor(time * share)


@QUICK
@given(outcomes(late=True))
def test_survival_falls_inside_its_band_and_counts_add_up(data: tuple[np.ndarray, ...]) -> None:
    time, event, _, _, entry = data
    curve = kaplan_meier(time, event, entry)
    assert (np.diff(curve.survival) <= 1e-12).all()
    assert ((curve.survival >= 0) & (curve.survival <= 1)).all()
    known = np.isfinite(curve.low)
    assert (curve.low[known] <= curve.survival[known] + 1e-12).all()
    assert (curve.high[known] >= curve.survival[known] - 1e-12).all()
    assert curve.events.sum() + curve.censored.sum() == len(time) == curve.n
    assert curve.time[0] == 0


@QUICK
@given(outcomes())
def test_nobody_enters_so_the_numbers_at_risk_only_fall(data: tuple[np.ndarray, ...]) -> None:
    time, event, *_ = data
    ticks = np.arange(0, 14.0, 0.5)
    table = at_risk_table(time, event, ticks)
    assert (np.diff(table.at_risk) <= 0).all()
    gone_before = [(time < t).sum() for t in ticks]
    np.testing.assert_array_equal(table.at_risk, len(time) - np.array(gone_before))
    np.testing.assert_array_equal(table.events, [(event & (time <= t)).sum() for t in ticks])
    np.testing.assert_array_equal(table.censored, [(~event & (time <= t)).sum() for t in ticks])


@QUICK
@given(outcomes(), st.integers(0, 6), st.integers(0, 6))
def test_conditional_survival_is_a_ratio(data: tuple[np.ndarray, ...], first: int, more: int) -> None:
    curve = kaplan_meier(*data[:2])
    both = survival_at(curve, first), survival_at(curve, first + more)
    found = conditional_survival(curve, first, first + more)
    assume(found.value is not None and None not in (both[0].value, both[1].value))
    assert found.value is not None
    assert both[0].value is not None
    assert both[1].value is not None
    np.testing.assert_allclose(found.value * both[0].value, both[1].value, atol=1e-12)


@QUICK
@given(outcomes())
def test_rmst_is_the_area_under_the_curve(data: tuple[np.ndarray, ...]) -> None:
    time, event, *_ = data
    assume(time.max() >= 1)
    curve, tau = kaplan_meier(time, event), float(time.max())
    fine = np.linspace(0, tau, 12001)[:-1] + tau / 24000
    area = curve.survival[np.searchsorted(curve.time, fine, side="right") - 1].mean() * tau
    found = rmst(time, event, tau).value
    assert found is not None
    np.testing.assert_allclose(found, area, atol=5e-3)


@QUICK
@given(outcomes(late=True), st.data())
def test_incidences_and_event_free_survival_share_out_one(data: tuple[np.ndarray, ...], more: st.DataObject) -> None:
    time, event, _, _, entry = data
    second = more.draw(hnp.arrays(np.bool_, len(time)))
    codes = np.where(event, 1 + second, 0)
    found = cumulative_incidence(time, codes, entry)
    curve = kaplan_meier(time, event, entry)
    np.testing.assert_array_equal(found[1].time, curve.time)
    np.testing.assert_allclose(found[1].incidence + found[2].incidence + curve.survival, 1, atol=1e-12)
    for one in found.values():
        assert (np.diff(one.incidence) >= -1e-12).all()


@QUICK
@given(outcomes())
def test_turning_the_risk_round_turns_concordance_round(data: tuple[np.ndarray, ...]) -> None:
    time, event, risk, stratum = data
    for index in (
        lambda r: harrell_c(time, event, r),
        lambda r: harrell_c(time, event, r, stratum),
        lambda r: uno_c(time, event, r, 9.0, stratum),
        lambda r: auc_ipcw(time, event, r, 5.0, stratum),
    ):
        np.testing.assert_allclose(index(-risk), 1 - index(risk), atol=1e-12)  # NaN stays NaN


@QUICK
@given(outcomes(), st.integers(0, 1000))
def test_weights_are_repeated_rows(data: tuple[np.ndarray, ...], seed: int) -> None:
    time, event, risk, stratum = data
    rows, weights = bootstrap_rows(len(time), 5, seed), bootstrap_weights(len(time), 5, seed)
    repeated = [harrell_c(time[r], event[r], risk[r], stratum[r]) for r in rows]
    np.testing.assert_allclose(harrell_c_repeats(time, event, risk, weights, stratum), repeated, atol=1e-12)
    np.testing.assert_allclose(harrell_c(time, event, risk, stratum, weights=weights[0]), repeated[0], atol=1e-12)


@QUICK
@given(hnp.arrays(np.float64, st.integers(1, 12), elements=st.floats(0, 1)))
def test_corrections_keep_the_order_and_never_help(p: np.ndarray) -> None:
    order = np.argsort(p, kind="stable")
    strict, lenient = holm(p), benjamini_hochberg(p)
    for adjusted in (strict, lenient):
        assert (np.diff(adjusted[order]) >= -1e-15).all()
        assert (adjusted >= p - 1e-15).all()
        assert (adjusted <= 1).all()
    assert (strict >= lenient - 1e-12).all()
    np.testing.assert_allclose(strict.min(), min(1.0, p.min() * len(p)), atol=1e-15)


@QUICK
@given(outcomes(late=True))
def test_breslow_with_equal_hazards_is_nelson_aalen(data: tuple[np.ndarray, ...]) -> None:
    time, event, _, _, entry = data
    baseline = breslow_baseline(time, event, np.full(len(time), 0.7), entry)
    curve = kaplan_meier(time, event, entry)
    hazard = np.cumsum(curve.events / np.maximum(curve.at_risk, 1))[curve.events > 0]
    np.testing.assert_allclose(baseline.cumulative_hazard * np.exp(0.7), hazard, atol=1e-12)
