"""``encode``."""

from __future__ import annotations

import argparse
from typing import Any

from core.cli.output import Answer, ProgressBar, table
from core.cli.words import modalities_of, settings_of
from core.cohort.modality import Modality
from core.errors import PrognoscopeError
from core.features.encoders import DEFAULTS, encoder_names
from core.results.workspace import Workspace
from core.tasks.encode import EncodeReport, EncodeRequest, encode


def add_commands(commands: Any) -> None:
    """Register the command of this file."""
    defaults = ", ".join(f"{m.value}={name}" for m, name in DEFAULTS.items())
    add = commands.add_parser("encode", help="turn a cohort's slides, scans and reports into features")
    add.add_argument("cohort", metavar="COHORT")
    add.add_argument("--modalities", default="", help="comma-separated; all that have files when left out")
    add.add_argument(
        "--encoder", action="append", default=[], metavar="MODALITY=NAME",
        help=f"one of {', '.join(encoder_names())} (default {defaults})",
    )  # fmt: skip
    add.add_argument(
        "--set", action="append", default=[], metavar="NAME=VALUE", help="a setting of the encoder given by --encoder"
    )
    add.add_argument("--processes", type=int, default=2, help="patients at a time")
    add.set_defaults(run=run_encode)


def run_encode(args: argparse.Namespace, workspace: Workspace) -> Answer:
    """Encode and say what was made, found and skipped."""
    encoders = _encoders(args.encoder)
    settings = settings_of(args.set)
    if settings and len(encoders) != 1:
        raise PrognoscopeError(
            "a setting of no one encoder", "--set", "name that encoder with --encoder, one at a time"
        )
    request = EncodeRequest(
        args.cohort,
        modalities_of(args.modalities) or tuple(encoders if settings else ()),
        encoders,
        dict.fromkeys(encoders.values(), settings),
        args.processes,
    )
    return _describe(encode(request, workspace, ProgressBar()))


def _encoders(texts: list[str]) -> dict[Modality, str]:
    chosen = {}
    for text in texts:
        modality, sign, name = text.partition("=")
        if not sign or not name:
            raise PrognoscopeError(f"{text!r} names no encoder", "--encoder", "write it as MODALITY=NAME")
        chosen[modalities_of(modality)[0]] = name
    return chosen


def _describe(report: EncodeReport) -> Answer:
    rows = []
    for modality, encoder in report.encoders.items():
        failed = sum(m == modality for _, m, _ in report.skipped)
        counts = (report.encoded.get(modality, 0), report.cached.get(modality, 0), failed)
        rows.append((modality, encoder, *(f"{n:,}" for n in counts)))
    lines = [
        f"Cohort {report.cohort}, {report.seconds:.0f} s",
        *table(("modality", "encoder", "encoded now", "already there", "skipped"), rows),
        *(f"  skipped: {patient}, {modality}: {reason}" for patient, modality, reason in report.skipped),
        *(f"  note: {w}" for w in report.warnings),
    ]
    return Answer(report.as_json(), lines)
