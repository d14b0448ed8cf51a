"""The Cohort page's panel for new patients: a job is asked for, its answer is shown, the file is guarded."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.testclient import TestClient
from streamlit.testing.v1 import AppTest

from core.cohort.selection import IdsFilter, Selection
from core.cohort.storage import save_cohort
from core.jobs.queue import JobQueue
from core.results.evaluation import Repeats
from core.results.views import save_view
from core.results.workspace import Workspace
from core.serving.exports import estimates_url, routes
from core.serving.visitor import COOKIE, VisitorCookie
from core.tasks.jobs import TASKS
from core.tasks.predict import PredictRequest, predict
from core.tasks.train import TrainRequest, train
from pages.widgets.state import PageState
from tests.tasks.scoring_cohort import make_cohort

FEW = Repeats(harrell=20, other=5, calibration=2)


@pytest.fixture
def scored(workspace: Workspace) -> tuple[Workspace, str]:
    """A run of cohort "one", and a cohort "two" whose first patient is like nobody the run has seen."""
    save_cohort(make_cohort(), None, workspace)
    run = train(
        TrainRequest("one", "cox-penalised", seeds=1, horizons=(12.0, 24.0), references=False, processes=1), workspace
    )
    two = make_cohort(50, "two", seed=5, prefix="Q", title="TCGA-LIHC elsewhere")
    values = two.genomics.values.copy()
    values[0] = 9.0
    save_cohort(replace(two, genomics=replace(two.genomics, values=values)), None, workspace)
    return workspace, run.id


def shown(test: AppTest) -> str:
    return " ".join(str(e.value) for e in test.get("html")) + " ".join(h.value for h in [*test.header, *test.subheader])


def open_two(open_page: Callable[..., AppTest], workspace: Workspace, **state: object) -> AppTest:
    return open_page("cohort", view=save_view(PageState(cohort="two", **state).as_json(), workspace))  # type: ignore[arg-type]


def test_a_click_asks_for_a_job_that_the_worker_can_do(
    scored: tuple[Workspace, str], open_page: Callable[..., AppTest], monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace, run = scored
    monkeypatch.setattr("core.jobs.supervise.ensure_worker", lambda *_, **__: None)
    test = open_two(open_page, workspace)
    assert not test.exception
    assert "Estimates from a run of another cohort" in shown(test)
    assert "A job applies all models" in shown(test)
    test.button(key="score_start").click().run()
    job = JobQueue(workspace).jobs()[0]
    assert (job.task, dict(job.arguments)) == ("predict", {"run": run, "cohort": "two"})
    assert set(job.arguments) <= set(TASKS["predict"].arguments)
    assert test.button(key="score_start").disabled
    assert len(test.get("progress")) == 1


def test_estimates_reasons_and_what_happened_are_shown_for_the_selected(
    scored: tuple[Workspace, str], open_page: Callable[..., AppTest]
) -> None:
    workspace, run = scored
    found = predict(PredictRequest(run, "two", FEW), workspace)
    test = open_two(open_page, workspace)
    assert not test.exception
    assert "External validation: OS" in shown(test)
    assert "not a confidence interval" in shown(test)
    assert f"{50 - found.unsupported}</span>" in shown(test)
    table = test.dataframe[-1].value
    assert len(table) == 50
    outside = table[table["Patient"] == "Q0000"].iloc[0]
    assert outside["Alive at 1 year"] == "no estimate"
    assert np.isnan(outside["Risk"])
    assert "genomics" in outside["Why no estimate"]
    given = table[table["Patient"] == "Q0001"].iloc[0]
    s = found.at(12.0).iloc[1]
    assert given["Alive at 1 year"] == f"{100 * s['survival']:.0f} % ({100 * s['low']:.0f}–{100 * s['high']:.0f})"
    few = open_two(open_page, workspace, selection=Selection((IdsFilter(("Q0000", "Q0007")),)))
    assert few.dataframe[-1].value["Patient"].tolist() == ["Q0000", "Q0007"]


def test_a_cohort_imported_anew_has_no_estimates_yet(
    scored: tuple[Workspace, str], open_page: Callable[..., AppTest]
) -> None:
    workspace, run = scored
    predict(PredictRequest(run, "two", FEW), workspace)
    save_cohort(make_cohort(50, "two", seed=6, prefix="Q"), None, workspace)
    assert "A job applies all models" in shown(open_two(open_page, workspace))


def test_a_cohort_without_a_run_of_another_says_how_to_get_one(
    scored: tuple[Workspace, str], open_page: Callable[..., AppTest]
) -> None:
    workspace, _ = scored
    text = shown(open_page("cohort", view=save_view(PageState(cohort="one").as_json(), workspace)))
    assert "No run of another cohort yet" in text
    assert "split-cohort" in text


def test_the_file_of_estimates_needs_a_token_of_its_own(scored: tuple[Workspace, str]) -> None:
    workspace, run = scored
    found = predict(PredictRequest(run, "two", FEW), workspace)
    client = TestClient(Starlette(routes=routes(), middleware=[Middleware(VisitorCookie)]))
    client.get("/")
    address = estimates_url(found.id, client.cookies[COOKIE])
    answer = client.get(address)
    assert answer.status_code == 200
    assert "synthetic-two-by-" in answer.headers["content-disposition"]
    table = pd.read_csv(io.StringIO(answer.text))
    assert table["id"].tolist() == list(found.table["id"])
    assert table.loc[0, ["risk", "S(12)"]].isna().all()
    assert client.get(address.split("?")[0]).status_code == 403
    token = address.partition("?t=")[2]
    assert client.get(f"/export/predictions/{run}.csv?t={token}").status_code == 403
