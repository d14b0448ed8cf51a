"""What a job is: asked for once, worked at in another process, readable at any time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any


class JobState(StrEnum):
    """Where a job stands. ``CANCELLED`` is a person's wish and never called a failure."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def finished(self) -> bool:
        """Nothing more will happen to it."""
        return self in (JobState.DONE, JobState.FAILED, JobState.CANCELLED)


@dataclass(frozen=True)
class Job:
    """A job as it stood when it was read.

    Parameters
    ----------
    id : str
        Opaque; also the name of its folder.
    task : str
        Name in the table of tasks (``"train"``, ``"encode"`` …).
    title : str
        What a person reads. No patient data, no path.
    arguments : mapping
        Plain JSON values, checked when the job was submitted.
    state : JobState
    position : int or None
        1 = next to run; None when it does not wait.
    share : float
        Part done, 0 to 1.
    message : str
        What is being done now.
    eta_seconds : float or None
        Estimated from the pace since the last start; None before there is one.
    submitted_at, started_at, finished_at : datetime or None
        UTC. ``started_at`` of the last attempt.
    result : mapping or None
        What the task returned; ``cohort``, ``run`` and ``prediction`` name what a page can open.
    error : str
        One sentence when it failed.
    attempts : int
        Times it was started.
    cancelling : bool
        A running job that was told to stop and has not stopped yet.
    """

    id: str
    task: str
    title: str
    arguments: Mapping[str, Any]
    state: JobState
    position: int | None
    share: float
    message: str
    eta_seconds: float | None
    submitted_at: datetime
    started_at: datetime | None = None
    finished_at: datetime | None = None
    result: Mapping[str, Any] | None = field(default=None)
    error: str = ""
    attempts: int = 0
    cancelling: bool = False
