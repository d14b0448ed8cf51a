"""The worker: ``python -m core.jobs.worker WORKSPACE``. One a workspace, one job at a time, each in a child process.

It ends by itself when there has been nothing to do for a while; :func:`core.jobs.supervise.ensure_worker` starts the
next. What is killed, worker or child, costs the unfinished unit of one job and nothing else.
"""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import sys
import time
from pathlib import Path
from types import FrameType

from core.jobs.child import LOCK, TRACE
from core.jobs.job import JobState
from core.jobs.ledger import Ledger, Taken
from core.jobs.lock import ProcessLock, is_held
from core.jobs.outcome import FILE, read_outcome, state_after
from core.jobs.process import end_group, has_ended, signal_group, start_module
from core.jobs.queue import LOG, JobQueue, add_line
from core.jobs.task import TASKS, UNITS
from core.results.workspace import Workspace

WORKER_LOCK = "worker.lock"
LOOK_SECONDS, BEAT_SECONDS, IDLE_SECONDS = 0.2, 2.0, 60.0


class Worker:
    """Works off the queue of one workspace."""

    def __init__(self, workspace: Workspace, table: str = TASKS, idle: float = IDLE_SECONDS) -> None:
        self.workspace, self.idle = workspace, idle
        self.queue = JobQueue(workspace, table)
        self.ledger = Ledger(self.queue.path)
        self.lock = ProcessLock(self.queue.root / WORKER_LOCK)
        self.stopping = False
        self.beaten = 0.0

    def run(self) -> None:
        """Until there is nothing to do, or a signal to stop. A second worker leaves at once.

        The lock is let go *before* the last look at the queue: whoever submits a job either finds the lock free and
        starts a worker, or the job is found by that last look.
        """
        while self.lock.take(patience=1.0):
            try:
                self._recover()
                self._work_off()
            finally:
                self.lock.release()
            if self.stopping or not self.queue.path.is_file() or not self.ledger.has_waiting():
                return

    def stop(self, number: int = 0, frame: FrameType | None = None) -> None:
        """Stop soon; the running job goes back to its place in the queue."""
        self.stopping = True

    def _work_off(self) -> None:
        quiet_since = time.monotonic()
        while not self.stopping and self.queue.path.is_file() and time.monotonic() - quiet_since < self.idle:
            self._beat()
            job = self.ledger.take_next()
            if job is None:
                time.sleep(LOOK_SECONDS)
                continue
            self._work_at(job)
            quiet_since = time.monotonic()

    def _work_at(self, job: Taken) -> None:
        folder = self.queue.root / job.id
        (folder / FILE).unlink(missing_ok=True)
        arguments = [str(self.workspace.root), self.queue.table, job.id, str(os.getpid())]
        process = start_module("core.jobs.child", arguments, folder / TRACE)
        while not has_ended(process) and not self.stopping and not self.ledger.is_cancelled(job.id):
            self._beat()
            time.sleep(LOOK_SECONDS)
        end_group(process)
        self._close(job)

    def _close(self, job: Taken) -> None:
        """Write down what a job is after its child has ended, and clear away what is no longer needed."""
        folder = self.queue.root / job.id
        outcome, cancelled = read_outcome(folder), self.ledger.is_cancelled(job.id)
        if self.stopping and not cancelled and (outcome is None or outcome.result is None):
            self.ledger.give_back(job.id, counted=False)  # this worker's own doing
            return
        state, outcome = state_after(outcome, cancelled, job.attempts)
        if state is JobState.QUEUED:
            self.ledger.give_back(job.id, counted=True)
            return
        if state is not JobState.DONE:
            add_line(folder / LOG, outcome.error or state.value)
        self.ledger.finish(job.id, state, outcome.result, outcome.error)
        shutil.rmtree(folder / UNITS, ignore_errors=True)
        for old in self.ledger.forget_old():
            shutil.rmtree(self.queue.root / old, ignore_errors=True)

    def _recover(self) -> None:
        """Jobs that a dead worker left running: end what is left of them, then finish them or queue them again."""
        self._beat()
        for job in self.ledger.running():
            lock = self.queue.root / job.id / LOCK
            if job.pid is not None and is_held(lock):  # the lock proves that the number is still that of the child
                signal_group(job.pid, signal.SIGKILL)
            ended = ProcessLock(lock)
            if not ended.take(patience=10.0):
                raise TimeoutError("a job's process does not end")
            ended.release()
            self._close(job)

    def _beat(self) -> None:
        now = time.monotonic()
        if now - self.beaten >= BEAT_SECONDS:
            self.ledger.beat()
            self.beaten = now


def main() -> int:
    """Work off the queue of the workspace named on the command line."""
    parser = argparse.ArgumentParser()
    parser.add_argument("workspace", type=Path)
    parser.add_argument("--table", default=TASKS)
    parser.add_argument("--idle", type=float, default=IDLE_SECONDS)
    args = parser.parse_args()
    worker = Worker(Workspace(args.workspace), args.table, args.idle)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, worker.stop)
    worker.run()
    return 0


if __name__ == "__main__":
    sys.exit(main())
