"""Writing to the audit log in the name of whoever is acting."""

from __future__ import annotations

from core.access.actor import Actor, actor
from core.access.audit_entry import Action, AuditEntry, Outcome
from core.access.audit_log import append
from core.results.workspace import Workspace


def record(
    action: Action,
    workspace: Workspace,
    outcome: Outcome = Outcome.DONE,
    *,
    cohort: str = "",
    run: str = "",
    patient: str = "",
    count: int | None = None,
    detail: str = "",
    who: Actor | None = None,
) -> AuditEntry:
    """Add an entry about what the actor does.

    Parameters
    ----------
    who : Actor or None
        None: :func:`core.access.actor.actor`.
    cohort, run, patient, count, detail
        As in :class:`core.access.audit_entry.AuditEntry`.

    Raises
    ------
    AuditError
        When the log cannot be written: what was to be recorded must then not be done.
    """
    person = who or actor()
    entry = AuditEntry(
        0, "", person.user, str(person.role), person.through, action, outcome, cohort, run, patient, count, detail
    )  # fmt: skip
    return append(workspace, entry)
