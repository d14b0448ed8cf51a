"""The audit log of a workspace: one file that is only ever added to, each entry sealed together with all before it.

Several processes write it: each entry is added under a lock of the file and is with the system before the call returns.
A log that cannot be written stops what was to be recorded: it raises, and nobody goes on unrecorded.
"""

from __future__ import annotations

import fcntl
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from core.access.audit_anchor import Anchor, Head, log_of_path, remember_path
from core.access.audit_entry import Action, AuditEntry, Outcome, line_of, now, parse_line, seal, without_free_text
from core.access.audit_sync import bring_to_disk
from core.errors import PrognoscopeError
from core.results.workspace import Workspace

LOG, ID = "log.jsonl", "id"
_LINE, _TAIL = 1 << 10, 1 << 20
"""Bytes read from the end: for the last line, which has less than 1 kB, and for all that a power cut may leave unsaid
outside the workspace."""


class AuditError(PrognoscopeError):
    """The audit log could not be written, so what was to be recorded was not done."""


def audit_folder(workspace: Workspace) -> Path:
    """Where the log lies: in the protected part of the workspace."""
    return workspace.protected / "audit"


@dataclass(frozen=True)
class _Open:
    """The log while its lock is held."""

    file: Path
    anchor: Anchor


@contextmanager
def locked(workspace: Workspace) -> Iterator[None]:
    """Nobody else adds an entry meanwhile. Makes the folder."""
    folder = audit_folder(workspace)
    for path in (workspace.protected, folder):
        path.mkdir(parents=True, exist_ok=True, mode=0o700)
    handle = os.open(folder / "lock", os.O_WRONLY | os.O_CREAT, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)  # also lets go of the lock


def append(workspace: Workspace, entry: AuditEntry) -> AuditEntry:
    """Add an entry; its number, its time and its seal are given here.

    Returns
    -------
    AuditEntry
        As it was written.

    Raises
    ------
    AuditError
        When it could not be written; the log is then as it was.
    """
    try:
        with locked(workspace):
            found, first = _opened(workspace)
            if first is not None:
                _add(found, first)
            return _add(found, entry)
    except OSError as error:
        raise AuditError(
            f"the audit log cannot be written ({error.strerror or type(error).__name__})",
            "the protected part of the workspace",
            "free space or restore the right to write there; nothing is done unrecorded",
        ) from error


def _opened(workspace: Workspace) -> tuple[_Open, AuditEntry | None]:
    """The log to add to; with it the first entry of one that takes another's place."""
    folder = audit_folder(workspace)
    log_id = read_id(workspace)
    anchor = Anchor.known(log_id, workspace) if log_id else None
    if anchor is not None:
        remember_path(workspace, log_id)
        return _Open(folder / LOG, anchor), None
    earlier = log_id or log_of_path(workspace)
    if (folder / LOG).is_file():  # its key is not on this machine: kept as it is, a new one begins
        (folder / LOG).replace(folder / f"log-{earlier or secrets.token_hex(4)}.jsonl")
    log_id = secrets.token_hex(8)
    anchor = Anchor.new(log_id, earlier, workspace)
    _write_id(folder / ID, log_id)
    remember_path(workspace, log_id)
    first = blank("local", "system", Action.LOG_CONTINUED) if earlier else None
    return _Open(folder / LOG, anchor), first


def read_id(workspace: Workspace) -> str:
    """The id of the workspace's log, empty when it has none."""
    try:
        text = (audit_folder(workspace) / ID).read_text(encoding="ascii").strip()
    except (FileNotFoundError, UnicodeDecodeError):
        return ""
    return text if len(text) == 16 and all(c in "0123456789abcdef" for c in text) else ""


def blank(who: str, role: str, action: Action, through: str = "system") -> AuditEntry:
    """An entry without number and time."""
    return AuditEntry(0, "", who, role, through, action, Outcome.DONE)


def _add(log: _Open, entry: AuditEntry) -> AuditEntry:
    handle = os.open(log.file, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        head = _mended(log, handle)
        written = without_free_text(replace(entry, number=head.number + 1, at=now()), log.anchor.key)
        mac = seal(log.anchor.key, head.mac, written)
        _write_whole(handle, line_of(written, mac))
    finally:
        os.close(handle)
    log.anchor.move(Head(written.number, mac))
    bring_to_disk(log.file, log.anchor.file)
    return written


def _mended(log: _Open, handle: int) -> Head:
    """The entry to go on from, after a line that a crash cut short was taken away, which is recorded."""
    size = os.fstat(handle).st_size
    tail = os.pread(handle, _LINE, max(0, size - _LINE))
    head = log.anchor.head()
    if not tail or tail.endswith(f'"{head.mac}"}}\n'.encode()):
        return head
    tail = os.pread(handle, _TAIL, max(0, size - _TAIL))
    if tail.endswith(b"\n"):
        return _last(log.anchor, tail)
    whole = tail.rfind(b"\n") + 1
    os.ftruncate(handle, size - len(tail) + whole)
    head = _last(log.anchor, tail[:whole])
    note = replace(blank("local", "system", Action.LOG_MENDED), number=head.number + 1, at=now())
    mac = seal(log.anchor.key, head.mac, note)
    _write_whole(handle, line_of(note, mac))
    return Head(note.number, mac)


def _last(anchor: Anchor, tail: bytes) -> Head:
    """What the next entry is chained to.

    The recorded head, whatever the file says: entries added after a cut then leave the gap open for everybody to see.
    Only entries that follow the head with the right seal, written before a crash could record them, carry it on.
    """
    head = anchor.head()
    for line in tail.splitlines():
        try:
            entry, mac = parse_line(line)
        except ValueError:
            continue
        if entry.number == head.number + 1 and mac == seal(anchor.key, head.mac, entry):
            head = Head(entry.number, mac)
    return head


def _write_whole(handle: int, line: bytes) -> None:
    """All of it on disk, or nothing."""
    size = os.fstat(handle).st_size
    try:
        written = os.write(handle, line)
        if written != len(line):
            raise OSError(28, "no space left")
    except OSError:
        os.ftruncate(handle, size)
        raise


def _write_id(path: Path, text: str) -> None:
    temporary = path.with_name(f".{path.name}.tmp")
    try:
        temporary.write_text(text, encoding="ascii")
        temporary.chmod(0o600)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)  # on a full disk nothing of it stays behind
