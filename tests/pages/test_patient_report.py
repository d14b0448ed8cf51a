"""The Report tab in its states: a run without reports, not made, made, and a report that is no longer there."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from core.results.views import save_view
from core.results.workspace import Workspace
from pages.widgets.patient_report import state_key
from pages.widgets.report_text import text_data
from pages.widgets.state import PageState
from tests.pages.reports import HOSTILE, PATIENT, RUN, TEXT, fill_reports, make_evidence


def said(test: AppTest) -> str:
    return " ".join(str(e.value) for e in [*test.get("html"), *test.markdown, *test.text])


@pytest.fixture
def report(filled: Workspace, tmp_path: Path, open_page: Callable[..., AppTest]) -> Callable[..., AppTest]:
    def opened(**how: Any) -> AppTest:
        fill_reports(filled, tmp_path, **how)
        view = save_view(PageState(cohort="sample", run=RUN, patient=PATIENT).as_json(), filled)
        test = open_page("patient", view=view)
        test.session_state["patient_tab"] = "Report"
        return test.run()

    return opened


def test_not_made_yet_offers_the_job_and_shows_the_text_as_it_is(report: Callable[..., AppTest]) -> None:
    test = report(evidence=False)
    assert not test.exception
    assert "Which sentences of the report counted is not computed yet" in said(test)
    assert "explain_report" in {b.key for b in test.button}
    assert test.code[0].value.strip() == TEXT.strip()


def test_a_run_that_takes_no_reports_says_so(report: Callable[..., AppTest]) -> None:
    test = report(evidence=False, modality="clinical")
    assert "The chosen run takes no reports" in said(test)
    assert test.code[0].value.strip() == TEXT.strip()


def test_made_it_says_what_the_report_is_worth_and_lists_every_sentence(report: Callable[..., AppTest]) -> None:
    test = report()
    assert not test.exception
    words = said(test)
    assert "lowers it by 3.0 percentage points" in words
    assert "tumour (wavy line)" in words
    assert "Choose a sentence" in words
    assert "A large mass in segment VII." in words
    assert "Not met: the models agree" in words or "No check is met" in words
    assert "<img" not in words
    assert "<script" not in words
    assert "&lt;script&gt;" in words


def test_a_chosen_sentence_shows_its_expert_and_its_effect(report: Callable[..., AppTest]) -> None:
    test = report()
    test.session_state[state_key(make_evidence())] = {"chosen": 0}
    test.run()
    assert not test.exception
    words = said(test)
    assert "Expert: expert 3 (level 2, first model)" in words
    assert "lowers the estimated 3-year survival by 2.40" in words
    assert "Weight: 50 % of the attention" in words


def test_a_report_that_is_gone_is_told_plainly(report: Callable[..., AppTest], tmp_path: Path) -> None:
    test = report()
    (tmp_path / "report.txt").unlink()
    test.run()
    assert not test.exception
    assert "No report of this patient can be read" in said(test)
    assert str(tmp_path) not in said(test)


def test_the_browser_is_given_strings_that_join_to_the_report() -> None:
    data = text_data(make_evidence(), [TEXT], [""], None)
    assert "".join(p["text"] for p in data["reports"][0]["pieces"]) == TEXT
    assert HOSTILE in [p["text"] for p in data["reports"][0]["pieces"]]
    assert [s["relative"] for s in data["sentences"]] == [1.0, 0.6, 0.4]
