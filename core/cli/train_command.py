"""``train``."""

from __future__ import annotations

import argparse
import shlex
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

from core.cli.cluster_option import add_cluster
from core.cli.jobs_command import submitted
from core.cli.output import Answer, ProgressBar
from core.cli.run_commands import answer_of, each_cancer, months_of
from core.cli.words import modalities_of, settings_of
from core.errors import PrognoscopeError
from core.jobs.supervise import submit_job
from core.results.naming import model_words
from core.results.run_store import load_predictions
from core.results.workspace import Workspace
from core.tasks.model_encoders import encode_for_model
from core.tasks.train import HORIZONS, TrainRequest, assist, prepare, train
from core.training.estimators import estimator_names
from core.training.ranks import torchrun_ranks
from core.workers.cluster import VARIABLE, named_cluster, on_cluster


def add_commands(commands: Any) -> None:
    """Register the command of this file."""
    add = commands.add_parser("train", help="train and cross-validate a model")
    add.add_argument("--cohort", required=True)
    add.add_argument("--model", default="hdmoe", choices=estimator_names())
    add.add_argument(
        "--modalities", default="", help="comma-separated; genes, clinic and what is encoded when left out"
    )
    add.add_argument("--endpoint", help="the cohort's first when left out")
    add.add_argument("--folds", default="5", help="published, site, a number, or a file")
    add.add_argument("--seeds", type=int, default=3, help="how many")
    add.add_argument("--device", default="cpu", help="cpu or cuda")
    add.add_argument("--protocol", default="honest", choices=("honest", "upstream"))
    add.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="a setting, training.epochs=20 …")
    add.add_argument("--horizons", default=",".join(f"{h:g}" for h in HORIZONS), help="months, comma-separated")
    add.add_argument("--no-references", action="store_true", help="leave out the simpler models")
    add.add_argument("--processes", type=int, default=2, help="folds at a time")
    add.add_argument(
        "--watch", action="store_true", help="keep the curves of every epoch with the run (choose nothing)"
    )
    add.add_argument("--start-from", default="", metavar="RUN", help="go on from that run's models, fold by fold")
    add.add_argument(
        "--redact-markers", action="store_true", help="remove every mention of a marker from the reports first"
    )
    add_cluster(add)
    add.add_argument("--queue", action="store_true", help="leave it to the worker and return at once (see jobs)")
    add.set_defaults(run=run_train)


def run_train(args: argparse.Namespace, workspace: Workspace) -> Answer:
    """Train and print the metrics."""
    if args.seeds < 1:
        raise PrognoscopeError(f"{args.seeds} seeds", "--seeds", "use at least 1")
    request = TrainRequest(
        cohort=args.cohort,
        model=args.model,
        modalities=modalities_of(args.modalities),
        endpoint=args.endpoint,
        folds=args.folds,
        seeds=args.seeds,
        protocol=args.protocol,
        device=args.device,
        settings=settings_of(args.set),
        horizons=months_of(args.horizons, "--horizons"),
        references=not args.no_references,
        processes=args.processes,
        command="./run cli " + shlex.join(word for word in sys.argv[1:] if word != "--queue"),
        watch=args.watch or args.queue,
        redact_markers=args.redact_markers,
        start_from=args.start_from,
    )
    if args.queue:
        if args.cluster != named_cluster():
            raise PrognoscopeError(
                "a cluster for a job of the queue", "--cluster", f"set ${VARIABLE} where the dashboard is started"
            )
        return _queue(request, workspace)
    if torchrun_ranks().rank > 0:
        assist(request, workspace)
        return Answer({"rank": torchrun_ranks().rank}, [])
    with on_cluster(args.cluster):
        run = train(request, workspace, ProgressBar())
    return answer_of(run, run.metrics, each_cancer(run, load_predictions(run.id, workspace), workspace))


def _queue(request: TrainRequest, workspace: Workspace) -> Answer:
    """Submit the training; what can be refused is refused now and not after its turn has come."""
    encode_for_model(request.cohort, request.model, request.modalities, request.redact_markers, workspace)
    prepared = prepare(request, workspace)
    arguments = {**asdict(request), "modalities": [m.value for m in request.modalities]}
    if Path(request.folds).exists():  # the worker stands elsewhere
        arguments["folds"] = str(Path(request.folds).resolve())
    seeds = f"{request.seeds} seed{'' if request.seeds == 1 else 's'}"
    title = f"{model_words(request.model)} on {request.cohort}, {prepared.folds.name} × {seeds}"
    return submitted(submit_job(workspace, "train", arguments, title))
