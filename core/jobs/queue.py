"""The queue as pages and the command line see it: submit, look, cancel, read the log."""

from __future__ import annotations

import json
import sqlite3
import time
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from core.errors import PrognoscopeError
from core.jobs.database import reading, transaction
from core.jobs.job import Job, JobState
from core.jobs.owner import check_submitter, write_owner
from core.jobs.task import TASKS, check_task
from core.results.workspace import Workspace

__all__ = ["Job", "JobQueue", "JobState"]

LOG = "log.txt"
_UNFINISHED = (JobState.QUEUED.value, JobState.RUNNING.value)


class JobQueue:
    """The jobs of one workspace. Nothing is held open: every method is one short transaction of its own.

    Parameters
    ----------
    workspace : Workspace
    table : str
        ``module:NAME`` of the table of tasks, against which submitted arguments are checked.
    """

    def __init__(self, workspace: Workspace, table: str = TASKS) -> None:
        self.workspace = workspace
        self.root = workspace.root / "jobs"
        self.path = self.root / "queue.sqlite"
        self.table = table

    def submit(self, task: str, arguments: Mapping[str, Any], title: str) -> Job:
        """Put a job at the end of the queue; a worker is started by :func:`core.jobs.supervise.submit_job`.

        A job of the same task with the same arguments that has not finished is returned instead of a second one: a
        page that is sent twice starts one training.

        Raises
        ------
        PrognoscopeError
            For an unknown task, an unknown or missing argument, or one of another kind.
        NotAllowedError
            When the role or the grants of whoever is acting do not allow it.
        """
        check_task(task, arguments, self.table)
        who = check_submitter(task, arguments, self.workspace)
        text = json.dumps(arguments, sort_keys=True, ensure_ascii=False, allow_nan=False)
        with transaction(self.path) as connection:
            same = connection.execute(
                "SELECT id FROM jobs WHERE task = ? AND arguments = ? AND cancel = 0 AND state IN (?, ?)",
                (task, text, *_UNFINISHED),
            ).fetchone()
            job_id = same["id"] if same is not None else uuid.uuid4().hex[:12]
            if same is None:
                (self.root / job_id).mkdir(mode=0o700)
                write_owner(self.root / job_id, who)
                connection.execute(
                    "INSERT INTO jobs (id, task, title, arguments, state, submitted_at) VALUES (?, ?, ?, ?, ?, ?)",
                    (job_id, task, title, text, JobState.QUEUED.value, time.time()),
                )
        return self.get(job_id)

    def get(self, job_id: str) -> Job:
        """One job; raises for an unknown id."""
        with reading(self.path) as connection:
            row = connection.execute(f"{_SELECT} WHERE id = ?", (job_id,)).fetchone()
        if row is None:
            raise PrognoscopeError("no job of this id", "the queue", "see the list of jobs")
        return _job(row)

    def jobs(self, limit: int = 50) -> tuple[Job, ...]:
        """Running and waiting jobs in the order of their turn, then the finished ones, the latest first."""
        with reading(self.path) as connection:
            rows = connection.execute(
                f"{_SELECT} ORDER BY CASE state WHEN 'running' THEN 0 WHEN 'queued' THEN 1 ELSE 2 END, "
                "CASE WHEN finished_at IS NULL THEN number ELSE -finished_at END LIMIT ?",
                (limit,),
            ).fetchall()
        return tuple(_job(row) for row in rows)

    def unfinished(self) -> tuple[Job, ...]:
        """Running and waiting jobs; nothing is made where no job was ever submitted."""
        if not self.path.is_file():
            return ()
        return tuple(job for job in self.jobs(1000) if not job.state.finished)

    def cancel(self, job_id: str) -> Job:
        """Take a waiting job out of the queue, or tell the worker to stop a running one.

        A job that has finished stays as it is. A running one is stopped with all its processes within seconds; until
        then ``cancelling`` is true.
        """
        with transaction(self.path) as connection:
            connection.execute(
                "UPDATE jobs SET state = 'cancelled', message = 'cancelled', finished_at = ?, cancel = 1 "
                "WHERE id = ? AND state = 'queued'",
                (time.time(), job_id),
            )
            connection.execute("UPDATE jobs SET cancel = 1 WHERE id = ? AND state = 'running'", (job_id,))
        return self.get(job_id)

    def log(self, job_id: str) -> str:
        """What the job said so far, one line a message: made for people, without traces and paths."""
        path = self.folder(job_id) / LOG
        return path.read_text(encoding="utf-8", errors="replace") if path.is_file() else ""

    def folder(self, job_id: str) -> Path:
        """The job's folder; raises for an unknown id."""
        return self.root / self.get(job_id).id


_SELECT = """
SELECT *, CASE WHEN state = 'queued' THEN (
    SELECT COUNT(*) FROM jobs AS other WHERE other.state = 'queued' AND other.number <= jobs.number
) END AS position
FROM jobs"""


def _job(row: sqlite3.Row) -> Job:
    state = JobState(row["state"])
    return Job(
        id=row["id"],
        task=row["task"],
        title=row["title"],
        arguments=json.loads(row["arguments"]),
        state=state,
        position=row["position"],
        share=float(row["share"]),
        message=row["message"],
        eta_seconds=_eta(row) if state is JobState.RUNNING else None,
        submitted_at=datetime.fromtimestamp(row["submitted_at"], UTC),
        started_at=_moment(row["started_at"]),
        finished_at=_moment(row["finished_at"]),
        result=json.loads(row["result"]) if row["result"] else None,
        error=row["error"],
        attempts=int(row["attempts"]),
        cancelling=bool(row["cancel"]) and state is JobState.RUNNING,
    )


def add_line(log: Path, text: str) -> None:
    """One line of a job's log, with its moment (UTC)."""
    with log.open("a", encoding="utf-8") as stream:
        stream.write(f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S}  {text}\n")


def _moment(seconds: float | None) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)


def _eta(row: sqlite3.Row) -> float | None:
    """Seconds left at the pace since the first word of this attempt: what an earlier attempt did is no pace."""
    if row["first_at"] is None or row["share"] - row["first_share"] < 0.01:
        return None
    pace = (row["progress_at"] - row["first_at"]) / (row["share"] - row["first_share"])
    return max(0.0, float(pace * (1 - row["share"]) - (time.time() - row["progress_at"])))
