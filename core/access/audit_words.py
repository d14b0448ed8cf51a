"""Which action of the audit log a task of the queue or a command of the command line is."""

from __future__ import annotations

from collections.abc import Mapping

from core.access.audit_entry import Action

TASKS: Mapping[str, Action] = {
    "import": Action.IMPORT,
    "complete-sample": Action.IMPORT,
    "prepare-sample": Action.IMPORT,
    "train": Action.TRAIN,
    "score-new": Action.PATIENT_SCORED,
    "explain": Action.EXPLANATION,
    "explain-cohort": Action.EXPLANATION,
    "erase": Action.ERASE,
    "delete": Action.DELETE,
    "backup": Action.BACKUP,
    "restore": Action.RESTORE,
}

COMMANDS: Mapping[str, Action] = {
    **TASKS,
    "combine": Action.IMPORT,
    "split-cohort": Action.IMPORT,
    "encode": Action.COMPUTE,
    "predict": Action.COMPUTE,
    "audit": Action.COMPUTE,
    "routing": Action.COMPUTE,
    "report": Action.EXPORT,
    "card": Action.EXPORT,
    "export-features": Action.EXPORT,
    "napari": Action.PATIENT_OPENED,
}

UNRECORDED = frozenset(
    {"doctor", "bench", "jobs", "cohorts", "runs", "audit-log", "access", "first-start", "restore", "erase", "upgrade"}
)
"""Commands that show no patient, or record themselves."""


def action_of_task(task: str) -> Action:
    """Work on patients' data that has no name of its own is "compute"."""
    return TASKS.get(task, Action.COMPUTE)


def action_of_command(command: str) -> Action | None:
    """None for a command that is not recorded; one that is not known here is, as "command"."""
    return None if command in UNRECORDED else COMMANDS.get(command, Action.COMMAND)
