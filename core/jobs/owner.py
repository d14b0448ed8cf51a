"""Whose job it is: who may submit it is asked when it is submitted, and the worker then acts in that person's name."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from core.access.actor import Actor, NotAllowedError, actor, operator, require
from core.access.grants import add_own_cohort
from core.access.refusals import note_refusal
from core.access.roles import Role, needed_for
from core.results.files import read_json, write_json
from core.results.run_store import load_run
from core.results.workspace import Workspace

FILE = "owner.json"
MAKES = ("import", "score-new")
"""Tasks whose argument ``name`` is the cohort they make."""


def cohorts_of(task: str, arguments: Mapping[str, Any], workspace: Workspace) -> tuple[str, ...]:
    """Cohorts a job is about: the one it names, that of its run, and one that is there under the name it asks for."""
    found = [str(arguments["cohort"])] if arguments.get("cohort") else []
    run = arguments.get("run")
    if isinstance(run, str) and (workspace.runs / run).is_dir() and run in workspace.names(workspace.runs):
        found.append(load_run(run, workspace, verify=False).cohort)
    name = arguments.get("name")
    if task in MAKES and isinstance(name, str) and name in workspace.names(workspace.cohorts):
        found.append(name)
    return tuple(dict.fromkeys(found))


def check_submitter(task: str, arguments: Mapping[str, Any], workspace: Workspace) -> Actor:
    """Who submits the job, when allowed to; a refusal is recorded and raised."""
    cohorts = cohorts_of(task, arguments, workspace)
    try:
        return require(needed_for(task), cohorts)
    except NotAllowedError:
        note_refusal(workspace, actor(), task, cohorts[0] if cohorts else "")
        raise


def write_owner(folder: Path, who: Actor) -> None:
    """Keep who submitted it, in the job's folder."""
    cohorts = None if who.cohorts is None else sorted(who.cohorts)
    write_json(folder / FILE, {"user": who.user, "role": str(who.role), "cohorts": cohorts})


def owner_of(folder: Path) -> Actor:
    """Who submitted the job; the operator of this machine for one of an earlier version."""
    if not (folder / FILE).is_file():
        return operator("worker")
    kept = read_json(folder / FILE)
    cohorts = None if kept["cohorts"] is None else frozenset(kept["cohorts"])
    return Actor(kept["user"], Role(kept["role"]), cohorts, "worker")


def with_what_it_makes(who: Actor, task: str, arguments: Mapping[str, Any]) -> Actor:
    """The submitter while the job runs: the cohort that it makes may be seen."""
    name = arguments.get("name")
    if who.cohorts is None or task not in MAKES or not isinstance(name, str):
        return who
    return Actor(who.user, who.role, who.cohorts | {name}, who.through)


def grant_what_was_made(who: Actor, task: str, arguments: Mapping[str, Any], workspace: Workspace) -> None:
    """Whoever made a cohort may see it from now on."""
    name = arguments.get("name")
    if task in MAKES and isinstance(name, str) and name in workspace.names(workspace.cohorts):
        add_own_cohort(who.user, name, workspace)
