"""Each command that reads or changes patients' data stands in the audit log, with how it ended."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from typing import Any

from core.access.audit_entry import Outcome
from core.access.audit_words import action_of_command
from core.access.record import record
from core.cli.output import Answer
from core.results.workspace import Workspace

_RUN = ("run_id", "audited", "explained", "routed", "start_from")
"""Where commands keep the run they were given (``run`` is the function that does the work)."""


def recorded(args: argparse.Namespace, workspace: Workspace) -> Answer:
    """Do the command and record it; what cannot be recorded is not shown.

    Raises
    ------
    AuditError
        When the log cannot be written.
    """
    action = action_of_command(args.command)
    if action is None:
        answer: Answer = args.run(args, workspace)
        return answer
    try:
        answer = args.run(args, workspace)
    except BaseException:  # also a person's Ctrl+C: what was begun is recorded, and goes on to whoever tells it
        record(action, workspace, Outcome.FAILED, detail=args.command, **_about(args, {}))
        raise
    record(action, workspace, detail=args.command, **_about(args, answer.json))
    return answer


def _about(args: argparse.Namespace, answer: Mapping[str, Any]) -> dict[str, Any]:
    def text(*values: Any) -> str:
        return next((v for v in values if isinstance(v, str) and v), "")

    given = vars(args)
    patient = given.get("patient")
    counted = answer.get("patients")
    return {
        "cohort": text(answer.get("cohort"), given.get("cohort"), given.get("name")),
        "run": text(answer.get("run"), *(given.get(name) for name in _RUN)),
        "patient": text(patient if isinstance(patient, str) else "", answer.get("patient")),
        "count": counted if isinstance(counted, int) else len(counted) if isinstance(counted, list) else None,
    }
