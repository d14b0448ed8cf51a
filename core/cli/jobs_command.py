"""``jobs``: the queue of long work, without the browser."""

from __future__ import annotations

import argparse
from typing import Any

from core.cli.output import Answer, table
from core.errors import PrognoscopeError
from core.jobs.job import Job
from core.jobs.queue import JobQueue
from core.jobs.supervise import cancel_job, look_after
from core.jobs.words import left_words, queue_words, state_words
from core.results.workspace import Workspace


def add_commands(commands: Any) -> None:
    """Register the command of this file."""
    add = commands.add_parser("jobs", help="the queue of long work: list, cancel ID, log ID")
    add.add_argument("action", nargs="?", default="list", choices=("list", "cancel", "log"))
    add.add_argument("job", nargs="?", default="", metavar="ID", help="its first letters are enough")
    add.set_defaults(run=run_jobs)


def run_jobs(args: argparse.Namespace, workspace: Workspace) -> Answer:
    """List the jobs, cancel one, or read its log. Unfinished work that nobody is at is taken up again."""
    look_after(workspace)
    queue = JobQueue(workspace)
    if args.action == "list":
        jobs = queue.jobs() if queue.path.is_file() else ()
        return Answer({"jobs": [job_json(job) for job in jobs]}, _lines(jobs))
    job = _named(args.job, queue)
    if args.action == "log":
        log = queue.log(job.id)
        return Answer({"job": job.id, "log": log.splitlines()}, log.splitlines() or ["nothing yet"])
    after = cancel_job(workspace, job.id)
    return Answer(job_json(after), [f"{after.title}: {state_words(after)}"])


def job_json(job: Job) -> dict[str, Any]:
    """A job for machines."""
    return {
        "job": job.id,
        "task": job.task,
        "title": job.title,
        "state": job.state.value,
        "position": job.position,
        "share": round(job.share, 4),
        "message": job.message,
        "eta_seconds": None if job.eta_seconds is None else round(job.eta_seconds),
        "result": None if job.result is None else dict(job.result),
        "error": job.error,
        "attempts": job.attempts,
    }


def submitted(job: Job) -> Answer:
    """What a command says that put its work into the queue."""
    lines = [f"{job.title}: {state_words(job)}", f"follow it with ./run cli jobs, or ./run cli jobs log {job.id}"]
    return Answer(job_json(job), lines)


def _named(start: str, queue: JobQueue) -> Job:
    """The one job whose id begins with ``start``."""
    found = [job for job in queue.jobs(1000) if job.id.startswith(start)] if start and queue.path.is_file() else []
    if len(found) != 1:
        what = "no job named" if not start else f"{len(found) or 'no'} jobs whose id begins with {start!r}"
        raise PrognoscopeError(what, "the queue", "use an id of ./run cli jobs")
    return found[0]


def _lines(jobs: tuple[Job, ...]) -> list[str]:
    if not jobs:
        return ["No jobs yet."]
    rows = [
        (job.id, job.title, state_words(job), f"{100 * job.share:.0f} %", left_words(job.eta_seconds), job.error)
        for job in jobs
    ]
    words = queue_words([job for job in jobs if not job.state.finished])
    return [*table(("id", "job", "state", "done", "left", ""), rows), *([words] if words else [])]
