"""``encode``."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from typing import Any

from core.cli.cluster_option import add_cluster
from core.cli.output import Answer, ProgressBar, table
from core.cli.paths import user_path
from core.cli.words import modalities_of, settings_of
from core.cohort.modality import Modality
from core.errors import PrognoscopeError
from core.features.encoders import DEFAULTS, encoder_names
from core.results.workspace import Workspace
from core.tasks.encode import EncodeReport, EncodeRequest, encode
from core.workers.cluster import on_cluster

_PLACES = ("source", "weights", "text_model", "decomposer")
"""Settings of encoders that may name a file or folder."""


def add_commands(commands: Any) -> None:
    """Register the command of this file."""
    defaults = ", ".join(f"{m.value}={name}" for m, name in DEFAULTS.items())
    add = commands.add_parser("encode", help="turn a cohort's slides, scans and reports into features")
    add.add_argument("cohort", metavar="COHORT")
    add.add_argument("--modalities", default="", help="comma-separated; all that have files when left out")
    add.add_argument(
        "--encoder", action="append", default=[], metavar="MODALITY=NAME",
        help=f"one of {', '.join(encoder_names())} (default {defaults}); for slides also a folder or hub id of a "
        "vision model of transformers",
    )  # fmt: skip
    add.add_argument(
        "--encoder-set", "--set", dest="settings", action="append", default=[], metavar="[MODALITY.]NAME=VALUE",
        help="a setting of the encoder given by --encoder, e.g. source=FOLDER; of several slides.source=FOLDER",
    )  # fmt: skip
    add.add_argument("--processes", type=int, default=2, help="patients at a time")
    add_cluster(add)
    add.set_defaults(run=run_encode)


def run_encode(args: argparse.Namespace, workspace: Workspace) -> Answer:
    """Encode and say what was made, found and skipped."""
    encoders, sources = _encoders(args.encoder)
    settings = _settings(args.settings, encoders)
    for modality, source in sources.items():
        settings.setdefault(encoders[modality], {})["source"] = source
    request = EncodeRequest(
        args.cohort,
        modalities_of(args.modalities) or tuple(encoders if settings else ()),
        encoders,
        settings,
        args.processes,
    )
    with on_cluster(args.cluster):
        return _describe(encode(request, workspace, ProgressBar()))


def _encoders(texts: list[str]) -> tuple[dict[Modality, str], dict[Modality, str]]:
    """Modality → encoder, and → the model it is to load where a folder or hub id was given in the encoder's place."""
    chosen: dict[Modality, str] = {}
    sources: dict[Modality, str] = {}
    for text in texts:
        modality, sign, name = text.partition("=")
        if not sign or not name:
            raise PrognoscopeError(f"{text!r} names no encoder", "--encoder", "write it as MODALITY=NAME")
        kind = modalities_of(modality)[0]
        if kind is Modality.SLIDES and name not in encoder_names() and "/" in name:
            sources[kind], name = _placed(name), "transformers-vision"
        chosen[kind] = name
    return chosen, sources


def _settings(texts: list[str], encoders: Mapping[Modality, str]) -> dict[str, dict[str, Any]]:
    """Encoder → its settings; one without a modality before it belongs to the only encoder that was named."""
    found: dict[str, dict[str, Any]] = {}
    for name, value in settings_of(texts).items():
        modality, dot, setting = name.partition(".")
        if not dot and len(encoders) != 1:
            raise PrognoscopeError(
                "a setting of no one encoder", "--encoder-set",
                "name the encoder with --encoder, and of several the modality before the setting (slides.batch=8)",
            )  # fmt: skip
        chosen = modalities_of(modality)[0] if dot else next(iter(encoders))
        if chosen not in encoders:
            raise PrognoscopeError(
                f"a setting for {chosen.value} without an encoder",
                "--encoder-set",
                f"add --encoder {chosen.value}=NAME",
            )
        key = setting if dot else name
        found.setdefault(encoders[chosen], {})[key] = _placed(value) if key in _PLACES else value
    return found


def _placed(value: Any) -> Any:
    """A file or folder of the user's as an absolute path; anything else (the id of a model on the hub) as it is."""
    return str(user_path(value)) if isinstance(value, str) and value and user_path(value).exists() else value


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
