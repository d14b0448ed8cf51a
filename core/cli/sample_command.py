"""``complete-sample``: the sample cohort's slides, scans and reports."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from typing import Any

from core.cli.output import Answer, ProgressBar
from core.results.workspace import Workspace


def add_commands(commands: Any) -> None:
    """Register the command of this file."""
    add = commands.add_parser("complete-sample", help="make the sample cohort's slides, scans and reports")
    add.add_argument("--processes", type=int, default=2, help="patients at a time (2)")
    add.set_defaults(run=run)


def run(args: argparse.Namespace, workspace: Workspace) -> Answer:
    """Make what is missing; a second call finds everything."""
    from core.tasks.complete_sample import complete_sample

    done = complete_sample(workspace, ProgressBar(), processes=max(args.processes, 1))
    lines = [
        f"Slides, scans and reports of {done.cohort}: {done.made} patients made, {done.found} found",
        f"  {done.files:,} files, {done.size / 1e9:.2f} GB, {done.seconds:.0f} s",
        "  next: ./run cli encode sample",
    ]
    return Answer(asdict(done), lines)
