"""``report``: one patient's report as a file. ``card``: a run's model card as a file."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from core.analysis.card_source import read_source
from core.analysis.model_card import model_card
from core.board.model_card_export import FORMATS, card_file
from core.board.report_content import report_content
from core.board.report_html import report_html
from core.board.report_pdf import report_pdf
from core.board.sources import read_sources
from core.cli.output import Answer
from core.cli.paths import user_path
from core.errors import PrognoscopeError
from core.results.explained import default_month
from core.results.files import sha256_of, write_bytes
from core.results.workspace import Workspace

REPORTS = ("pdf", "html")


def add_commands(commands: Any) -> None:
    """Register the commands of this file."""
    report = commands.add_parser("report", help="write one patient's report (PDF or HTML)")
    report.add_argument("run_id", metavar="RUN")
    report.add_argument("patient", metavar="PATIENT", help="a pseudonym")
    report.add_argument("--to", required=True, metavar="FILE", help="a file that ends in .pdf or .html")
    report.add_argument("--month", type=float, help="a horizon of the run; the nearest to 36 when not given")
    report.add_argument("--protocol", default="", help="reference of the protocol or approval, printed on each page")
    report.add_argument("--cohort", help="the cohort that holds the patient, when the run scored another one")
    report.set_defaults(run=run_report)
    card = commands.add_parser("card", help="write a run's model card (Markdown, HTML or JSON)")
    card.add_argument("run_id", metavar="RUN")
    card.add_argument("--to", required=True, metavar="FILE", help="a file that ends in .md, .html or .json")
    card.set_defaults(run=run_card)


def run_report(args: argparse.Namespace, workspace: Workspace) -> Answer:
    """Write the report and say its hash."""
    target = user_path(args.to)
    kind = _kind(target, REPORTS)
    sources = read_sources(args.run_id, args.cohort, workspace)
    horizons = sources.run.horizons
    month = default_month(horizons) if args.month is None else float(args.month)
    if month not in horizons:
        raise PrognoscopeError(
            f"month {month:g}, which the run does not report", f"run {args.run_id}",
            f"use one of {', '.join(f'{h:g}' for h in horizons)}",
        )  # fmt: skip
    content = report_content(sources, args.patient, month, " ".join(args.protocol.split()))
    data = report_pdf(content) if kind == "pdf" else report_html(content).encode("utf-8")
    done = _written(target, data)
    estimate = None if content.number is None else content.number.value
    answer = {"run": args.run_id, "month": month, "estimate": estimate, "refused": content.refused, **done}
    shown = content.said[0] if content.said else content.refused
    return Answer(answer, [shown, f"{target} ({len(data):,} bytes, SHA-256 {done['sha256']})"])


def run_card(args: argparse.Namespace, workspace: Workspace) -> Answer:
    """Write the card and say how much of it is filled."""
    target = user_path(args.to)
    kind = _kind(target, tuple(FORMATS))
    card = model_card(read_source(args.run_id, workspace))
    data = card_file(card, kind)
    done = _written(target, data)
    answer = {"run": args.run_id, "tripod_ai": card.counter, "limitations": len(card.limitations), **done}
    return Answer(answer, [f"{card.counter}; {len(card.limitations)} limitations",
                           f"{target} ({len(data):,} bytes, SHA-256 {done['sha256']})"])  # fmt: skip


def _kind(target: Path, known: tuple[str, ...]) -> str:
    kind = target.suffix.lower().lstrip(".")
    if kind not in known:
        raise PrognoscopeError(
            f"a file that ends in {target.suffix or 'nothing'}", "--to", f"end it in .{' or .'.join(known)}"
        )
    return kind


def _written(target: Path, data: bytes) -> dict[str, str]:
    """Whole or not at all."""
    if not target.parent.is_dir():
        raise PrognoscopeError("a folder that does not exist", "--to", "make the folder first")
    write_bytes(target, data)
    return {"path": str(target), "sha256": sha256_of(target)}
