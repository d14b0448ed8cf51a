"""The worker's side of the queue: take the next job, say how far it is, write down how it ended."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.jobs.database import reading, transaction
from core.jobs.job import JobState

KEPT = 200
"""Finished jobs that are remembered; older ones go with their folders."""


@dataclass(frozen=True)
class Taken:
    """A job that is being worked at, or was when its worker ended."""

    id: str
    task: str
    arguments: Mapping[str, Any]
    attempts: int
    pid: int | None
    cancel: bool


class Ledger:
    """Writes about jobs; each is one short transaction."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def beat(self) -> None:
        """The worker lives."""
        with transaction(self.path) as connection:
            connection.execute(
                "INSERT INTO worker (one, pid, heartbeat) VALUES (1, ?, ?) "
                "ON CONFLICT (one) DO UPDATE SET pid = excluded.pid, heartbeat = excluded.heartbeat",
                (os.getpid(), time.time()),
            )

    def heartbeat(self) -> float | None:
        """When the worker last said that it lives (seconds since 1970); None when there never was one."""
        with reading(self.path) as connection:
            row = connection.execute("SELECT heartbeat FROM worker").fetchone()
        return None if row is None else float(row["heartbeat"])

    def take_next(self) -> Taken | None:
        """Make the first waiting job the running one."""
        with transaction(self.path) as connection:
            row = connection.execute("SELECT id FROM jobs WHERE state = 'queued' ORDER BY number LIMIT 1").fetchone()
            if row is None:
                return None
            connection.execute(
                "UPDATE jobs SET state = 'running', attempts = attempts + 1, started_at = ?, message = 'starting', "
                "first_at = NULL, first_share = NULL, progress_at = NULL, pid = NULL WHERE id = ?",
                (time.time(), row["id"]),
            )
        return next(job for job in self.running() if job.id == row["id"])

    def running(self) -> tuple[Taken, ...]:
        """Jobs marked as running."""
        with reading(self.path) as connection:
            rows = connection.execute("SELECT * FROM jobs WHERE state = 'running' ORDER BY number").fetchall()
        return tuple(
            Taken(r["id"], r["task"], json.loads(r["arguments"]), int(r["attempts"]), r["pid"], bool(r["cancel"]))
            for r in rows
        )

    def begin(self, job_id: str) -> Taken | None:
        """The child names itself as the process at work; None when the job is no longer to be run."""
        with transaction(self.path) as connection:
            connection.execute("UPDATE jobs SET pid = ? WHERE id = ? AND state = 'running'", (os.getpid(), job_id))
        return next((job for job in self.running() if job.id == job_id), None)

    def is_cancelled(self, job_id: str) -> bool:
        """Whether a person asked to stop it."""
        with reading(self.path) as connection:
            row = connection.execute("SELECT cancel FROM jobs WHERE id = ?", (job_id,)).fetchone()
        return bool(row["cancel"])

    def tell(self, job_id: str, share: float, message: str) -> None:
        """How far a running job is; the first word of an attempt is where its pace is measured from."""
        now = time.time()
        with transaction(self.path) as connection:
            connection.execute(
                "UPDATE jobs SET share = ?, message = ?, progress_at = ?, first_at = COALESCE(first_at, ?), "
                "first_share = COALESCE(first_share, ?) WHERE id = ? AND state = 'running'",
                (share, message, now, now, share, job_id),
            )

    def finish(self, job_id: str, state: JobState, result: Mapping[str, Any] | None = None, error: str = "") -> None:
        """The job ended."""
        message = {JobState.DONE: "done", JobState.CANCELLED: "cancelled"}.get(state, "failed")
        text = None if result is None else json.dumps(result, ensure_ascii=False, allow_nan=False)
        with transaction(self.path) as connection:
            connection.execute(
                "UPDATE jobs SET state = ?, message = ?, result = ?, error = ?, finished_at = ?, pid = NULL, "
                "share = CASE WHEN ? = 'done' THEN 1 ELSE share END WHERE id = ?",
                (state.value, message, text, error, time.time(), state.value, job_id),
            )

    def give_back(self, job_id: str, counted: bool) -> None:
        """Back to its place in the queue; an attempt that the worker itself ended is not counted."""
        with transaction(self.path) as connection:
            connection.execute(
                "UPDATE jobs SET state = 'queued', message = 'interrupted, will be taken up again', pid = NULL, "
                "attempts = attempts - ? WHERE id = ?",
                (0 if counted else 1, job_id),
            )

    def has_waiting(self) -> bool:
        """Whether any job waits."""
        with reading(self.path) as connection:
            return connection.execute("SELECT 1 FROM jobs WHERE state = 'queued' LIMIT 1").fetchone() is not None

    def forget_old(self, keep: int = KEPT) -> tuple[str, ...]:
        """Remove all but the last ``keep`` finished jobs; returns their ids."""
        finished = "SELECT id FROM jobs WHERE finished_at IS NOT NULL ORDER BY finished_at DESC LIMIT -1 OFFSET ?"
        with transaction(self.path) as connection:
            old = tuple(row["id"] for row in connection.execute(finished, (keep,)))
            connection.executemany("DELETE FROM jobs WHERE id = ?", [(job_id,) for job_id in old])
        return old
