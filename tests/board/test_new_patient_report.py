"""A report of a patient whom a run of another cohort scored: its stored estimate, or no number with the reason."""

from __future__ import annotations

import html as html_module
from dataclasses import replace

import pytest

from core.board.report_content import report_content
from core.board.report_html import report_html
from core.board.report_pdf import report_pdf
from core.board.sources import read_sources
from core.cohort.storage import save_cohort
from core.errors import PrognoscopeError
from core.results.prediction_set import list_prediction_sets, load_prediction_set
from core.results.workspace import Workspace
from core.tasks.predict import PredictRequest, predict
from core.tasks.train import TrainRequest, train
from tests.tasks.scoring_cohort import make_cohort


def test_a_new_patients_report_is_the_stored_estimate_and_an_odd_one_gets_no_number(workspace: Workspace) -> None:
    save_cohort(make_cohort(), None, workspace)
    run = train(
        TrainRequest("one", "cox-penalised", seeds=1, horizons=(12.0, 24.0), references=False, processes=1), workspace
    )
    two = make_cohort(50, "two", seed=5, prefix="Q", title="Elsewhere")
    assert two.genomics is not None
    values = two.genomics.values.copy()
    values[0] = 9.0
    save_cohort(replace(two, genomics=replace(two.genomics, values=values)), None, workspace)
    with pytest.raises(PrognoscopeError, match="no estimates of cohort"):
        read_sources(run.id, "two", workspace)
    predict(PredictRequest(run.id, "two"), workspace, lambda *_: None)
    sources = read_sources(run.id, "two", workspace)
    stored = load_prediction_set(list_prediction_sets("two", workspace)[0].id, workspace)
    odd, plain = two.ids[0], two.ids[7]
    found = report_content(sources, plain, 24.0, "IRB 1")
    assert found.number is not None
    at = stored.at(24.0)
    row = list(stored.table["id"]).index(plain)
    assert found.number.value == pytest.approx(float(at["survival"].iloc[row]))
    page = html_module.unescape(report_html(found))
    assert "models that the run holds say between" in page
    assert "Elsewhere" in page
    assert report_pdf(found) == report_pdf(found)
    refused = report_content(sources, odd, 24.0)
    assert refused.number is None
    assert "outside what the run was trained on" in html_module.unescape(report_html(refused))
