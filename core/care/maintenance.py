"""One act of care at a time: a backup, an erasure, an upgrade each see a workspace that no other is changing."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from core.errors import PrognoscopeError
from core.jobs.lock import ProcessLock
from core.results.workspace import Workspace

LOCK = ".care.lock"


@contextmanager
def alone(workspace: Workspace, what: str, patience: float = 5.0) -> Iterator[None]:
    """Hold the workspace for an act of care; raises when another one is going on for longer than ``patience``."""
    lock = ProcessLock(workspace.root / LOCK)
    if not lock.take(patience):
        raise PrognoscopeError(
            "a backup, erasure or upgrade that is going on", "the workspace", f"wait until it has ended, then {what}"
        )
    try:
        yield
    finally:
        lock.release()
