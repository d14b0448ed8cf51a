"""Empty, tiny and hopeless groups: words instead of numbers, and never a warning."""

from __future__ import annotations

import numpy as np
import pytest

from core.errors import PrognoscopeError
from core.statistics.at_risk import at_risk_table
from core.statistics.competing import cumulative_incidence
from core.statistics.cox import fit_cox, hazard_ratio_between
from core.statistics.cutpoints import best_cut, clinical_groups, cut_labels, median_groups, tertile_groups
from core.statistics.discrimination import auc_ipcw, harrell_c, uno_c
from core.statistics.kaplan_meier import (
    at_risk_at,
    conditional_survival,
    kaplan_meier,
    median_survival,
    survival_at,
)
from core.statistics.logrank import logrank_test, pairwise_logrank
from core.statistics.rmst import rmst, rmst_difference

pytestmark = pytest.mark.filterwarnings("error")


def test_an_empty_group_gives_zeros_and_words() -> None:
    nobody = np.zeros(0)
    table = at_risk_table(nobody, nobody > 0, [0, 12, 24])
    assert [*table.at_risk, *table.events, *table.censored] == [0] * 9
    curve = kaplan_meier(nobody, nobody > 0)
    assert (curve.n, curve.time.tolist(), curve.survival.tolist(), at_risk_at(curve, 0)) == (0, [0.0], [1.0], 0)
    for estimate in (survival_at(curve, 0), median_survival(curve), conditional_survival(curve, 0, 0)):
        assert estimate.value is None
        assert estimate.note
    assert rmst(nobody, nobody > 0, 12).note == "no patients"
    assert cumulative_incidence(nobody, nobody)[1].incidence.tolist() == [0.0]


def test_everybody_dies_at_time_zero() -> None:
    time, event = np.zeros(4), np.ones(4, dtype=bool)
    curve = kaplan_meier(time, event)
    assert (curve.survival.tolist(), curve.at_risk.tolist()) == ([0.0], [4])
    assert median_survival(curve).value == 0
    assert survival_at(curve, 60).value == 0
    assert rmst(time, event, 12).value == 0
    assert np.isnan(harrell_c(time, event, np.arange(4.0)))


def test_survival_is_not_told_beyond_follow_up() -> None:
    curve = kaplan_meier([3.0, 12, 20], [True, False, False])
    assert survival_at(curve, 20).value == pytest.approx(2 / 3)
    assert survival_at(curve, 20.1).note == "beyond the longest follow-up of 20 months"
    assert conditional_survival(curve, 12, 24).value is None
    assert rmst([3.0, 12, 20], [True, False, False], 24).value is None
    assert median_survival(curve).note == "not reached"


def test_time_zero_belongs_to_whoever_is_there_from_the_start() -> None:
    curve = kaplan_meier([0.0, 5, 9, 9], [True, False, True, False], entry=[0, 0, 0, 6])
    assert curve.at_risk.tolist() == [3, 2, 2]
    assert curve.survival[0] == pytest.approx(2 / 3)


@pytest.mark.parametrize(
    ("time", "entry"), [([1.0, np.nan], None), ([1.0, -2.0], None), ([1.0, 2.0], [0.0, 2.0]), ([1.0, 2.0], [0.0])]
)
def test_impossible_outcomes_are_refused(time: list[float], entry: list[float] | None) -> None:
    with pytest.raises(ValueError, match=r"time|entry"):
        kaplan_meier(time, [True, False], entry)


