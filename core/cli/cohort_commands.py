"""``import`` and ``cohorts``."""

from __future__ import annotations

import argparse
from typing import Any

from core.cli.output import Answer, ProgressBar, table
from core.cli.paths import user_path
from core.cohort.cohort import Cohort
from core.cohort.coverage import exclusions
from core.cohort.importers.recognise import FORMATS
from core.cohort.importing import import_into
from core.cohort.report_findings import OPTION, Identifying
from core.cohort.sample import NAME as SAMPLE_NAME
from core.cohort.sample import save_sample
from core.cohort.storage import list_cohorts
from core.errors import PrognoscopeError
from core.results.workspace import Workspace

COLUMN_HELP = (
    "for a table of your own: id, time, event (time:NAME and event:NAME for several endpoints), entry, "
    "time_unit=months|days|weeks|years, time_zero, site, and comma-separated input, marker, drop"
)


def add_commands(commands: Any) -> None:
    """Register the commands of this file."""
    add = commands.add_parser("import", help="import a cohort (PATH, or the word sample)")
    add.add_argument("path", metavar="PATH", help="a table, a study folder, a zip of either, or: sample")
    add.add_argument("--name", help="name of the cohort in the workspace (for the sample cohort: sample)")
    add.add_argument("--format", choices=sorted(FORMATS), help="recognised by itself when left out")
    add.add_argument("--families", type=user_path, metavar="CSV|GMT", help="gene families")
    add.add_argument(
        "--clinical", type=user_path, action="append", default=[], metavar="PATH", help="GDC or biotab to join"
    )
    add.add_argument(
        "--reports", type=user_path, action="append", default=[], metavar="CSV", help="report texts to join by case id"
    )
    add.add_argument(
        "--files", type=user_path, action="append", default=[], metavar="CSV",
        help="slides, scans and reports by id, path (below the table's folder), modality, and where wanted kind, label",
    )  # fmt: skip
    add.add_argument(
        OPTION, choices=[str(c) for c in Identifying],
        help="reports that may tell who a patient is: blank what was found, leave-out these reports, or keep them; "
        "without it they are refused, and what was found is told with masked examples",
    )  # fmt: skip
    add.add_argument("--event", action="append", default=[], metavar="CODE=MEANING", help="censored, event, competing")
    add.add_argument("--column", action="append", default=[], metavar="ROLE=NAME", help=COLUMN_HELP)
    add.add_argument("--competing-label", metavar="WORDS", help='what the competing event is, e.g. "liver transplant"')
    add.add_argument("--time-zero", help="what months are counted from")
    add.add_argument("--media", action="store_true", help="sample: also make its slides, scans and reports (1 GB)")
    add.set_defaults(run=run_import)
    commands.add_parser("cohorts", help="list the cohorts").set_defaults(run=run_cohorts)


def run_import(args: argparse.Namespace, workspace: Workspace) -> Answer:
    """Import a cohort."""
    progress = ProgressBar()
    if args.path == "sample":
        cohort = save_sample(workspace, args.name or SAMPLE_NAME)
        if args.media:
            _complete(workspace, cohort.name, progress)
    else:
        if args.media:
            raise PrognoscopeError("media to make for a cohort that brings its own", "--media", "leave it out")
        if not args.name:
            raise PrognoscopeError("no name for the cohort", "the command", "add --name NAME")
        events = _pairs(args.event, "--event")
        cohort = import_into(
            workspace,
            user_path(args.path),
            args.name,
            format=args.format,
            families=args.families,
            clinical=args.clinical,
            reports=args.reports,
            media=args.files,
            events=events or None,
            columns=_columns(args, events) or None,
            time_zero=args.time_zero,
            identifying=Identifying(args.identifying) if args.identifying else None,
            progress=progress,
        )
    progress(1.0, "stored")
    return describe(cohort)


def _complete(workspace: Workspace, name: str, progress: ProgressBar) -> None:
    """Imported here: a list of cohorts need not wait for scipy."""
    from core.tasks.complete_sample import complete_sample

    complete_sample(workspace, progress, name)


def _columns(args: argparse.Namespace, events: dict[str, str]) -> dict[str, str]:
    """The columns named by the user, with the words for the competing event of every endpoint."""
    columns = _pairs(args.column, "--column")
    if not args.competing_label:
        return columns
    if "competing" not in events.values():
        raise PrognoscopeError(
            "words for a competing event that no code stands for", "--competing-label", "add --event CODE=competing"
        )
    suffixes = {r.removeprefix("time") for r in columns if r == "time" or r.startswith("time:")} or {""}
    return {f"competing_label{s}": args.competing_label for s in suffixes} | columns


def _pairs(texts: list[str], option: str) -> dict[str, str]:
    pairs = {}
    for text in texts:
        key, sign, value = text.partition("=")
        if not sign or not key or not value:
            raise PrognoscopeError(f"{text!r} is no pair", option, "write it as LEFT=RIGHT")
        pairs[key] = value
    return pairs


def describe(cohort: Cohort) -> Answer:
    """What a stored cohort holds, for a person and as JSON."""
    endpoint = cohort.endpoint()
    excluded = (*cohort.exclusions, *exclusions(cohort, None, cohort.modalities, "any"))
    modalities = {m.value: int(cohort.availability[m.value].sum()) for m in cohort.modalities}
    events = int(endpoint.event[endpoint.known].sum())
    lines = [
        f"Cohort {cohort.name}: {len(cohort):,} patients, {events:,} events",
        f"  first endpoint: {endpoint.label}, months from {endpoint.time_zero}",
        "  endpoints: " + ", ".join(cohort.endpoints),
        "  modalities: " + ", ".join(f"{name} {count:,}" for name, count in modalities.items()),
        *(f"  left out: {e.count:,} · {e.reason}" for e in excluded),
        *(f"  note: {w}" for w in cohort.warnings),
    ]
    answer = {
        "cohort": cohort.name,
        "patients": len(cohort),
        "events": events,
        "modalities": modalities,
        "excluded": [{"reason": e.reason, "count": e.count} for e in excluded],
        "warnings": list(cohort.warnings),
        "endpoints": list(cohort.endpoints),
        "synthetic": cohort.synthetic,
    }
    return Answer(answer, lines)


def run_cohorts(args: argparse.Namespace, workspace: Workspace) -> Answer:
    """List what has been imported."""
    cohorts = list_cohorts(workspace)
    rows = [
        (c.name, f"{c.patients:,}", f"{c.events:,}", ", ".join(c.modalities), "synthetic" if c.synthetic else "")
        for c in cohorts
    ]
    lines = table(("cohort", "patients", "events", "modalities", ""), rows)
    answer = {
        "cohorts": [
            {
                "cohort": c.name,
                "title": c.title,
                "patients": c.patients,
                "events": c.events,
                "modalities": [str(m) for m in c.modalities],
                "synthetic": c.synthetic,
            }
            for c in cohorts
        ]
    }
    return Answer(answer, lines or ["No cohort yet: ./run cli import PATH --name N"])
