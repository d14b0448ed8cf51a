"""What of the audit log lies outside the workspace: its key, and how far it went. Whoever can write the workspace
alone can neither forge an entry nor cut off the end unnoticed."""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
from dataclasses import dataclass
from pathlib import Path

from core.errors import PrognoscopeError
from core.results.workspace import Workspace

STATE = "PROGNOSCOPE_STATE"
"""Environment variable that names the folder; else ``$XDG_STATE_HOME/prognoscope``, else ``~/.local/state/…``."""
_SLOT = 192
GENESIS = "0" * 64
"""The seal before the first entry."""


def state_folder(workspace: Workspace) -> Path:
    """The folder outside the workspace, readable by its owner only; made when it is missing.

    Raises
    ------
    PrognoscopeError
        When it lies in the workspace it is to watch over, or cannot be made.
    """
    named = os.environ.get(STATE)
    base = os.environ.get("XDG_STATE_HOME") or str(Path.home() / ".local" / "state")
    folder = (Path(named) if named else Path(base) / "prognoscope").resolve()
    if folder.is_relative_to(workspace.root.resolve()):
        raise PrognoscopeError("a folder inside the workspace", f"${STATE}", "name a folder outside the workspace")
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise PrognoscopeError(
            "no folder for the end of the audit log outside the workspace", f"${STATE}", "name one that can be written"
        ) from error
    return folder


@dataclass(frozen=True)
class Head:
    """The last entry that was written: its number and its seal."""

    number: int = 0
    mac: str = GENESIS


@dataclass(frozen=True)
class Anchor:
    """Key and head of one log, in ``<state>/audit/<log id>``."""

    folder: Path
    key: bytes

    @classmethod
    def known(cls, log_id: str, workspace: Workspace) -> Anchor | None:
        """The anchor of a log; None where this machine has never seen it."""
        folder = state_folder(workspace) / "audit" / log_id
        try:
            key = (folder / "key").read_bytes()
        except FileNotFoundError:
            return None
        if len(key) != 32:
            raise PrognoscopeError("a damaged key of the audit log", "the state folder", "restore it from a backup")
        return cls(folder, key)

    @classmethod
    def new(cls, log_id: str, earlier: str, workspace: Workspace) -> Anchor:
        """Make one for a new log; ``earlier`` names the log whose place it takes, empty for none."""
        folder = state_folder(workspace) / "audit" / log_id
        folder.mkdir(parents=True, mode=0o700)
        _write(folder / "earlier", earlier.encode())
        _write(folder / "key", secrets.token_bytes(32))
        found = cls.known(log_id, workspace)
        assert found is not None  # noqa: S101  just written
        return found

    @property
    def file(self) -> Path:
        """Where the head is kept."""
        return self.folder / "head"

    @property
    def earlier(self) -> str:
        """The log whose place this one took, empty for none."""
        path = self.folder / "earlier"
        return path.read_text() if path.is_file() else ""

    def head(self) -> Head:
        """The last entry recorded: of two slots the newer one that is whole."""
        data = self.file.read_bytes() if self.file.is_file() else b""
        slots = [self._read(data[i : i + _SLOT]) for i in (0, _SLOT)]
        return max((s for s in slots if s is not None), key=lambda s: s.number, default=Head())

    def move(self, head: Head) -> None:
        """Record a later head. The two slots are written in turn: a crash leaves the other one whole."""
        text = f"{head.number} {head.mac} {self._mark(head)}".encode().ljust(_SLOT - 1) + b"\n"
        handle = os.open(self.file, os.O_WRONLY | os.O_CREAT, 0o600)
        try:
            os.pwrite(handle, text, _SLOT * (head.number % 2))
        finally:
            os.close(handle)

    def _read(self, slot: bytes) -> Head | None:
        parts = slot.decode("ascii", errors="replace").split()
        if len(parts) != 3 or not parts[0].isdigit():
            return None
        head = Head(int(parts[0]), parts[1])
        return head if hmac.compare_digest(parts[2], self._mark(head)) else None

    def _mark(self, head: Head) -> str:
        return hmac.new(self.key, f"head {head.number} {head.mac}".encode(), hashlib.sha256).hexdigest()[:32]


def log_of_path(workspace: Workspace) -> str:
    """Id of the log that was last written for a workspace at this path, empty for none."""
    path = _by_path(workspace)
    return path.read_text() if path.is_file() else ""


def remember_path(workspace: Workspace, log_id: str) -> None:
    """From now on the workspace at this path has this log."""
    if log_of_path(workspace) != log_id:
        path = _by_path(workspace)
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        _write(path, log_id.encode())


def _by_path(workspace: Workspace) -> Path:
    name = hashlib.sha256(str(workspace.root.resolve()).encode()).hexdigest()[:32]
    return state_folder(workspace) / "audit-of-path" / name


def _write(path: Path, data: bytes) -> None:
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}.tmp")
    handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)  # on a full disk nothing of it stays behind
