"""The tasks a job can be, by name. Each is loaded when it runs: naming one costs nothing, not even torch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from core.jobs.arguments import Argument
from core.jobs.task import JobContext, Task
from core.results.workspace import Workspace


def _train(arguments: Mapping[str, Any], workspace: Workspace, context: JobContext) -> Mapping[str, Any]:
    from core.cohort.modality import Modality
    from core.tasks.train import TrainRequest, train

    given = dict(arguments)
    given["modalities"] = tuple(Modality(m) for m in given.get("modalities", ()))
    if "horizons" in given:
        given["horizons"] = tuple(float(h) for h in given["horizons"])
    run = train(TrainRequest(**{"watch": True, **given}), workspace, context.progress, context.folder)
    return {"run": run.id, "cohort": run.cohort}


def _import(arguments: Mapping[str, Any], workspace: Workspace, context: JobContext) -> Mapping[str, Any]:
    from core.tasks.import_study import import_study

    return import_study(arguments, workspace, context)


TASKS: Mapping[str, Task] = {
    "import": Task(
        _import,
        {
            "path": Argument("text", required=True),
            "name": Argument("text", required=True),
            "title": Argument("text"),
            "format": Argument("text"),
            "columns": Argument("settings"),
            "events": Argument("settings"),
            "check_only": Argument("yes or no"),
        },
    ),
    "train": Task(
        _train,
        {
            "cohort": Argument("text", required=True),
            "model": Argument("text"),
            "modalities": Argument("texts"),
            "endpoint": Argument("text", nullable=True),
            "folds": Argument("text"),
            "seeds": Argument("whole number"),
            "protocol": Argument("text", choices=("honest", "upstream")),
            "device": Argument("text"),
            "settings": Argument("settings"),
            "horizons": Argument("numbers"),
            "references": Argument("yes or no"),
            "processes": Argument("whole number"),
            "command": Argument("text"),
            "watch": Argument("yes or no"),
        },
    ),
}
