"""The Experts page's Audit tab: who can be audited, the job it starts, and what it says of a stored audit."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from core.cohort.sample import make_sample_cohort, save_sample
from core.jobs.queue import JobQueue
from core.results.audit import AuditReport, save_audit
from core.results.files import write_json
from core.results.run_store import save_run
from core.results.views import save_view
from core.results.workspace import Workspace
from pages.widgets.state import KEY, Auditing, PageState
from tests.pages.audits import TREATED, biofact_run, make_audit
from tests.pages.builders import make_predictions

COHORT = make_sample_cohort()[0]
RUN = "biofact-sample-2"


def html(test: AppTest) -> str:
    return " ".join(str(e.value) for e in test.get("html"))


@pytest.fixture
def open_page(open_page: Callable[..., AppTest]) -> Callable[..., AppTest]:
    """Every page with its Audit tab open, where it has one."""

    def run(name: str, **address: Any) -> AppTest:
        test = open_page(name, **address)
        test.session_state["experts_tab"] = "Audit"
        return test.run()

    return run


@pytest.fixture
def named(filled: Workspace) -> Workspace:
    """Beside the run of the fixture, a newer one whose experts have names."""
    predictions = make_predictions(COHORT, seeds=(0,))
    save_run(biofact_run(COHORT, predictions, RUN), predictions, filled)
    return filled


@pytest.fixture
def quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    """Jobs wait: no worker is started."""
    monkeypatch.setattr("core.jobs.supervise.ensure_worker", lambda *_: None)


def store(workspace: Workspace, **changes: Any) -> AuditReport:
    report = make_audit(RUN, **changes)
    save_audit(report, workspace)
    return report


def test_without_a_run_the_way_to_one_is_shown(workspace: Workspace, open_page: Callable[..., AppTest]) -> None:
    save_sample(workspace)
    test = open_page("experts")
    assert "No run of this cohort yet" in html(test)
    assert "--model biofact" in html(test)
    assert "go_train" in {b.key for b in test.button}


def test_a_model_without_named_experts_says_so_and_which_has_some(
    named: Workspace, open_page: Callable[..., AppTest]
) -> None:
    view = save_view(PageState(cohort="sample", run="hdmoe-1").as_json(), named)
    test = open_page("experts", view=view)
    assert "HDMoE names no experts" in html(test)
    assert "BioFact-MoE (liver and tumour)" in html(test)
    assert "audit_run" not in {b.key for b in test.button}
    test.button(key="choose_auditable").click().run()
    assert test.session_state[KEY].state.run == RUN
    assert "Not audited yet" in html(test)


def test_starting_an_audit_twice_makes_one_job_with_the_choices(
    named: Workspace, open_page: Callable[..., AppTest], quiet: None
) -> None:
    test = open_page("experts")
    assert "This run has 1 seed" in html(test)
    assert test.number_input(key="audit_landmark").disabled
    test.checkbox(key="audit_controls").check().run()
    test.selectbox(key="audit_treatment").select("treatment_arm").run()
    test.number_input(key="audit_landmark").set_value(6.0).run()
    test.button(key="audit_run").click().run()
    assert not test.exception
    jobs = JobQueue(named).jobs()
    assert [dict(j.arguments) for j in jobs] == [
        {"run": RUN, "controls": True, "treatment": "treatment_arm", "landmark": 6.0}
    ]
    assert "The audit is under way" in " ".join(s.value for s in test.subheader)
    assert "audit_run" not in {b.key for b in test.button}
    second = open_page("experts")
    assert "audit_cancel" in {b.key for b in second.button}
    state = test.session_state[KEY].state
    assert state.auditing == Auditing(True, "treatment_arm", 6.0)
    assert PageState.from_json(state.as_json()) == state


def test_a_stored_audit_answers_in_words_first(named: Workspace, open_page: Callable[..., AppTest]) -> None:
    store(named, treatment=TREATED)
    test = open_page("experts")
    assert not test.exception
    text = html(test)
    assert text.count('<div class="verdict yes">') == 3
    for words in ("synthetic patients", "reports read as they are", "Child-Pugh class", "in the reports of 41 of",
                  "an input of the model", "as\N{NO-BREAK SPACE}expected", "descriptive, never causal"):  # fmt: skip
        assert words in text, words
    assert "1.62 (1.22 to 2.15)" in text
    assert f"audit {RUN} --permutations 999 --controls --treatment treatment_arm --landmark 6" in test.code[0].value
    assert "may come from who was recorded" in text
    assert len(test.get("plotly_chart")) == 5


def test_a_redacted_run_without_controls_and_a_refused_treatment(
    named: Workspace, open_page: Callable[..., AppTest]
) -> None:
    refused = replace(TREATED, terms=(), reason="31 events for 6 terms; it needs 60")
    store(named, controls=False, redacted=True, treatment=refused, notes=("2 seeds: too few.",))
    text = html(open_page("experts"))
    for words in ("marker mentions removed from the reports", "Controls were not trained", "Nothing was fitted",
                  "31 events for 6 terms", "2 seeds: too few."):  # fmt: skip
        assert words in text, words
    assert "never reads such words" not in text


def test_an_audit_that_could_test_nothing_still_has_its_page(
    named: Workspace, open_page: Callable[..., AppTest]
) -> None:
    store(named, controls=False, selectivity={}, markers=(), gate=None, stability=None)
    test = open_page("experts")
    assert not test.exception
    assert html(test).count('<div class="verdict open">') == 3
    assert not test.get("plotly_chart")


def test_a_run_of_an_earlier_import_cannot_be_audited(named: Workspace, open_page: Callable[..., AppTest]) -> None:
    predictions = make_predictions(COHORT, seeds=(0,))
    old = replace(biofact_run(COHORT, predictions, "biofact-old-9"), cohort_hash="0" * 64, created_at="2026-05-05")
    save_run(old, predictions, named)
    test = open_page("experts")
    assert "cannot be audited any more" in html(test)
    assert "audit_run" not in {b.key for b in test.button}


def test_an_unreadable_audit_is_one_sentence_and_loading_says_what_is_read(
    named: Workspace, open_page: Callable[..., AppTest], monkeypatch: pytest.MonkeyPatch
) -> None:
    named.audits.mkdir(parents=True)
    write_json(named.audits / f"{RUN}.json", {"run": RUN})
    test = open_page("experts")
    assert "An audit this version cannot read" in html(test)
    assert f"./run cli audit {RUN}" in html(test)
    monkeypatch.setattr("pages.widgets.experts_audit.load_audit", lambda *_: st.stop())
    test = open_page("experts")
    assert any("Reading the audit" in c.value for c in test.caption)
    assert test.get("skeleton")
