"""The comparison of groups: tables that add up, tests withheld where they must be, words that match the numbers."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.analysis.comparisons import hazard_ratio_table, logrank_sentence, pairwise_table, rmst_table
from core.analysis.drawn import drawn_numbers, medians_table
from core.analysis.group_survival import SurvivalOptions, analyse_groups, axis_ticks
from core.analysis.grouping import Cut, GroupBy, Grouping, Source, column_groups, everybody
from core.analysis.outcome import CompetingAs, Outcome, make_outcome
from core.cohort.cohort import Cohort
from core.cohort.sample import make_sample_cohort
from core.figures.survival import survival_figure


@pytest.fixture(scope="module")
def cohort() -> Cohort:
    return make_sample_cohort()[0]


def outcome_of(cohort: Cohort, endpoint: str = "OS", how: CompetingAs = CompetingAs.CENSORED) -> Outcome:
    return make_outcome(cohort, np.arange(len(cohort)), endpoint, how)


def by_size(outcome: Outcome, small: int) -> Grouping:
    member = np.zeros(len(outcome), dtype=np.int64)
    member[np.flatnonzero(outcome.event)[:small]] = 1
    return Grouping("size", ("large", "small"), member)


@pytest.mark.parametrize(("small", "made"), [(9, False), (10, True)])
def test_a_p_value_is_withheld_below_ten_patients(cohort: Cohort, small: int, made: bool) -> None:
    outcome = outcome_of(cohort)
    result = analyse_groups(outcome, by_size(outcome, small), SurvivalOptions())
    assert (result.logrank is not None and result.logrank.p is not None) is made
    assert (result.hazard_ratios is not None) is made
    assert any("No p-value" in n and "small has 9" in n for n in result.notes) is not made
    assert ("withheld" in logrank_sentence(result)) is not made


def test_a_p_value_is_withheld_below_five_events(cohort: Cohort) -> None:
    outcome = outcome_of(cohort)
    member = np.zeros(len(outcome), dtype=np.int64)
    member[np.flatnonzero(~outcome.event)[:40]] = 1
    member[np.flatnonzero(outcome.event)[:4]] = 1
    result = analyse_groups(outcome, Grouping("x", ("a", "b"), member), SurvivalOptions())
    assert result.logrank is None
    assert not result.rmst_differences


def test_three_groups_get_holm_corrected_pairs(cohort: Cohort) -> None:
    outcome = outcome_of(cohort)
    grouping = column_groups(outcome, cohort, GroupBy(Source.COLUMN, "afp", Cut.TERTILES))
    result = analyse_groups(outcome, grouping, SurvivalOptions())
    table = pairwise_table(result)
    assert len(table) == 3
    assert "Holm-corrected" in table
    assert all(t.p_adjusted >= t.p for t in result.pairwise)
    assert len(hazard_ratio_table(result)) == len(rmst_table(result)) == 2


def test_a_searched_cut_never_shows_a_naive_p(cohort: Cohort) -> None:
    outcome = outcome_of(cohort)
    grouping = column_groups(outcome, cohort, GroupBy(Source.COLUMN, "afp", Cut.BEST))
    result = analyse_groups(outcome, grouping, SurvivalOptions())
    assert result.logrank is None
    assert "adjusted for having searched" in logrank_sentence(result)
    assert set(hazard_ratio_table(result)["Wald test"]) == {"not shown"}
    assert set(rmst_table(result)["Test"]) == {"not shown"}


def test_a_searched_cut_through_a_small_group_shows_no_p_at_all(cohort: Cohort) -> None:
    outcome = make_outcome(cohort, np.arange(40), "OS")
    grouping = column_groups(outcome, cohort, GroupBy(Source.COLUMN, "afp", Cut.BEST))
    sizes = np.bincount(grouping.member[grouping.member >= 0])
    assert sizes.min() < 10
    assert np.isfinite(grouping.best_cut.p_adjusted)
    result = analyse_groups(outcome, grouping, SurvivalOptions())
    assert "withheld" in logrank_sentence(result)
    assert "p =" not in logrank_sentence(result).replace("\N{NO-BREAK SPACE}", " ")
    drawn = survival_figure(result, "t", True)
    assert any("withheld" in a.text for a in drawn.layout.annotations)


def test_competing_events_draw_incidence_and_no_median(cohort: Cohort) -> None:
    outcome = outcome_of(cohort, "DWT", CompetingAs.COMPETING)
    result = analyse_groups(outcome, everybody(outcome), SurvivalOptions())
    group = result.groups[0]
    assert group.incidence is not None
    assert group.competing_incidence is not None
    table = dict(group.table)
    assert table["Competing"][-1] > 0
    assert "Median, months (95 % CI)" not in medians_table(result)
    one_minus_km = 1 - group.curve.survival[-1]
    assert group.incidence.incidence[-1] < one_minus_km


def test_fewer_than_twenty_at_risk_is_not_estimable(cohort: Cohort) -> None:
    outcome = outcome_of(cohort).take(np.arange(len(cohort)) < 25)
    result = analyse_groups(outcome, everybody(outcome), SurvivalOptions(years=(0.1, 5.0)))
    words = medians_table(result).iloc[0]
    assert "at risk" in words["5-year survival (95 % CI)"]
    assert "%" in words["0.1-year survival (95 % CI)"]


def test_the_table_adds_up_at_every_tick(cohort: Cohort) -> None:
    for how in CompetingAs:
        outcome = outcome_of(cohort, "DWT", how)
        grouping = column_groups(outcome, cohort, GroupBy(Source.COLUMN, "sex"))
        for group in analyse_groups(outcome, grouping, SurvivalOptions()).groups:
            table = dict(group.table)
            gone = sum(v for k, v in table.items() if k != "At risk")
            part_time = np.array([outcome.time[outcome.ids.index(i)] for i in group.ids])
            ticks = axis_ticks(float(outcome.time[grouping.member >= 0].max()))
            assert (table["At risk"] == [(part_time >= t).sum() for t in ticks]).all()
            assert (gone == [(part_time <= t).sum() for t in ticks]).all()


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 12), st.integers(0, 2), st.integers(0, 4)), min_size=6, max_size=60))
def test_the_exported_counts_are_the_patients(records: list[tuple[int, int, int]]) -> None:
    time = np.array([t for t, _, _ in records], dtype=float)
    entry = np.array([e if e < t else 0 for t, _, e in records], dtype=float)
    codes = np.array([c for _, c, _ in records])
    n = len(time)
    outcome = Outcome(
        np.arange(n), tuple(f"P{i}" for i in range(n)), entry, time, codes, "x", "y", "death", "other", ()
    )
    if time.max() == 0:
        return
    numbers = drawn_numbers(analyse_groups(outcome, everybody(outcome), SurvivalOptions()))
    assert numbers["entered"].sum() == n
    assert [numbers[c].sum() for c in ("censored", "events", "competing")] == [
        int((codes == c).sum()) for c in (0, 1, 2)
    ]
    later = numbers[numbers["time"] > 0]
    assert (later["at_risk"] == [((entry < t) & (time >= t)).sum() for t in later["time"]]).all()


@pytest.mark.parametrize("longest", [0.5, 3, 11.9, 12, 60, 119, 240, 1300])
def test_ticks_are_few_and_inside(longest: float) -> None:
    ticks = axis_ticks(longest)
    assert ticks[0] == 0
    assert ticks[-1] <= longest
    assert len(ticks) <= 11
    assert len(np.unique(np.diff(ticks))) <= 1


def test_tau_is_held_within_the_shortest_follow_up(cohort: Cohort) -> None:
    outcome = outcome_of(cohort)
    grouping = column_groups(outcome, cohort, GroupBy(Source.COLUMN, "sex"))
    shortest = min(outcome.time[grouping.member == g].max() for g in (0, 1))
    assert analyse_groups(outcome, grouping, SurvivalOptions(tau=9999)).tau == shortest
    assert analyse_groups(outcome, grouping, replace(SurvivalOptions(), tau=24.0)).tau == 24
