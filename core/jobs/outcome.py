"""How a child says that it ended: a file that appears whole. A child without one was killed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from core.errors import PrognoscopeError
from core.jobs.job import JobState
from core.results.files import read_json, write_json

FILE = "outcome.json"
MOST_ATTEMPTS = 3


@dataclass(frozen=True)
class Outcome:
    """``result`` of a job that is done, ``error`` (one sentence) of one that failed."""

    result: Mapping[str, Any] | None = None
    error: str = ""

    def write(self, folder: Path) -> None:
        """Store it."""
        write_json(folder / FILE, asdict(self))


def read_outcome(folder: Path) -> Outcome | None:
    """What the child left, or None when it was stopped before it could say anything."""
    if not (folder / FILE).is_file():
        return None
    stored = read_json(folder / FILE)
    return Outcome(stored["result"], stored["error"])


def state_after(outcome: Outcome | None, cancelled: bool, attempts: int) -> tuple[JobState, Outcome]:
    """What a job is once its child has ended.

    Work that was finished before the cancel reached it is done. Everything else after a cancel is cancelled, also when
    the child, torn from its helpers, reports a failure. A child that was killed is tried again, up to
    :data:`MOST_ATTEMPTS` times.
    """
    if outcome is not None and outcome.result is not None:
        return JobState.DONE, outcome
    if cancelled:
        return JobState.CANCELLED, Outcome()
    if outcome is not None:
        return JobState.FAILED, outcome
    if attempts < MOST_ATTEMPTS:
        return JobState.QUEUED, Outcome()
    stopped = PrognoscopeError(
        f"the job was stopped {attempts} times before it could finish",
        "this machine",
        "it may lack memory: close other programs or choose smaller settings, then start it again",
    )
    return JobState.FAILED, Outcome(error=str(stopped))
