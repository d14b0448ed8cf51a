"""Lists that hold only what the grants of whoever is acting name."""

from __future__ import annotations

from core.access.actor import actor
from core.results.run import Run
from core.results.run_store import list_runs as every_run
from core.results.workspace import Workspace


def list_runs(workspace: Workspace) -> tuple[Run, ...]:
    """Runs on cohorts that may be seen, in the order of :func:`core.results.run_store.list_runs`."""
    who = actor()
    return tuple(run for run in every_run(workspace) if who.may_see(run.cohort))
