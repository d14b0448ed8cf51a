"""One job in a process of its own: ``python -m core.jobs.child``, started by the worker and by nobody else."""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import threading
import time
import traceback
from pathlib import Path

from core.errors import PrognoscopeError
from core.jobs.ledger import Ledger, Taken
from core.jobs.lock import ProcessLock
from core.jobs.outcome import Outcome
from core.jobs.process import signal_group
from core.jobs.queue import LOG, JobQueue, add_line
from core.jobs.task import JobContext, find_task
from core.results.workspace import Workspace

LOCK = "running.lock"
TRACE = "trace.log"
"""What the child and its helpers print, and traces of unexpected failures. Never shown on a page."""
TELL_SECONDS, LINE_SECONDS = 0.3, 1.0


class Reporter:
    """Progress into the queue and, more rarely, into the log that people read."""

    def __init__(self, ledger: Ledger, job_id: str, log: Path) -> None:
        self.ledger, self.job_id, self.log = ledger, job_id, log
        self.told, self.logged, self.line = 0.0, 0.0, ""

    def __call__(self, share: float, text: str) -> None:
        """Pass it on when enough time has gone by; the end always."""
        now, share = time.monotonic(), min(1.0, max(0.0, float(share)))
        if now - self.told >= TELL_SECONDS or share >= 1:
            self.told = now
            self.ledger.tell(self.job_id, share, text)
        if text != self.line and (now - self.logged >= LINE_SECONDS or share >= 1):
            self.logged, self.line = now, text
            add_line(self.log, f"{100 * share:3.0f} %  {text}")


def run_job(job: Taken, queue: JobQueue, workspace: Workspace) -> Outcome:
    """Run the task; every failure becomes one sentence, the trace of an unexpected one stays in the trace file."""
    folder = queue.root / job.id
    report = Reporter(Ledger(queue.path), job.id, folder / LOG)
    add_line(report.log, "started" if job.attempts == 1 else f"taken up again, attempt {job.attempts}")
    try:
        result = find_task(job.task, queue.table)(job.arguments, workspace, JobContext(report, folder))
        outcome = Outcome(result=json.loads(json.dumps(dict(result), allow_nan=False)))
        add_line(report.log, "done")
    except PrognoscopeError as error:
        outcome = Outcome(error=str(error))
    except MemoryError:
        outcome = Outcome(error="This machine has too little memory for the job: choose smaller settings.")
    except Exception:  # noqa: BLE001  the last resort: a sentence for the person, the trace for the file
        traceback.print_exc()
        outcome = Outcome(error=f"Something unexpected stopped this job; its trace is kept under job {job.id}.")
    return outcome


def end_with_parent(parent: int) -> None:
    """End this process and its helpers when the worker is gone: no work goes on that nobody looks after."""

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(0.5)
        signal_group(os.getpid(), signal.SIGKILL)

    threading.Thread(target=watch, daemon=True).start()


def main() -> int:
    """Run one job and leave its outcome in its folder."""
    parser = argparse.ArgumentParser()
    for name in ("workspace", "table", "job"):
        parser.add_argument(name)
    parser.add_argument("parent", type=int)
    args = parser.parse_args()
    end_with_parent(args.parent)
    workspace = Workspace(Path(args.workspace))
    os.environ["PROGNOSCOPE_WORKSPACE"] = args.workspace
    queue = JobQueue(workspace, args.table)
    lock = ProcessLock(queue.root / args.job / LOCK)
    if not lock.take(patience=2.0):
        return 1
    job = Ledger(queue.path).begin(args.job)
    if job is None:
        return 1
    os.nice(5)  # the pages stay quick
    outcome = run_job(job, queue, workspace)
    outcome.write(queue.root / job.id)
    return 0


if __name__ == "__main__":
    sys.exit(main())
