"""One dashboard a workspace: a second server is told so in one sentence instead of starting."""

from __future__ import annotations

import os

from core.errors import PrognoscopeError
from core.jobs.lock import ProcessLock, is_held
from core.results.files import write_bytes
from core.results.trouble import disk_trouble
from core.results.workspace import Workspace

LOCK, NAME = ".server.lock", ".server"
PATIENCE = 5.0
"""Seconds a server that is just ending is given to let go."""


def hold_workspace(workspace: Workspace) -> ProcessLock | None:
    """Take the workspace for this server, for as long as its process lives; None where nothing can be written, so that
    a second server cannot do harm either.

    Raises
    ------
    PrognoscopeError
        When another server has it.
    """
    lock = ProcessLock(workspace.root / LOCK)
    try:
        if not lock.take(PATIENCE):
            raise _taken(workspace)
        write_bytes(workspace.root / NAME, str(os.getpid()).encode())
    except OSError as error:
        if disk_trouble(error) is None:
            raise
        lock.release()
        return None
    return lock


def check_free(workspace: Workspace) -> None:
    """Raise when a server holds the workspace."""
    if is_held(workspace.root / LOCK):
        raise _taken(workspace)


def _taken(workspace: Workspace) -> PrognoscopeError:
    path = workspace.root / NAME
    number = path.read_text(encoding="utf-8").strip() if path.is_file() else ""
    who = f"another Prognoscope server (process {number})" if number.isdigit() else "another Prognoscope server"
    return PrognoscopeError(
        f"{who} that serves this workspace", "the workspace",
        "open the dashboard that is there, stop it first, or name another workspace in PROGNOSCOPE_WORKSPACE",
    )  # fmt: skip