def groups(sizes: dict[str, tuple[int, int]]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Patients with times 1, 2, … by group: name → (patients, of whom the first have the event)."""
    time = np.concatenate([np.arange(1.0, n + 1) for n, _ in sizes.values()])
    event = np.concatenate([np.arange(n) < d for n, d in sizes.values()])
    return time, event, np.repeat(list(sizes), [n for n, _ in sizes.values()])


@pytest.mark.parametrize(
    ("size", "events", "words"), [(9, 9, "B has 9 patients and 9 events"), (20, 4, "B has 20 patients and 4 events")]
)
def test_logrank_is_withheld_for_small_groups(size: int, events: int, words: str) -> None:
    test = logrank_test(*groups({"A": (10, 5), "B": (size, events)}))
    assert (test.p, test.statistic) == (None, None)
    assert words in test.withheld
    assert test.sizes.tolist() == [10, size]


def test_logrank_at_the_limits_is_shown_and_a_named_empty_group_withholds_it() -> None:
    time, event, group = groups({"A": (10, 5), "B": (10, 5)})
    assert logrank_test(time, event, group).p is not None
    test = logrank_test(time, event, group, groups=("A", "B", "none"))
    assert (test.p, test.sizes.tolist(), test.groups) == (None, [10, 10, 0], ("A", "B", "none"))


def test_pairs_are_corrected_over_those_tested() -> None:
    time, event, group = groups({"A": (12, 6), "B": (30, 9), "C": (40, 30), "small": (4, 4)})
    pairs = {(p.a, p.b): p for p in pairwise_logrank(time, event, group)}
    tested = [p for p in pairs.values() if p.p is not None]
    assert len(pairs) == 6
    assert {(p.a, p.b) for p in tested} == {("A", "B"), ("A", "C"), ("B", "C")}
    smallest = min(tested, key=lambda p: p.p or 0)
    assert smallest.p_adjusted == pytest.approx(3 * (smallest.p or 0))
    assert all(p.withheld for p in pairs.values() if "small" in (p.a, p.b))
    with pytest.raises(ValueError, match="correction"):
        pairwise_logrank(time, event, group, correction="none")


def test_groups_that_never_meet_have_no_test() -> None:
    time = np.concatenate([np.arange(1.0, 11), np.arange(21.0, 31)])
    entry = np.concatenate([np.zeros(10), np.full(10, 15.0)])
    test = logrank_test(time, np.ones(20, dtype=bool), np.repeat(["early", "late"], 10), entry)
    assert test.p is None
    assert test.withheld


def test_cox_refuses_what_has_no_answer() -> None:
    x = np.random.default_rng(0).normal(size=20)
    time, event = np.arange(1.0, 21), np.ones(20, dtype=bool)
    with pytest.raises(PrognoscopeError, match="no patient has the event"):
        fit_cox(time[:, None], time, ~event, names=("x",))
    with pytest.raises(PrognoscopeError, match="same in everyone"):
        fit_cox(np.full((20, 1), 7.1), time, event, names=("x",))
    with pytest.raises(PrognoscopeError, match="repeats others"):
        fit_cox(np.column_stack([x, 1 - 2 * x]), time, event, names=("x", "y"))
    with pytest.raises(PrognoscopeError, match="parts the patients"):
        hazard_ratio_between(time, time <= 10, time <= 10)


def test_a_changing_hazard_ratio_is_said_in_words() -> None:
    rng = np.random.default_rng(0)
    group = np.repeat([False, True], 300)
    time = np.where(group, rng.weibull(3, 600), rng.weibull(0.6, 600)) * 20
    fit = hazard_ratio_between(time, np.ones(600, dtype=bool), group)
    assert fit.proportional_hazards_p[0] < 1e-6
    assert "group changes over time" in fit.violations[0]
    steady = hazard_ratio_between(rng.exponential(np.where(group, 10, 20)), np.ones(600, dtype=bool), group)
    assert steady.violations == ()
    assert steady.low[0] < 2 < steady.high[0]


def test_rmst_difference_of_shifted_groups() -> None:
    time = np.concatenate([np.arange(1.0, 31), np.arange(6.0, 36)])
    group = np.repeat([False, True], 30)
    found = rmst_difference(time, np.ones(60, dtype=bool), group, tau=40)
    assert found.difference == pytest.approx(5)
    assert (found.low or 0) < 5 < (found.high or 0)
    swapped = rmst_difference(time, np.ones(60, dtype=bool), ~group, tau=40)
    assert (swapped.difference, swapped.p) == (pytest.approx(-5), pytest.approx(found.p))
    assert rmst_difference(time, np.zeros(60, dtype=bool), group, tau=20).p is None


def test_infinite_weights_give_no_number() -> None:
    time, event = np.array([1.0, 2, 3, 4, 5]), np.array([True, False, True, False, True])
    training = {"censoring_time": [1.0, 2, 2.5], "censoring_event": [True, False, False]}
    assert np.isnan(uno_c(time, event, -time, tau=4.5, **training))
    assert np.isnan(auc_ipcw(time, event, -time, 3.5, **training))
    assert uno_c(time, event, -time, tau=2, **training) == 1


def test_fixed_cuts_put_the_cut_itself_below() -> None:
    assert clinical_groups([-3, -2.6, -2.5, -1.39, 0], [-2.60, -1.39]).tolist() == [0, 0, 1, 1, 2]
    assert median_groups([1.0, 2, 3, 4, 5]).tolist() == [0, 0, 0, 1, 1]
    assert np.bincount(tertile_groups(np.arange(30.0))).tolist() == [10, 10, 10]
    assert tertile_groups(np.zeros(5)).tolist() == [0] * 5
    assert cut_labels([-2.6, -1.39]) == ("≤ -2.6", "-2.6 to -1.39", "> -1.39")


def test_best_cut_pays_for_its_search() -> None:
    """Under no association the naive p is far too small; the adjusted one keeps its level (permutation null)."""
    rng = np.random.default_rng(7)
    time, event = rng.exponential(20, 80), rng.random(80) < 0.7
    cuts = [best_cut(rng.normal(size=80), time, event) for _ in range(400)]
    assert np.mean([c.p_naive < 0.05 for c in cuts]) > 0.25
    assert np.mean([c.p_adjusted < 0.05 for c in cuts]) < 0.08
    with pytest.raises(PrognoscopeError, match="both sides"):
        best_cut(np.r_[np.zeros(79), 1.0], time, event)
    with pytest.raises(PrognoscopeError, match="no patient"):
        best_cut(np.arange(80.0), time, np.zeros(80, dtype=bool))
