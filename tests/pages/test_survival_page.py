"""The Survival page: every way to group, tests withheld in words, competing events, and numbers that agree."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from core.analysis.grouping import Cut, GroupBy, Source
from core.analysis.outcome import CompetingAs
from core.cohort.sample import make_sample_cohort
from core.cohort.selection import IdsFilter, NamedGroup
from core.cohort.storage import load_cohort, save_cohort
from core.results.workspace import Workspace
from pages.widgets.figure_block import chart_key
from pages.widgets.state import KEY, PageState, _Held


def shown(test: AppTest) -> str:
    return " ".join(str(e.value) for e in test.get("html")) + " ".join(m.value for m in test.markdown)


def chosen(test: AppTest) -> PageState:
    return test.session_state[KEY].state


def regroup(test: AppTest, **options: object) -> AppTest:
    state = chosen(test)
    test.session_state[KEY] = _Held(
        replace(state, options=replace(state.options, **options)), test.session_state[KEY].shown
    )
    return test.run()


def test_it_opens_on_the_runs_risk_groups_with_their_badge(
    filled: Workspace, open_page: Callable[..., AppTest]
) -> None:
    text = shown(open_page("survival"))
    assert "Lower risk" in text
    assert "Higher risk" in text
    assert "out-of-fold" in text.lower()
    assert "Log-rank" in text
    assert "Hazard ratio (95 % CI)" in text
    assert "Schoenfeld" in text
    assert "RMST difference" in text


@pytest.mark.parametrize(
    ("by", "words"),
    [
        (GroupBy(Source.NONE), "Selected patients"),
        (GroupBy(Source.RISK, cut=Cut.TERTILES), "Holm-corrected"),
        (GroupBy(Source.COLUMN, "sex"), "male (n ="),
        (GroupBy(Source.COLUMN, "afp", Cut.BEST), "adjusted for having searched"),
        (GroupBy(Source.COLUMN, "albi", Cut.CLINICAL, (-2.6, -1.39)), "withheld"),
        (GroupBy(Source.COLUMN, "stage"), "withheld with fewer than 10 patients or 5 events"),
        (GroupBy(Source.COLUMN, "albi", Cut.CLINICAL, ()), "type at least one number"),
    ],
)
def test_each_way_to_group(by: GroupBy, words: str, filled: Workspace, open_page: Callable[..., AppTest]) -> None:
    test = regroup(open_page("survival"), group_by=by)
    assert not test.exception
    assert words in shown(test)
    assert "Something went wrong" not in shown(test)


def test_named_groups_are_offered_once_saved(filled: Workspace, open_page: Callable[..., AppTest]) -> None:
    ids = make_sample_cohort()[0].ids
    test = open_page("survival")
    assert "Named groups" not in test.selectbox(key="group_by").options
    state = replace(chosen(test), groups=(NamedGroup.of("a", ids[:80]), NamedGroup.of("b", ids[70:160])))
    test.session_state[KEY] = _Held(state, test.session_state[KEY].shown)
    test.run().selectbox(key="group_by").select(("named", "")).run()
    assert chosen(test).options.group_by.source is Source.NAMED
    assert "10 in two groups" in shown(test)


def test_the_reader_says_what_a_transplant_counts_as(filled: Workspace, open_page: Callable[..., AppTest]) -> None:
    test = open_page("survival")
    test.selectbox(key="endpoint").select("DWT").run()
    deaths = {}
    for how in CompetingAs:
        test.selectbox(key="competing_as").select(how).run()
        assert not test.exception
        deaths[how] = shown(test)
    assert "incidence (95 % CI)" in deaths[CompetingAs.COMPETING]
    assert "cause-specific" in deaths[CompetingAs.COMPETING]
    assert "Median, months" in deaths[CompetingAs.CENSORED]
    assert deaths[CompetingAs.EVENT] != deaths[CompetingAs.CENSORED]


def test_years_landmark_and_horizon_are_the_readers(filled: Workspace, open_page: Callable[..., AppTest]) -> None:
    test = open_page("survival")
    test.text_input(key="years").set_value("2; 0.5").run()
    assert chosen(test).options.survival.years == (0.5, 2.0)
    assert "0.5-year survival" in shown(test)
    test.text_input(key="years").set_value("soon").run()
    assert "“soon” was not used" in shown(test)
    assert chosen(test).options.survival.years == (0.5, 2.0)
    test.number_input(key="tau").set_value(24.0).run()
    assert "to month 24" in shown(test)
    test.number_input(key="landmark").set_value(12.0).run()
    assert "event or end of follow-up before month 12" in shown(test)


def test_steps_chosen_on_the_curve_pick_patients_and_filter_nothing(
    filled: Workspace, open_page: Callable[..., AppTest]
) -> None:
    test = open_page("survival")
    state = chosen(test)
    key = chart_key("survival", (state.selection, state.endpoint, state.options.group_by, state.options.band))
    test.session_state[key] = {"selection": {"points": [{"customdata": ["SYN-0004 SYN-0005"]}], "box": [], "lasso": []}}
    test.run()
    assert chosen(test).options.picked == ("SYN-0004", "SYN-0005")
    assert not chosen(test).selection.filters
    assert test.dataframe[0].value["Patient"].tolist() == ["SYN-0004", "SYN-0005"]
    test.button(key="keep_picked").click().run()
    assert "**2** of 240" in shown(test)


def test_a_small_selection_withholds_the_quality_with_its_reason(
    filled: Workspace, open_page: Callable[..., AppTest]
) -> None:
    test = open_page("survival")
    state = chosen(test)
    few = state.selection.with_filter(IdsFilter(make_sample_cohort()[0].ids[:9], "nine"))
    test.session_state[KEY] = _Held(replace(state, selection=few), test.session_state[KEY].shown)
    text = shown(test.run())
    assert "Only 9 predicted patients" in text
    assert "remove filters until" in text


def test_the_page_shows_the_numbers_lifelines_computes(filled: Workspace, open_page: Callable[..., AppTest]) -> None:
    from lifelines import KaplanMeierFitter
    from lifelines.statistics import logrank_test

    cohort = make_sample_cohort()[0]
    outcome, sex = cohort.endpoint("OS"), cohort.patients["sex"]
    test = regroup(open_page("survival"), group_by=GroupBy(Source.COLUMN, "sex"))
    male, female = (np.asarray(sex == s, dtype=bool) for s in ("male", "female"))
    fitted = KaplanMeierFitter().fit(outcome.time[male], outcome.event[male])
    assert f"{fitted.median_survival_time_:.1f} (" in shown(test)
    assert f"{100 * fitted.survival_function_at_times(12).iloc[0]:.0f} % (" in shown(test)
    theirs = logrank_test(outcome.time[male], outcome.time[female], outcome.event[male], outcome.event[female])
    assert f"χ² = {theirs.test_statistic:.2f}" in shown(test)


def test_a_run_of_an_earlier_import_says_so(filled: Workspace, open_page: Callable[..., AppTest]) -> None:
    words = "trained on an earlier import"
    assert words not in shown(open_page("survival"))
    cohort = load_cohort("sample", filled)
    endpoint = cohort.endpoint("OS")
    later = replace(cohort, endpoints=dict(cohort.endpoints) | {"OS": replace(endpoint, time=endpoint.time + 1.0)})
    save_cohort(later, None, filled)
    assert words in shown(open_page("survival"))
