"""Refusals in the audit log: each kind once a minute and person, so that nobody can fill the disk by asking."""

from __future__ import annotations

import threading
import time

from core.access.actor import Actor
from core.access.audit_entry import Action, Outcome
from core.access.record import record
from core.access.roles import Role
from core.results.workspace import Workspace

EVERY_SECONDS = 60.0
_told: dict[tuple[str, str, str], float] = {}
_lock = threading.Lock()


def note_refusal(workspace: Workspace, who: Actor | None, why: str, cohort: str = "") -> None:
    """Record that somebody was refused; None is somebody who is not known."""
    person = who or Actor("unknown", Role.NOBODY, frozenset(), "route")
    now, key = time.monotonic(), (person.user, why, cohort)
    with _lock:
        if now - _told.get(key, -EVERY_SECONDS) < EVERY_SECONDS:
            return
        if len(_told) > 10_000:
            _told.clear()
        _told[key] = now
    record(Action.ACCESS, workspace, Outcome.REFUSED, cohort=cohort, detail=why, who=person)
