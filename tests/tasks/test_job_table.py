"""The table of tasks against the tasks themselves: an argument the table allows is one the task takes."""

from __future__ import annotations

import inspect
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from core.cohort.import_request import ImportRequest
from core.cohort.modality import Modality
from core.cohort.sample import save_sample
from core.errors import PrognoscopeError
from core.jobs.task import JobContext, check_task
from core.results.explained import Kind
from core.results.workspace import Workspace
from core.tasks.audit import AuditRequest
from core.tasks.complete_sample import complete_sample
from core.tasks.encode import EncodeRequest
from core.tasks.explain import MAKERS, ExplainRequest
from core.tasks.explain_cohort import ExplainCohortRequest
from core.tasks.jobs import EXPLANATIONS, MODALITIES, TASKS
from core.tasks.predict import PredictRequest
from core.tasks.score_new import ScoreNewRequest
from core.tasks.train import TrainRequest


@pytest.mark.parametrize(
    ("task", "request_type", "besides"),
    [
        ("train", TrainRequest, set()),
        ("encode", EncodeRequest, set()),
        ("predict", PredictRequest, {"repeats"}),
        ("score-new", ScoreNewRequest, set()),
        ("audit", AuditRequest, set()),
        ("explain", ExplainRequest, set()),
        ("explain-cohort", ExplainCohortRequest, set()),
        ("import", ImportRequest, set()),
    ],
)
def test_arguments_are_the_fields_of_the_request(task: str, request_type: Any, besides: set[str]) -> None:
    """``besides``: fields a job cannot set."""
    takes = {field.name for field in fields(request_type)} - besides
    assert set(TASKS[task].arguments) - {"check_only"} == takes


def test_sample_media_arguments_are_those_of_the_function() -> None:
    takes = set(inspect.signature(complete_sample).parameters) - {"workspace", "progress"}
    assert set(TASKS["complete-sample"].arguments) == takes


def test_modalities_are_all_there_are() -> None:
    assert set(MODALITIES) == {m.value for m in Modality}
    with pytest.raises(PrognoscopeError, match="argument 'modalities' of another kind"):
        check_task("encode", {"cohort": "x", "modalities": ["slides", "sound"]})


def test_kinds_of_explanation_are_all_there_are() -> None:
    assert set(EXPLANATIONS) == {k.value for k in Kind} == {k.value for k in MAKERS}


def test_training_made_from_plain_values_is_the_same_request(workspace: Workspace, tmp_path: Path) -> None:
    """Through the table, with the arguments a page sends; its result names what a page opens."""
    save_sample(workspace)
    said: list[tuple[float, str]] = []
    context = JobContext(lambda share, text: said.append((share, text)), tmp_path / "job")
    given = {
        "cohort": "sample", "model": "cox-clinical", "modalities": ["clinical"], "folds": "3", "seeds": 1,
        "horizons": [24], "references": False, "processes": 1, "endpoint": None,
    }  # fmt: skip
    check_task("train", given)
    result = TASKS["train"](given, workspace, context)
    assert result["cohort"] == "sample"
    assert workspace.run(result["run"]).is_dir()
    assert said[-1] == (1.0, "stored")
    # the same job, taken up again after it was stored but before anybody heard of it, is not stored twice
    assert TASKS["train"](given, workspace, context) == result
    scored = TASKS["predict"]({"run": result["run"], "cohort": "sample"}, workspace, context)
    assert set(scored) == {"prediction", "cohort", "run"}
