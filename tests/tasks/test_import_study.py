"""An import as a job: the same check and the same cohort as on the page, and nothing outside of what may be read."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.cohort.checking import Checked, check_import
from core.cohort.storage import list_cohorts
from core.errors import PrognoscopeError
from core.jobs.queue import JobQueue
from core.jobs.task import JobContext, find_task
from core.results.workspace import Workspace

OPTIONS = {
    "columns": {"id": "id", "time": "time", "event": "status", "time_unit": "days", "competing_label": "transplant"},
    "events": {"status:0": "censored", "status:1": "competing", "status:2": "event"},
}  # fmt: skip


@pytest.fixture
def incoming(workspace: Workspace, shared_data: Path) -> Path:
    folder = workspace.root / "incoming"
    folder.mkdir(parents=True)
    (folder / "pbc.csv").write_bytes((shared_data / "hcc" / "pbc.csv").read_bytes())
    return folder


def run(arguments: dict[str, object], workspace: Workspace) -> dict[str, object]:
    context = JobContext(lambda share, text: None, workspace.root / "jobs" / "x")
    JobQueue(workspace).submit("import", arguments, "a test")  # refuses arguments the task does not take
    return dict(find_task("import")(arguments, workspace, context))


def test_a_check_stores_nothing_and_a_store_gives_what_was_checked(incoming: Path, workspace: Workspace) -> None:
    arguments = {"path": str(incoming / "pbc.csv"), "name": "pbc", "title": "PBC", "format": "", **OPTIONS}
    answer = run(arguments | {"check_only": True}, workspace)
    assert list_cohorts(workspace) == ()
    checked = Checked.from_json(answer["checked"])  # type: ignore[arg-type]
    assert checked == check_import(incoming / "pbc.csv", title="PBC", **OPTIONS)
    assert run(arguments, workspace) == {"cohort": "pbc"}
    (stored,) = list_cohorts(workspace)
    assert (stored.title, stored.patients, stored.events) == ("PBC", 418, checked.endpoints[0].events)


@pytest.mark.parametrize("only", [True, False])
def test_a_job_reads_nothing_outside_the_import_folders(only: bool, workspace: Workspace, shared_data: Path) -> None:
    arguments = {"path": str(shared_data / "hcc" / "pbc.csv"), "name": "pbc", **OPTIONS, "check_only": only}
    with pytest.raises(PrognoscopeError, match="no such study in a folder that may be imported from"):
        run(arguments, workspace)
    assert list_cohorts(workspace) == ()


def test_an_import_killed_after_it_had_stored_is_taken_up_and_not_refused(incoming: Path, workspace: Workspace) -> None:
    arguments = {"path": str(incoming / "pbc.csv"), "name": "pbc", **OPTIONS}
    assert run(arguments, workspace) == {"cohort": "pbc"}
    stored = (workspace.cohort("pbc") / "manifest.json").stat().st_ino
    assert run(arguments, workspace) == {"cohort": "pbc"}  # the same job, in the same folder
    assert (workspace.cohort("pbc") / "manifest.json").stat().st_ino == stored
    with pytest.raises(PrognoscopeError, match="a cohort named 'pbc' exists"):
        find_task("import")(arguments, workspace, JobContext(lambda share, text: None, workspace.root / "jobs" / "y"))
