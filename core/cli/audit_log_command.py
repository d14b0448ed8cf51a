"""``audit-log``: is it whole, who did what, and all of it as JSON lines for a SIEM."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from core.access.audit_check import AuditState, verify
from core.access.audit_entry import Action, AuditEntry, Outcome
from core.access.audit_search import Wanted, entries, latest
from core.access.record import record
from core.cli.output import Answer, table
from core.errors import PrognoscopeError
from core.results.workspace import Workspace

_FIELDS = ("who", "action", "outcome", "cohort", "patient", "since", "until")


def add_commands(commands: Any) -> None:
    """Register the command of this file."""
    add = commands.add_parser("audit-log", help="who did what to patients' data: verify, search, export")
    actions = add.add_subparsers(dest="what", required=True, metavar="WHAT")
    actions.add_parser("verify", help="look for edits, gaps and a cut-off end").set_defaults(run=run_verify)
    search = actions.add_parser("search", help="the newest entries that fit, newest first")
    search.add_argument("--most", type=int, default=50, metavar="N")
    search.set_defaults(run=run_search)
    export = actions.add_parser("export", help="JSON lines, oldest first, on standard output or into a file")
    export.add_argument("--out", default="", metavar="FILE", help="a new file, readable by its owner only")
    export.set_defaults(run=run_export)
    for parser in (search, export):
        parser.add_argument("--who", default="")
        parser.add_argument("--action", default="", choices=[str(a) for a in Action], metavar="ACTION")
        parser.add_argument("--outcome", default="", choices=[str(o) for o in Outcome])
        parser.add_argument("--cohort", default="")
        parser.add_argument("--run", default="", dest="of_run", metavar="ID")
        parser.add_argument("--patient", default="", metavar="PSEUDONYM")
        parser.add_argument("--since", default="", metavar="DATE", help="2026-11-21 or 2026-11-21T08:00, UTC")
        parser.add_argument("--until", default="", metavar="DATE", help="this day or moment included")
    for parser in actions.choices.values():
        parser.add_argument("--json", action="store_true", default=argparse.SUPPRESS, help=argparse.SUPPRESS)


def run_verify(args: argparse.Namespace, workspace: Workspace) -> Answer:
    """Check every entry; a fault is the command's failure and names the last good entry."""
    found = verify(workspace)
    if found.problem:
        raise PrognoscopeError(
            f"{found.problem}; {_last_good(found)}",
            "the audit log",
            "keep the workspace as it is, find out who could write it, and rely on no entry after the last good one",
        )
    facts = {"good": True, "entries": found.entries, "last": None if found.last is None else found.last.at}
    return Answer(facts, [f"{found.entries:,} entries, all as they were written; {_last_good(found)}"])


def run_search(args: argparse.Namespace, workspace: Workspace) -> Answer:
    """The newest entries that fit."""
    found = latest(workspace, _wanted(args), max(1, args.most))
    record(Action.AUDIT_READ, workspace, count=len(found), detail="search")
    rows = [_row(entry) for entry in found]
    header = ("number", "at (UTC)", "who", "role", "action", "outcome", "cohort", "run", "patient", "detail")
    return Answer({"entries": [e.as_json() for e in found]}, table(header, rows) or ["no entry fits"])


def run_export(args: argparse.Namespace, workspace: Workspace) -> Answer:
    """All entries that fit, one JSON object a line."""
    lines = [json.dumps(entry.as_json(), sort_keys=True) for entry in entries(workspace, _wanted(args))]
    record(Action.AUDIT_READ, workspace, detail="export")
    if not args.out:
        return Answer({"entries": [json.loads(line) for line in lines]}, lines)
    path = Path(args.out)
    if path.exists():
        raise PrognoscopeError("a file that is already there", path.name, "name a new file")
    path.touch(mode=0o600)
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return Answer({"written": len(lines), "file": path.name}, [f"{len(lines):,} entries written to {path}"])


def _wanted(args: argparse.Namespace) -> Wanted:
    return Wanted(run=args.of_run, **{name: getattr(args, name) for name in _FIELDS})


def _row(e: AuditEntry) -> tuple[str, ...]:
    return (str(e.number), e.at, e.who, e.role, e.action, e.outcome, e.cohort, e.run, e.patient, e.detail)


def _last_good(found: AuditState) -> str:
    last = found.last
    return f"the last good entry is number {last.number} of {last.at}" if last is not None else "no entry is good"
