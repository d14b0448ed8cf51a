"""Backups that the program makes by itself, at the click of a button: where they lie and what they are called."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

from core.care.backup import How, Made, Progress, backup
from core.errors import PrognoscopeError
from core.results.workspace import Workspace

VARIABLE = "PROGNOSCOPE_BACKUPS"
FOLDER = "backups"
PASSPHRASE = "PROGNOSCOPE_BACKUP_PASSPHRASE"  # noqa: S105  the name of a variable


def backup_folder(workspace: Workspace) -> Path:
    """``$PROGNOSCOPE_BACKUPS``, best on another disk; the workspace's own ``backups`` without it."""
    named = os.environ.get(VARIABLE, "")
    return Path(named).absolute() if named else workspace.root / FOLDER


def backup_here(workspace: Workspace, progress: Progress | None = None) -> Made:
    """Make a backup named by the moment, its protected part encrypted: by ``$PROGNOSCOPE_BACKUP_PASSPHRASE`` where that
    is set, else by a new key beside it."""
    folder = backup_folder(workspace)
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise PrognoscopeError("a folder that cannot be made", f"${VARIABLE}", "name one that can be") from error
    name = f"prognoscope-{datetime.now(UTC):%Y-%m-%d-%H%M%S}.zip"
    return backup(folder / name, workspace, How(passphrase=os.environ.get(PASSPHRASE, "")), progress)
