"""Seeing to it that a worker is there when there is work, whoever asks and however often."""

from __future__ import annotations

import asyncio
import logging
import subprocess
import time
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Any

from core.errors import PrognoscopeError
from core.jobs.job import Job
from core.jobs.ledger import Ledger
from core.jobs.lock import is_held
from core.jobs.process import start_module
from core.jobs.queue import JobQueue
from core.jobs.task import TASKS
from core.jobs.worker import IDLE_SECONDS, WORKER_LOCK
from core.results.workspace import Workspace

logger = logging.getLogger(__name__)

SILENT_SECONDS = 60.0
WATCH_SECONDS = 5.0
STARTING_SECONDS = 15.0
"""A worker that was started so short a time ago and has not been heard of is on its way."""
_started: list[subprocess.Popen[bytes]] = []
"""Workers this process has started; each is collected when it has ended."""
_starting: dict[Path, tuple[subprocess.Popen[bytes], float]] = {}
"""Queue → the last worker this process has started for it, and when (seconds since 1970)."""


class WorkerState(StrEnum):
    """What is known of the worker. ``SILENT``: it holds its lock, yet has said nothing for a minute."""

    NONE = "none"
    ALIVE = "alive"
    SILENT = "silent"


def worker_state(workspace: Workspace) -> WorkerState:
    """Whether a worker holds the lock of this workspace, and whether it was heard of lately."""
    queue = JobQueue(workspace)
    if not is_held(queue.root / WORKER_LOCK):
        return WorkerState.NONE
    heard = Ledger(queue.path).heartbeat()
    return WorkerState.ALIVE if heard is None or time.time() - heard < SILENT_SECONDS else WorkerState.SILENT


def ensure_worker(workspace: Workspace, table: str = TASKS, idle: float = IDLE_SECONDS) -> None:
    """Start a worker when none is alive; it outlives the process that asks.

    Two processes that ask at once may both start one: the second finds the lock taken and leaves.
    """
    _started[:] = [process for process in _started if process.poll() is None]
    queue = JobQueue(workspace, table)
    if is_held(queue.root / WORKER_LOCK):
        return
    if _is_starting(queue):
        return
    queue.root.mkdir(parents=True, exist_ok=True, mode=0o700)
    arguments = [str(workspace.root.resolve()), "--table", table, "--idle", str(idle)]
    worker = start_module("core.jobs.worker", arguments, queue.root / "worker.log")
    _started.append(worker)
    _starting[queue.root] = worker, time.time()


def _is_starting(queue: JobQueue) -> bool:
    """Whether a worker of ours is on its way: who asks again and again would start one each time.

    One that was heard of and holds no lock is about to leave.
    """
    if queue.root not in _starting:
        return False
    worker, since = _starting[queue.root]
    if worker.poll() is not None or time.time() - since > STARTING_SECONDS:
        return False
    heard = Ledger(queue.path).heartbeat() if queue.path.is_file() else None
    return heard is None or heard < since


def submit_job(workspace: Workspace, task: str, arguments: Mapping[str, Any], title: str) -> Job:
    """Put a job into the queue and see to it that somebody works at it (:meth:`JobQueue.submit`)."""
    job = JobQueue(workspace).submit(task, arguments, title)
    ensure_worker(workspace)
    return job


def cancel_job(workspace: Workspace, job_id: str) -> Job:
    """Cancel a job (:meth:`JobQueue.cancel`); one that a dead worker left running is closed by a new worker."""
    job = JobQueue(workspace).cancel(job_id)
    if not job.state.finished:
        ensure_worker(workspace)
    return job


def look_after(workspace: Workspace) -> None:
    """Start a worker when there is unfinished work and nobody at it."""
    if JobQueue(workspace).unfinished():
        ensure_worker(workspace)


async def keep_watch(workspace: Workspace, every: float = WATCH_SECONDS) -> None:
    """:func:`look_after` for as long as the web process runs: a killed worker is replaced within ``every`` seconds."""
    while True:
        try:
            await asyncio.to_thread(look_after, workspace)
        except (PrognoscopeError, OSError) as error:  # the pages say so themselves; the watch goes on
            logger.warning("the queue of jobs could not be looked after: %s", type(error).__name__)
        await asyncio.sleep(every)
