"""``bench``: measured numbers, each beside what it is measured against."""

from __future__ import annotations

import argparse
from typing import Any

from core.cli.output import Answer, ProgressBar, table
from core.errors import PrognoscopeError
from core.results.workspace import Workspace
from core.tasks.bench import BENCHES, BenchResult, BenchRow, run_bench


def add_commands(commands: Any) -> None:
    """Register the command of this file."""
    add = commands.add_parser("bench", help="measure: training speed, or the evidence on public cohorts")
    add.add_argument("name", metavar="NAME", choices=tuple(BENCHES), help=" or ".join(BENCHES))
    add.add_argument("--full", action="store_true", help="measure more, take longer")
    add.add_argument("--sessions", type=int, metavar="N", help="load: so many readers at once (25)")
    add.add_argument("--seconds", type=float, metavar="S", help="load: for so long (300)")
    add.set_defaults(run=run)


def run(args: argparse.Namespace, workspace: Workspace) -> Answer:
    """Run one benchmark and print its rows."""
    result = _measured(args, workspace)
    rows = [
        {"name": r.name, "value": r.value, "unit": r.unit, "reference": r.reference, "ratio": r.ratio}
        | ({"target": r.target} if r.target is not None else {})
        for r in result.rows
    ]
    lines = [*(result.lines or bench_lines(result)), *(f"error: {words}" for words in result.extra.get("errors", ()))]
    return Answer({"bench": args.name, "rows": rows, **result.extra}, lines)


def _measured(args: argparse.Namespace, workspace: Workspace) -> BenchResult:
    """The bench's result; two options are of one bench alone."""
    if args.sessions is None and args.seconds is None:
        return run_bench(args.name, workspace, args.full, ProgressBar())
    if args.name != "load":
        raise PrognoscopeError("sessions and seconds", f"bench {args.name}", "give them to bench load alone")
    if any(value is not None and value <= 0 for value in (args.sessions, args.seconds)):
        raise PrognoscopeError("no session, or no second", "bench load", "give positive numbers")
    from core.tasks.bench_load import SECONDS, SESSIONS, Load, measure_load

    return measure_load(Load(args.sessions or SESSIONS, args.seconds or SECONDS), ProgressBar())


def bench_lines(result: BenchResult) -> list[str]:
    """The rows as a table."""
    header = ("", "value", "unit", "reference", "ratio", "target")
    return table(header, [_cells(r) for r in result.rows])


def _cells(row: BenchRow) -> tuple[str, ...]:
    ratio = "" if row.ratio is None else f"{row.ratio:.2f} ×"
    target = ""
    if row.target is not None and row.ratio is not None:
        target = f"≥ {row.target:g} ×: {'met' if row.ratio >= row.target else 'missed'}"
    return row.name, _number(row.value), row.unit, _number(row.reference), ratio, target


def _number(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:.1e}" if 0 < abs(value) < 0.01 else f"{value:,.2f}"
