"""Kill the worker, or the process of the job it is at, while jobs wait: the next worker finishes all of them."""

from __future__ import annotations

import os
import shutil
import signal
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from core.access.audit_anchor import STATE
from core.access.audit_check import verify
from core.jobs.job import JobState
from core.jobs.ledger import Ledger
from core.jobs.process import signal_group
from core.jobs.queue import JobQueue
from core.jobs.supervise import ensure_worker
from core.results.workspace import Workspace
from core.tasks.fault_checks import State, differences, read_all
from core.tasks.fault_rounds import Progress, restore
from core.tasks.fault_study import NAME

PATIENCE_S, LOOK_S, IDLE_S = 240.0, 0.05, 1.0
_MOST_DRAWS = 4
"""Draws a kill, for those that come when all the work is done."""


@dataclass
class JobsRound:
    """``lost`` jobs that were not done at the end, with what became of them · ``different`` what they left that an
    undisturbed queue does not · ``log`` faults of the audit log."""

    kills: int = 0
    jobs: int = 0
    seconds: float = 0.0
    lost: list[str] = field(default_factory=list)
    different: list[str] = field(default_factory=list)
    log: list[str] = field(default_factory=list)


def kill_workers(
    workspace: Workspace, study: Path, start: Path, kills: int, random: np.random.Generator, progress: Progress
) -> JobsRound:
    """``kills`` times a queue of an import and the encoding after it; the worker and its child are killed in turn."""
    found = JobsRound()
    _begin_anew(workspace, study, start)
    began = time.monotonic()
    _work_off(workspace)
    found.seconds = time.monotonic() - began
    whole = read_all(workspace)
    for _ in range(_MOST_DRAWS * kills):
        if found.kills == kills:
            break
        _await_end(workspace)
        _begin_anew(workspace, study, start)
        ensure_worker(workspace, idle=IDLE_S)
        time.sleep(float(random.random()) * found.seconds)
        killed = _kill(workspace, child=bool(found.kills % 2))
        found.kills += killed
        _work_off(workspace)
        if killed:
            _look(workspace, whole, found)
        progress(found.kills / kills, f"queue: {found.kills} of {kills} kills")
    _await_end(workspace)
    return found


def _begin_anew(workspace: Workspace, study: Path, start: Path) -> None:
    """The start, with the two jobs in its queue; what is known outside of the log of its predecessor is forgotten."""
    restore(start, workspace)
    shutil.rmtree(os.environ[STATE], ignore_errors=True)  # the bench's own, never the machine's
    incoming = workspace.root / "incoming"
    incoming.mkdir()
    shutil.copy2(study, incoming / study.name)
    queue = JobQueue(workspace)
    queue.submit("import", {"path": str(incoming / study.name), "name": NAME}, "Import")
    queue.submit("encode", {"cohort": NAME, "processes": 1}, "Encode")


def _kill(workspace: Workspace, child: bool) -> bool:
    """Kill the worker, or where it is at a job that job's process; False when there was nothing left to kill."""
    ledger = Ledger(JobQueue(workspace).path)
    running = [job.pid for job in ledger.running() if job.pid is not None]
    if child and running:
        signal_group(running[0], signal.SIGKILL)
        return True
    worker = _worker(workspace)
    if worker is None or not JobQueue(workspace).unfinished():
        return False
    with suppress(ProcessLookupError):
        os.kill(worker, signal.SIGKILL)
    return True


def _worker(workspace: Workspace) -> int | None:
    """The process that works for this workspace."""
    wanted = str(workspace.root.resolve()).encode()
    for place in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):
            words = place.read_bytes().split(b"\0")
            if b"core.jobs.worker" in words and wanted in words:
                return int(place.parent.name)
    return None


def _work_off(workspace: Workspace) -> None:
    """See to it that a worker is there until every job has ended, as the dashboard does."""
    queue, end = JobQueue(workspace), time.monotonic() + PATIENCE_S
    while queue.unfinished() and time.monotonic() < end:
        ensure_worker(workspace, idle=IDLE_S)
        time.sleep(LOOK_S)


def _await_end(workspace: Workspace) -> None:
    """Until the worker has gone home: its folder is about to be taken away."""
    end = time.monotonic() + PATIENCE_S
    while _worker(workspace) is not None and time.monotonic() < end:
        time.sleep(LOOK_S)


def _look(workspace: Workspace, whole: State, found: JobsRound) -> None:
    jobs = JobQueue(workspace).jobs()
    found.jobs += len(jobs)
    found.lost += [f"{job.title}: {job.state.value} {job.error}" for job in jobs if job.state is not JobState.DONE]
    found.lost += ["a job that is no longer in the queue"] * (2 - len(jobs))
    found.different += differences(read_all(workspace), whole)
    log = verify(workspace)
    found.log += [] if log.good else [log.problem]
