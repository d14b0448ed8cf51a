"""The Compare page: its states, the same patients for all runs, and the reason when a run cannot be compared."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from core.analysis.run_comparison import compare_runs
from core.cohort.sample import make_sample_cohort
from core.cohort.selection import CategoryFilter, Selection
from core.results.prediction import Predictions
from core.results.run_store import save_run
from core.results.views import save_view
from core.results.workspace import Workspace
from pages.widgets.figure_block import chart_key
from pages.widgets.state import KEY, Comparing, PageState, _Held
from tests.pages.builders import make_predictions, make_run

COHORT = make_sample_cohort()[0]


def html(test: AppTest) -> str:
    return " ".join(str(e.value) for e in test.get("html"))


def chosen(test: AppTest) -> PageState:
    return test.session_state[KEY].state


def weaker(seeds: tuple[int, ...] = (0,), patients: int = 240) -> Predictions:
    """The same folds and outcomes, other risks, of the first patients."""
    found = make_predictions(COHORT, seeds=seeds)
    table = found.table.assign(risk=found.table["risk"].to_numpy()[::-1])
    keep = table["id"].isin(COHORT.ids[:patients]).to_numpy()
    return Predictions(table[keep].reset_index(drop=True), found.times, found.survival[::-1][keep])


@pytest.fixture
def two(filled: Workspace) -> Workspace:
    """A second run, which predicted 200 of the 240 patients."""
    predictions = weaker(patients=200)
    run = replace(
        make_run(COHORT, predictions, "snn-2"), model="snn", created_at="2026-01-03T00:00:00", protocol="upstream"
    )
    save_run(run, predictions, filled)
    return filled


def test_one_run_is_not_enough_and_the_way_to_another_is_shown(
    filled: Workspace, open_page: Callable[..., AppTest]
) -> None:
    test = open_page("compare")
    assert "Nothing to compare yet" in html(test)
    assert "go_train" in {b.key for b in test.button}
    assert not test.get("plotly_chart")


def test_two_runs_stand_side_by_side_on_the_patients_of_both(two: Workspace, open_page: Callable[..., AppTest]) -> None:
    test = open_page("compare")
    assert not test.exception
    text = html(test)
    assert '<span class="n">200</span> <span class="of">of 240 selected</span>' in text
    assert len(test.get("plotly_chart")) == 2
    assert "optimistic" in text
    assert "synthetic patients" in text
    predictions = {"hdmoe-1": make_predictions(COHORT), "snn-2": weaker(patients=200)}
    runs = (make_run(COHORT, predictions["hdmoe-1"]), make_run(COHORT, predictions["snn-2"], "snn-2"))
    baseline = chosen(test).comparing.runs[0]
    difference = compare_runs(runs, predictions, baseline).compared[1].differences["harrell_c"]
    words = f"{difference.value:.3f} ({difference.low:.3f} to {difference.high:.3f})".replace("-", "\N{MINUS SIGN}")
    assert words in text
    assert "<td>Model</td>" in text


def test_the_baseline_turns_the_sign(two: Workspace, open_page: Callable[..., AppTest]) -> None:
    test = open_page("compare")
    first = html(test)
    test.selectbox(key="compare_baseline").select("hdmoe-1").run()
    assert chosen(test).comparing.baseline == "hdmoe-1"
    assert "SNN minus baseline" in html(test)
    assert "SNN minus baseline" not in first


def test_the_selection_is_what_is_compared(two: Workspace, open_page: Callable[..., AppTest]) -> None:
    first = ("A", "B")
    state = PageState(cohort="sample", selection=Selection((CategoryFilter("stage", first),)))
    test = open_page("compare", view=save_view(state.as_json(), two))
    stages = COHORT.patients["stage"]
    both = int(stages.iloc[:200].isin(first).sum())
    assert f'<span class="n">{both}</span> <span class="of">of {int(stages.isin(first).sum())} selected' in html(test)


def test_nobody_selected_is_empty(two: Workspace, open_page: Callable[..., AppTest]) -> None:
    state = PageState(cohort="sample", selection=Selection((CategoryFilter("stage", ("Z",)),)))
    test = open_page("compare", view=save_view(state.as_json(), two))
    assert "No patient fits all filters" in html(test)
    assert not test.get("plotly_chart")


def test_a_run_that_cannot_be_compared_says_why_beside_those_that_can(
    two: Workspace, open_page: Callable[..., AppTest]
) -> None:
    predictions = make_predictions(COHORT, folds=3)
    save_run(replace(make_run(COHORT, predictions, "mice-3"), model="mice", folds="3-fold"), predictions, two)
    state = PageState(cohort="sample", comparing=Comparing(("hdmoe-1", "snn-2", "mice-3"), "hdmoe-1"))
    test = open_page("compare", view=save_view(state.as_json(), two))
    assert "Not compared: MICE" in html(test)
    assert "other folds (3-fold, not 5-fold)" in html(test)
    assert len(test.get("plotly_chart")) == 2
    test.multiselect(key="compare_runs").set_value(["hdmoe-1", "mice-3"]).run()
    assert "Other folds" in html(test)
    assert "choose other runs" in html(test)
    assert not test.get("plotly_chart")
    assert "What differs" in html(test)


def test_loading_says_what_is_computed(
    two: Workspace, open_page: Callable[..., AppTest], monkeypatch: pytest.MonkeyPatch
) -> None:
    def still_computing(*_: object) -> None:
        st.stop()

    monkeypatch.setattr("pages.widgets.compare_results.compare_runs", still_computing)
    test = open_page("compare")
    assert any("Comparing the runs" in c.value for c in test.caption)
    assert test.get("skeleton")
    assert not test.get("plotly_chart")


def test_points_of_the_scatter_pick_patients_and_filter_nothing(
    two: Workspace, open_page: Callable[..., AppTest]
) -> None:
    test = open_page("compare")
    month = test.selectbox(key="compare_month").value
    pair = tuple(test.selectbox(key=f"compare_pair_{i}").value for i in (0, 1))
    key = chart_key("agreement", (*pair, month, COHORT.ids[:200]))
    test.session_state[key] = {"selection": {"points": [{"customdata": ["SYN-0004"]}], "box": [], "lasso": []}}
    test.run()
    assert chosen(test).options.picked == ("SYN-0004",)
    assert not chosen(test).selection.filters
    test.button(key="keep_picked").click().run()
    assert "**1** of 240" in " ".join(m.value for m in test.markdown)


def test_choosing_the_other_run_swaps_the_axes(two: Workspace, open_page: Callable[..., AppTest]) -> None:
    test = open_page("compare")
    first, second = (test.selectbox(key=f"compare_pair_{i}").value for i in (0, 1))
    test.selectbox(key="compare_pair_0").select(second).run()
    assert [test.selectbox(key=f"compare_pair_{i}").value for i in (0, 1)] == [second, first]
    test.selectbox(key="compare_month").select(0.0).run()
    assert not test.exception
    state = chosen(test)
    assert state.comparing.month == 0.0
    assert PageState.from_json(state.as_json()) == state
    test.session_state[KEY] = _Held(replace(state, comparing=Comparing()), "")
    assert not test.run().exception
