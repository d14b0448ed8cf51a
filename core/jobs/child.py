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
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from core.access.actor import Actor, acting
from core.access.audit_entry import Outcome as Ended
from core.access.audit_log import AuditError
from core.access.audit_words import action_of_task
from core.access.record import record
from core.errors import PrognoscopeError
from core.jobs.ledger import Ledger, Taken
from core.jobs.lock import ProcessLock
from core.jobs.outcome import Outcome
from core.jobs.owner import MAKES, grant_what_was_made, owner_of, with_what_it_makes
from core.jobs.process import signal_group
from core.jobs.queue import LOG, JobQueue, add_line
from core.jobs.task import JobContext, find_task
from core.results.trouble import disk_trouble
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
    owner = owner_of(folder)
    try:
        with acting(with_what_it_makes(owner, job.task, job.arguments)):
            result = find_task(job.task, queue.table)(job.arguments, workspace, JobContext(report, folder))
        outcome = Outcome(result=json.loads(json.dumps(dict(result), allow_nan=False)))
        grant_what_was_made(owner, job.task, job.arguments, workspace)
        add_line(report.log, "done")
    except PrognoscopeError as error:
        outcome = Outcome(error=str(error))
    except MemoryError:
        outcome = Outcome(error="This machine has too little memory for the job: choose smaller settings.")
    except Exception as error:  # noqa: BLE001  the last resort: a sentence for the person, the trace for the file
        traceback.print_exc()
        trouble = disk_trouble(error)
        unexpected = f"Something unexpected stopped this job; its trace is kept under job {job.id}."
        outcome = Outcome(error=str(trouble) if trouble is not None else unexpected)
    return recorded(outcome, job, owner, workspace)


def recorded(outcome: Outcome, job: Taken, owner: Actor, workspace: Workspace) -> Outcome:
    """The outcome, after it was written into the audit log in the submitter's name; a failure where it cannot be."""
    result = outcome.result or {}
    try:
        record(
            action_of_task(job.task), workspace, Ended.FAILED if outcome.error else Ended.DONE, who=owner,
            detail=job.task, cohort=_named("cohort", result, job.arguments) or _made(job),
            run=_named("run", result, job.arguments), patient=_named("patient", result, job.arguments),
        )  # fmt: skip
    except AuditError as error:
        return Outcome(error=str(error))
    return outcome


def _named(what: str, *places: Mapping[str, Any]) -> str:
    return next((str(p[what]) for p in places if isinstance(p.get(what), str)), "")


def _made(job: Taken) -> str:
    return _named("name", job.arguments) if job.task in MAKES else ""


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
