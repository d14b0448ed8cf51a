"""The task explains what can be explained, says why of the rest, and the command prints the keys of its contract."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from core.cli.__main__ import main
from core.cohort.storage import save_cohort
from core.errors import PrognoscopeError
from core.jobs.resident import Resident
from core.jobs.task import JobContext, check_task
from core.results.cohort_explanation import load_cohort_explanation
from core.results.explained import Kind, default_month, has_explanation
from core.results.explanation import load_explanation
from core.results.run_store import load_predictions
from core.results.what_if import WhatIf
from core.results.workspace import Workspace
from core.tasks import explain as module
from core.tasks.explain import ExplainRequest, explain
from core.tasks.jobs import TASKS
from core.tasks.train import TrainRequest, train
from tests.tasks.scoring_cohort import make_cohort

MONTH = 24.0


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> tuple[Workspace, str]:
    workspace = Workspace(tmp_path_factory.mktemp("explain"))
    save_cohort(make_cohort(), None, workspace)
    settings = {"width": 16, "family_hidden": 8, "training.epochs": 4}
    asked = TrainRequest(
        "one", "snn", folds="2", seeds=2, settings=settings, horizons=(12.0, MONTH), references=False, processes=1
    )
    return workspace, train(asked, workspace).id


def test_default_month() -> None:
    assert default_month((12.0, 24.0, 36.0, 60.0)) == 36.0
    assert default_month((60.0, 12.0)) == 12.0


def test_values_of_a_stored_run(stored: tuple[Workspace, str], tmp_path: Path) -> None:
    workspace, run = stored
    patient = load_predictions(run, workspace).table["id"].iloc[0]
    given = {"run": run, "patient": patient, "month": None}
    check_task("explain", given)
    said: list[tuple[float, str]] = []
    result = TASKS["explain"](given, workspace, JobContext(lambda s, text: said.append((s, text)), tmp_path))
    assert result == {"run": run, "month": MONTH, "made": ["values"], "refused": {}}
    assert [s for s, _ in said] == sorted(s for s, _ in said)
    assert not any(patient in text for _, text in said)
    found = load_explanation(run, patient, MONTH, workspace)
    shown = load_predictions(run, workspace).ensemble()
    at = dict(zip(shown.table["id"], shown.survival_at(MONTH), strict=True))
    assert found.prediction == pytest.approx(100 * at[patient], abs=1e-6)
    assert found.baseline + found.features["value"].sum() + found.residual == pytest.approx(found.prediction, abs=1e-6)
    modality = found.level("modality")
    assert modality is not None
    assert modality["value"].sum() == pytest.approx(found.prediction - found.baseline, abs=1e-3)
    assert found.level("expert") is None


def test_a_kind_that_fails_does_not_stop_the_others(
    stored: tuple[Workspace, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace, run = stored
    patient = load_predictions(run, workspace).table["id"].iloc[1]
    asked = ExplainRequest(run, patient, kinds=("slide", "values"))
    found = explain(asked, workspace)
    assert found.made == (Kind.VALUES,)
    assert found.refused == {Kind.SLIDE: "the run's models take no slides"}
    assert not has_explanation(Kind.SLIDE, run, patient, None, workspace)

    def fails(*_: object) -> None:
        raise PrognoscopeError("nothing", "here", "go away")

    monkeypatch.setattr(module, "_maker", lambda kind: fails)
    with pytest.raises(PrognoscopeError, match="nothing in here"):
        explain(asked, workspace)


def test_unknown_kind_and_patient(stored: tuple[Workspace, str]) -> None:
    workspace, run = stored
    with pytest.raises(PrognoscopeError, match="no kind of explanation named 'sound'"):
        explain(ExplainRequest(run, "P0000", kinds=("sound",)), workspace)
    with pytest.raises(PrognoscopeError, match="gives no estimate for"):
        explain(ExplainRequest(run, "nobody"), workspace)


def test_command_line(
    stored: tuple[Workspace, str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    workspace, run = stored
    monkeypatch.setenv("PROGNOSCOPE_WORKSPACE", str(workspace.root))
    assert main(["explain", run, "P0003", "--month", "12", "--json"]) == 0
    answer = json.loads(capsys.readouterr().out.splitlines()[-1])
    keys = {"run", "patient", "unit", "prediction", "baseline", "residual", "features"}
    assert keys <= set(answer)
    assert set(answer["features"][0]) == {"name", "group", "value"}
    total = answer["baseline"] + sum(f["value"] for f in answer["features"]) + answer["residual"]
    assert total == pytest.approx(answer["prediction"], abs=1e-6)
    assert answer["unit"] == "percentage points of survival at month 12"
    assert main(["explain", run, "P0003"]) == 0
    assert "Survival at month 24" in capsys.readouterr().out
    assert main(["explain", run, "--all", "--patients", "12", "--json"]) == 0
    answer = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert answer["patients"] == 12
    stored_cohort = load_cohort_explanation(run, MONTH, workspace)
    assert [f["name"] for f in answer["features"]] == list(stored_cohort.ranking())
    assert main(["explain", run]) == 1
    assert main(["explain", run, "P0003", "--all"]) == 1


def test_what_if_through_the_resident_worker(stored: tuple[Workspace, str]) -> None:
    workspace, run = stored
    shown = load_predictions(run, workspace).ensemble()
    worker = Resident(workspace)
    try:
        found = WhatIf.from_json(worker.ask("what_if", {"run": run, "patient": "P0005", "change": {}}))
        place = list(shown.table["id"]).index("P0005")
        assert found.at(MONTH)[0] == pytest.approx(shown.survival_at(MONTH)[place], abs=1e-6)
        changed = {"clinical": {"age": 70}}
        first = worker.ask("what_if", {"run": run, "patient": "P0005", "change": changed})
        assert not np.allclose(first["after"]["survival"], first["before"]["survival"])
        with pytest.raises(PrognoscopeError, match="age = 300, outside"):
            worker.ask("what_if", {"run": run, "patient": "P0005", "change": {"clinical": {"age": 300}}})
        with pytest.raises(PrognoscopeError, match="no run named"):
            worker.ask("what_if", {"run": "none", "patient": "P0005", "change": {}})
    finally:
        worker.close()
