"""Acts with planted faults, killed in processes of their own."""

from __future__ import annotations

from pathlib import Path

from core.results.files import write_bytes
from core.results.workspace import Workspace
from core.tasks.fault_acts import REPORT

TEXT = b"a report of two halves"


def sound(workspace: Workspace, study: Path) -> None:
    """Nothing is wrong with it."""
    write_bytes(workspace.root / REPORT, TEXT)


def in_place(workspace: Workspace, study: Path) -> None:
    """Writes a file half by half where it is read."""
    (workspace.root / REPORT).write_bytes(TEXT[:9])
    with (workspace.root / REPORT).open("ab") as stream:
        stream.write(TEXT[9:])


def never_ready(workspace: Workspace, study: Path) -> None:
    """Done again, it adds to what an earlier attempt left."""
    mark = workspace.root / "begun"
    begun = mark.exists()
    mark.touch()
    write_bytes(workspace.root / REPORT, TEXT * (1 + begun))
