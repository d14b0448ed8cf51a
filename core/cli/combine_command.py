"""``combine``: several cohorts as one."""

from __future__ import annotations

import argparse
from typing import Any

from core.cli.cohort_commands import describe
from core.cli.output import Answer
from core.cohort.combining import combine_into
from core.results.workspace import Workspace


def add_commands(commands: Any) -> None:
    """Register the command of this file."""
    add = commands.add_parser("combine", help="join imported cohorts into one, each patient marked with its cancer")
    add.add_argument("cohorts", nargs="+", metavar="COHORT", help="names of imported cohorts")
    add.add_argument("--name", required=True, help="name of the new cohort")
    add.add_argument("--title", default="", help="words for a page")
    add.set_defaults(run=run_combine)


def run_combine(args: argparse.Namespace, workspace: Workspace) -> Answer:
    """Join and describe."""
    return describe(combine_into(workspace, args.cohorts, args.name, args.title))
