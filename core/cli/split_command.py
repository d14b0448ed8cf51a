"""``split-cohort``: one or more sites as a cohort of their own, and the cohort without them."""

from __future__ import annotations

import argparse
from typing import Any

from core.cli.output import Answer
from core.cohort.cohort import Cohort
from core.cohort.site_cohorts import split_into
from core.results.workspace import Workspace


def add_commands(commands: Any) -> None:
    """Register the command of this file."""
    add = commands.add_parser("split-cohort", help="part a cohort by site: train on one half, score the other")
    add.add_argument("cohort", metavar="COHORT")
    add.add_argument("--by-site", required=True, metavar="SITES", help="names, comma-separated, or the word largest")
    add.add_argument("--rest-name", default="", help="name of the cohort without them (COHORT-without-SITE)")
    add.add_argument("--site-name", default="", help="name of the cohort of them alone (COHORT-only-SITE)")
    add.set_defaults(run=run_split)


def run_split(args: argparse.Namespace, workspace: Workspace) -> Answer:
    """Split and store."""
    sites = [s.strip() for s in args.by_site.split(",") if s.strip()]
    rest, held = split_into(workspace, args.cohort, sites, args.rest_name, args.site_name)
    described = [_described(c) for c in (rest, held)]
    lines = [f"{d['cohort']}: {d['title']}, {d['patients']:,} patients, {d['events']:,} events" for d in described]
    hint = f"Next: ./run cli train --cohort {rest.name}, then ./run cli predict --run RUN --cohort {held.name}"
    return Answer({"cohorts": described}, [*lines, hint])


def _described(cohort: Cohort) -> dict[str, Any]:
    endpoint = cohort.endpoint()
    events = int(endpoint.event[endpoint.known].sum())
    return {"cohort": cohort.name, "title": cohort.title, "patients": len(cohort), "events": events}
