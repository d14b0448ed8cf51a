"""The tasks a job can be, by name. Each is loaded when it runs: naming one costs nothing, not even torch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from core.jobs.arguments import Argument
from core.jobs.task import JobContext, Task
from core.results.workspace import Workspace
from core.workers.cluster import named_cluster, on_cluster


def _train(arguments: Mapping[str, Any], workspace: Workspace, context: JobContext) -> Mapping[str, Any]:
    from core.cohort.modality import Modality
    from core.tasks.train import TrainRequest, train

    given = dict(arguments)
    given["modalities"] = tuple(Modality(m) for m in given.get("modalities", ()))
    if "horizons" in given:
        given["horizons"] = tuple(float(h) for h in given["horizons"])
    with on_cluster(named_cluster()):
        run = train(TrainRequest(**{"watch": True, **given}), workspace, context.progress, context.folder)
    return {"run": run.id, "cohort": run.cohort}


def _import(arguments: Mapping[str, Any], workspace: Workspace, context: JobContext) -> Mapping[str, Any]:
    from core.tasks.import_study import import_study

    return import_study(arguments, workspace, context)


def _encode(arguments: Mapping[str, Any], workspace: Workspace, context: JobContext) -> Mapping[str, Any]:
    from core.cohort.modality import Modality
    from core.tasks.encode import EncodeRequest, encode

    given = dict(arguments)
    given["modalities"] = tuple(Modality(m) for m in given.get("modalities", ()))
    given["encoders"] = {Modality(m): str(name) for m, name in given.get("encoders", {}).items()}
    with on_cluster(named_cluster()):
        return encode(EncodeRequest(**given), workspace, context.progress).as_json()


def _predict(arguments: Mapping[str, Any], workspace: Workspace, context: JobContext) -> Mapping[str, Any]:
    from core.tasks.predict import PredictRequest, predict

    found = predict(PredictRequest(arguments["run"], arguments["cohort"]), workspace, context.progress)
    return {"prediction": found.id, "cohort": arguments["cohort"], "run": arguments["run"]}


def _score_new(arguments: Mapping[str, Any], workspace: Workspace, context: JobContext) -> Mapping[str, Any]:
    from core.cohort.import_request import allowed
    from core.tasks.score_new import ScoreNewRequest, score_new

    path = str(allowed(arguments["path"], workspace))  # a page may name an upload or what lies in an import root
    found = score_new(ScoreNewRequest(**{**arguments, "path": path}), workspace, context.progress)
    first = str(found.table["id"].iloc[0])
    return {"prediction": found.id, "cohort": found.cohort, "run": found.run, "patient": first}


def _audit(arguments: Mapping[str, Any], workspace: Workspace, context: JobContext) -> Mapping[str, Any]:
    from core.tasks.audit import AuditRequest, audit

    found = audit(AuditRequest(**arguments), workspace, context.progress)
    return {"audit": found.run, "cohort": found.cohort, "run": found.run}


def _explain(arguments: Mapping[str, Any], workspace: Workspace, context: JobContext) -> Mapping[str, Any]:
    from core.tasks.explain import ExplainRequest, explain

    given = {**arguments, "kinds": tuple(arguments.get("kinds", ()))}
    found = explain(ExplainRequest(**given), workspace, context.progress)
    return {"run": found.run, "month": found.month, "made": list(found.made), "refused": dict(found.refused)}


def _routing(arguments: Mapping[str, Any], workspace: Workspace, context: JobContext) -> Mapping[str, Any]:
    from core.tasks.routing import RoutingRequest, read_routing

    found = read_routing(RoutingRequest(**arguments), workspace, context.progress)
    return {"routing": found.run, "cohort": found.cohort, "run": found.run}


def _image_means(arguments: Mapping[str, Any], workspace: Workspace, context: JobContext) -> Mapping[str, Any]:
    from core.tasks.image_means import ImageMeansRequest, summarise_images

    made = summarise_images(ImageMeansRequest(**arguments), workspace, context.progress)
    return {"cohort": arguments["cohort"], "modalities": list(made)}


def _explain_cohort(arguments: Mapping[str, Any], workspace: Workspace, context: JobContext) -> Mapping[str, Any]:
    from core.tasks.explain_cohort import ExplainCohortRequest, explain_run

    with on_cluster(named_cluster()):
        found = explain_run(ExplainCohortRequest(**arguments), workspace, context.progress)
    return {"run": found.run, "month": found.month, "patients": len(found.patients)}


def _complete_sample(arguments: Mapping[str, Any], workspace: Workspace, context: JobContext) -> Mapping[str, Any]:
    from core.tasks.complete_sample import complete_sample

    made = complete_sample(workspace, context.progress, **arguments)
    return {"cohort": made.cohort, "made": made.made, "files": made.files}


def _prepare_sample(arguments: Mapping[str, Any], workspace: Workspace, context: JobContext) -> Mapping[str, Any]:
    from core.tasks.prepare_sample import prepare_sample

    made = prepare_sample(workspace, context.progress, folder=context.folder, **arguments)
    return {"cohort": made.cohort, "run": made.run}


def _bench(arguments: Mapping[str, Any], workspace: Workspace, context: JobContext) -> Mapping[str, Any]:
    from core.tasks.bench import run_bench

    result = run_bench(arguments["name"], workspace, bool(arguments.get("full", False)), context.progress)
    rows = [{k: None if v != v else v for k, v in asdict(row).items()} for row in result.rows]  # NaN is no JSON
    return {"bench": arguments["name"], "rows": rows}


def _backup(arguments: Mapping[str, Any], workspace: Workspace, context: JobContext) -> Mapping[str, Any]:
    from core.care.own_backups import backup_here

    made = backup_here(workspace, context.progress)
    return {"backup": made.path.name, "bytes": made.bytes, "sha256": made.sha256}


def _erase(arguments: Mapping[str, Any], workspace: Workspace, context: JobContext) -> Mapping[str, Any]:
    from core.care.erasure import erase

    left = erase(arguments["request"], workspace, context.progress)
    return {"erased": True, "left": len(left.found), "unread": len(left.unread), "files": left.files}


def _verify_erased(arguments: Mapping[str, Any], workspace: Workspace, context: JobContext) -> Mapping[str, Any]:
    from core.care.erasure import verify_erased

    found = verify_erased(workspace, progress=context.progress)
    return {"found": len(found.found), "unread": len(found.unread), "files": found.files, "bytes": found.bytes}


EXPLANATIONS = ("values", "slide", "scan", "report")
MODALITIES = ("slides", "volumes", "genomics", "reports", "clinical")

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
            "families": Argument("text"),
            "clinical": Argument("texts"),
            "reports": Argument("texts"),
            "media": Argument("texts"),
            "identifying": Argument("text", choices=("", "keep", "blank", "leave-out")),
            "check_only": Argument("yes or no"),
        },
    ),
    "encode": Task(
        _encode,
        {
            "cohort": Argument("text", required=True),
            "modalities": Argument("texts", choices=MODALITIES),
            "encoders": Argument("settings"),
            "settings": Argument("settings by name"),
            "processes": Argument("whole number"),
        },
    ),
    "prepare-sample": Task(_prepare_sample, {"processes": Argument("whole number")}),
    "complete-sample": Task(
        _complete_sample,
        {
            "name": Argument("text"),
            "patients": Argument("whole number", nullable=True),
            "seed": Argument("whole number", nullable=True),
            "processes": Argument("whole number"),
        },
    ),
    "train": Task(
        _train,
        {
            "cohort": Argument("text", required=True),
            "model": Argument("text"),
            "modalities": Argument("texts", choices=MODALITIES),
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
            "start_from": Argument("text"),
            "redact_markers": Argument("yes or no"),
        },
    ),
    "predict": Task(_predict, {"run": Argument("text", required=True), "cohort": Argument("text", required=True)}),
    "score-new": Task(
        _score_new,
        {
            "run": Argument("text", required=True),
            "path": Argument("text", required=True),
            "name": Argument("text", required=True),
            "title": Argument("text"),
            "gene_units": Argument("settings"),
        },
    ),
    "audit": Task(
        _audit,
        {
            "run": Argument("text", required=True),
            "controls": Argument("yes or no"),
            "permutations": Argument("whole number"),
            "treatment": Argument("text"),
            "landmark": Argument("number"),
            "processes": Argument("whole number"),
        },
    ),
    "explain": Task(
        _explain,
        {
            "run": Argument("text", required=True),
            "patient": Argument("text", required=True),
            "month": Argument("number", nullable=True),
            "kinds": Argument("texts", choices=EXPLANATIONS),
            "cohort": Argument("text"),
        },
    ),
    "explain-cohort": Task(
        _explain_cohort,
        {
            "run": Argument("text", required=True),
            "month": Argument("number", nullable=True),
            "patients": Argument("whole number"),
        },
    ),
    "image-means": Task(_image_means, {"cohort": Argument("text", required=True), "run": Argument("text")}),
    "routing": Task(_routing, {"run": Argument("text", required=True), "month": Argument("number", nullable=True)}),
    "backup": Task(_backup),
    "erase": Task(_erase, {"request": Argument("text", required=True)}),
    "verify-erased": Task(_verify_erased),
    "bench": Task(_bench, {"name": Argument("text", required=True), "full": Argument("yes or no")}),
}
