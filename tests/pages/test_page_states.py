"""Each page in its four designed states: empty, loading, error, normal."""

from __future__ import annotations

import logging
from collections.abc import Callable

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from core.care.error_log import latest_errors
from core.cohort.cohort import Cohort
from core.cohort.sample import save_sample
from core.cohort.selection import CategoryFilter, Selection
from core.errors import PrognoscopeError
from core.results.views import save_view
from core.results.workspace import Workspace
from pages.widgets.state import PageState

PAGES = ("cohort", "survival", "experts", "train", "compare")
FILTERED = ("cohort", "survival")
"""Pages that draw the selected patients of one cohort and one run."""


def html(test: AppTest) -> str:
    return " ".join(str(e.value) for e in test.get("html"))


@pytest.mark.parametrize("name", PAGES)
def test_empty_says_how_to_bring_patients(name: str, workspace: Workspace, open_page: Callable[..., AppTest]) -> None:
    test = open_page(name)
    assert not test.exception
    assert "No cohort yet" in html(test)
    assert "./run cli import" in html(test)
    assert "Research use only" in html(test)
    assert not test.get("plotly_chart")


@pytest.mark.parametrize("name", FILTERED)
def test_a_selection_without_patients_is_empty_too(
    name: str, filled: Workspace, open_page: Callable[..., AppTest]
) -> None:
    state = PageState(cohort="sample", selection=Selection((CategoryFilter("stage", ("Z",)),)))
    test = open_page(name, view=save_view(state.as_json(), filled))
    assert "No patient fits all filters" in html(test)
    assert not test.get("plotly_chart")
    test.button(key="clear_empty").click().run()
    assert "No patient fits" not in html(test)
    assert test.get("plotly_chart")


@pytest.mark.parametrize("name", PAGES)
def test_loading_shows_what_is_read_over_grey_shapes(
    name: str, filled: Workspace, open_page: Callable[..., AppTest], monkeypatch: pytest.MonkeyPatch
) -> None:
    def still_reading(*_: object) -> Cohort:
        st.stop()
        raise AssertionError

    monkeypatch.setattr("pages.widgets.opening.read_cohort", still_reading)
    test = open_page(name)
    assert not test.exception
    assert any("Reading Synthetic HCC" in c.value for c in test.caption)
    assert len(test.get("skeleton")) == 2
    assert not test.get("plotly_chart")


@pytest.mark.parametrize("name", PAGES)
def test_a_known_failure_is_one_sentence_with_what_to_do(
    name: str, filled: Workspace, open_page: Callable[..., AppTest]
) -> None:
    path = filled.cohort("sample") / "patients.parquet"
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    test = open_page(name)
    assert not test.exception
    assert "patients.parquet was altered" in html(test).lower()
    assert "What to do" in html(test)
    assert not test.get("skeleton")
    assert not test.get("plotly_chart")


@pytest.mark.parametrize("name", PAGES)
def test_an_unknown_failure_is_an_id_whose_trace_is_only_in_the_log(
    name: str,
    filled: Workspace,
    open_page: Callable[..., AppTest],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def broken(*_: object) -> Cohort:
        raise ZeroDivisionError("the inner secret")

    monkeypatch.setattr("pages.widgets.opening.read_cohort", broken)
    with caplog.at_level(logging.ERROR):
        test = open_page(name)
    assert not test.exception
    shown = html(test)
    assert "Something went wrong here" in shown
    assert "inner secret" not in shown
    error_id = shown.split("Error id <code>")[1][:8]
    assert error_id in caplog.text
    assert "the inner secret" not in caplog.text
    assert [(e.id, "the inner secret" in e.trace) for e in latest_errors(filled)] == [(error_id, True)]


@pytest.mark.parametrize(("name", "charts"), [("cohort", 8), ("survival", 4)])
def test_normal_draws_everything_and_calls_the_patients_synthetic(
    name: str, charts: int, filled: Workspace, open_page: Callable[..., AppTest]
) -> None:
    test = open_page(name)
    assert not test.exception
    assert len(test.get("plotly_chart")) == charts
    assert "Synthetic patients" in html(test)
    assert "Something went wrong" not in html(test)
    assert not test.get("skeleton")


def test_a_chart_that_cannot_be_computed_says_why_and_the_rest_stays(
    filled: Workspace, open_page: Callable[..., AppTest], monkeypatch: pytest.MonkeyPatch
) -> None:
    def impossible(*_: object, **__: object) -> None:
        raise PrognoscopeError("no usable follow-up", "the endpoint", "choose another endpoint")

    monkeypatch.setattr("pages.widgets.cohort_head.make_outcome", impossible)
    test = open_page("cohort")
    assert "No usable follow-up" in html(test)
    assert "choose another endpoint" in html(test)
    assert len(test.get("plotly_chart")) == 7


def test_a_cohort_without_a_run_says_how_to_get_one(workspace: Workspace, open_page: Callable[..., AppTest]) -> None:
    save_sample(workspace)
    test = open_page("survival")
    assert "No run of this cohort yet" in html(test)
    assert "./run cli train --cohort sample" in html(test)
    assert len(test.get("plotly_chart")) == 1
