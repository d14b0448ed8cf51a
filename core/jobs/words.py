"""What a job's state, time left and the whole queue are called where people read them."""

from __future__ import annotations

from collections.abc import Sequence

from core.jobs.job import Job, JobState


def state_words(job: Job) -> str:
    """``"running"``, ``"waiting, 2nd in the queue"``, ``"cancelled"`` …"""
    if job.cancelling:
        return "stopping"
    if job.state is JobState.QUEUED:
        return "waiting, next to run" if job.position == 1 else f"waiting, {_ordinal(job.position or 0)} in the queue"
    return job.state.value


def left_words(seconds: float | None) -> str:
    """``"about 3 min left"``; empty while nothing can be said."""
    if seconds is None:
        return ""
    if seconds < 50:
        return f"about {max(5, 5 * round(seconds / 5))} s left"
    if seconds < 90 * 60:
        return f"about {max(1, round(seconds / 60))} min left"
    return f"about {seconds / 3600:.1f} h left"


def queue_words(unfinished: Sequence[Job]) -> str:
    """``"1 job running · 43 % · 2 waiting"``; empty without unfinished jobs."""
    running = [job for job in unfinished if job.state is JobState.RUNNING]
    waiting = len(unfinished) - len(running)
    parts = []
    if running:
        parts += [f"{len(running)} job{'s' * (len(running) > 1)} running", f"{100 * running[0].share:.0f} %"]
    if waiting:
        parts.append(f"{waiting} waiting" if running else f"{waiting} job{'s' * (waiting > 1)} waiting")
    return " · ".join(parts)


def _ordinal(number: int) -> str:
    ending = {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th") if number % 100 not in (11, 12, 13) else "th"
    return f"{number}{ending}"
