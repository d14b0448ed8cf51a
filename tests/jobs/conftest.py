"""A queue with the tiny tasks and a worker at it; no process outlives its test."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest

from core.jobs import supervise
from core.jobs.job import Job, JobState
from core.jobs.lock import is_held
from core.jobs.process import signal_group
from core.jobs.queue import JobQueue
from core.jobs.task import TASKS
from core.jobs.worker import WORKER_LOCK
from core.results.workspace import Workspace
from tests.jobs.tiny_tasks import NAME


@pytest.fixture
def queue(workspace: Workspace) -> JobQueue:
    """An empty queue of tiny tasks, without a worker."""
    return JobQueue(workspace, NAME)


@pytest.fixture
def start_worker(queue: JobQueue, workspace: Workspace) -> Iterator[Callable[[], int]]:
    """Start a worker (its pid is returned once it holds the lock); at the end every worker is killed."""
    with _workers(workspace, NAME) as start:
        yield start
    for pids in queue.root.glob("*/pids"):
        for pid in pids_of(pids):
            wait_for(partial(gone, pid))


@pytest.fixture
def start_application_worker(workspace: Workspace) -> Iterator[Callable[[], int]]:
    """The same with the application's own tasks."""
    with _workers(workspace, TASKS) as start:
        yield start


@contextmanager
def _workers(workspace: Workspace, table: str) -> Iterator[Callable[[], int]]:
    lock = JobQueue(workspace, table).root / WORKER_LOCK

    def start() -> int:
        supervise.ensure_worker(workspace, table, idle=20.0)
        wait_for(lambda: is_held(lock))
        return supervise._started[-1].pid

    try:
        yield start
    finally:
        for process in supervise._started:
            signal_group(process.pid, signal.SIGKILL)  # what it was working at ends with it
            process.wait(timeout=10)
        supervise._started.clear()
        supervise._starting.clear()


def wait_for(condition: Callable[[], object], seconds: float = 60.0) -> bool:
    """Until the condition holds; fails the test when it does not in time."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.03)
    raise AssertionError("it did not happen in time")


def ended(queue: JobQueue, job: Job, seconds: float = 60.0) -> Job:
    """The job once nothing more will happen to it."""
    wait_for(lambda: queue.get(job.id).state.finished, seconds)
    return queue.get(job.id)


def running(queue: JobQueue, job: Job) -> Job:
    """The job once it has said how far it is."""
    wait_for(lambda: queue.get(job.id).state is JobState.RUNNING and queue.get(job.id).share > 0)
    return queue.get(job.id)


def pids_of(path: Path) -> list[int]:
    """Process numbers a task has noted down."""
    return [int(word) for word in path.read_text().split()]


def gone(pid: int) -> bool:
    """Whether a process has ended."""
    return not alive(pid)


def alive(pid: int) -> bool:
    """Whether a process runs (one that ended and was not collected does not)."""
    try:
        os.kill(pid, 0)
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (ProcessLookupError, FileNotFoundError):
        return False
    return state != "Z"
