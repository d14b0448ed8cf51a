"""``train``."""

from __future__ import annotations

import argparse
import shlex
import sys
from typing import Any

from core.cli.output import Answer, ProgressBar
from core.cli.run_commands import answer_of, months_of
from core.cohort.modality import Modality
from core.errors import PrognoscopeError
from core.results.workspace import Workspace
from core.tasks.train import HORIZONS, TrainRequest, train
from core.training.estimators import estimator_names


def add_commands(commands: Any) -> None:
    """Register the command of this file."""
    add = commands.add_parser("train", help="train and cross-validate a model")
    add.add_argument("--cohort", required=True)
    add.add_argument("--model", default="hdmoe", choices=estimator_names())
    add.add_argument("--modalities", default="", help="comma-separated; all of the cohort's when left out")
    add.add_argument("--endpoint", help="the cohort's first when left out")
    add.add_argument("--folds", default="5", help="published, site, a number, or a file")
    add.add_argument("--seeds", type=int, default=3, help="how many")
    add.add_argument("--device", default="cpu", help="cpu or cuda")
    add.add_argument("--protocol", default="honest", choices=("honest", "upstream"))
    add.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="a setting, training.epochs=20 …")
    add.add_argument("--horizons", default=",".join(f"{h:g}" for h in HORIZONS), help="months, comma-separated")
    add.add_argument("--no-references", action="store_true", help="leave out the simpler models")
    add.add_argument("--processes", type=int, default=2, help="folds at a time")
    add.set_defaults(run=run_train)


def _value(text: str) -> Any:
    """A setting's value: true/false, a whole number, a number, none, or a word."""
    words: dict[str, Any] = {"true": True, "false": False, "none": None}
    if text.lower() in words:
        return words[text.lower()]
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text


def _settings(texts: list[str]) -> dict[str, Any]:
    settings = {}
    for text in texts:
        name, sign, value = text.partition("=")
        if not sign:
            raise PrognoscopeError(f"{text!r} is no setting", "--set", "write it as NAME=VALUE")
        settings[name] = _value(value)
    return settings


def _modalities(text: str) -> tuple[Modality, ...]:
    try:
        return tuple(Modality(m.strip()) for m in text.split(",") if m.strip())
    except ValueError as error:
        raise PrognoscopeError(str(error), "--modalities", f"use {', '.join(Modality)}") from error


def run_train(args: argparse.Namespace, workspace: Workspace) -> Answer:
    """Train and print the metrics."""
    if args.seeds < 1:
        raise PrognoscopeError(f"{args.seeds} seeds", "--seeds", "use at least 1")
    request = TrainRequest(
        cohort=args.cohort,
        model=args.model,
        modalities=_modalities(args.modalities),
        endpoint=args.endpoint,
        folds=args.folds,
        seeds=args.seeds,
        protocol=args.protocol,
        device=args.device,
        settings=_settings(args.set),
        horizons=months_of(args.horizons, "--horizons"),
        references=not args.no_references,
        processes=args.processes,
        command="./run cli " + shlex.join(sys.argv[1:]),
    )
    return answer_of(run := train(request, workspace, ProgressBar()), run.metrics)
