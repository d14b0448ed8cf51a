"""Is the audit log whole? A quick look at its end for a status page, and the whole chain for who wants to know."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from core.access.audit_anchor import GENESIS, Anchor, Head, log_of_path
from core.access.audit_entry import AuditEntry, parse_line, seal
from core.access.audit_log import LOG, audit_folder, locked, read_id
from core.errors import PrognoscopeError
from core.results.workspace import Workspace


@dataclass(frozen=True)
class AuditState:
    """What a status page shows of the log.

    ``entries`` written so far · ``last`` the last one, None in an empty log · ``problem`` one sentence, empty when
    nothing was found · ``checked`` whether every entry was looked at, or only the end.
    """

    entries: int
    last: AuditEntry | None
    problem: str = ""
    checked: bool = False

    @property
    def good(self) -> bool:
        """Nothing was found."""
        return not self.problem


@dataclass(frozen=True)
class _Snapshot:
    anchor: Anchor | None
    head: Head
    file: Path
    size: int


def audit_state(workspace: Workspace) -> AuditState:
    """The end of the log against what is recorded outside the workspace: milliseconds, whatever its length.

    An edit further up is not found by this; :func:`verify` reads everything.
    """
    seen = _snapshot(workspace)
    if isinstance(seen, AuditState):
        return seen
    last, mac = _tail(seen)
    number = last.number if last is not None else 0
    problem = _of_end(seen.head, number, mac) or _of_earlier(seen)
    return AuditState(max(number, seen.head.number), last, problem)


def verify(workspace: Workspace) -> AuditState:
    """Check every entry: its number, its seal, and that the log goes as far as is recorded outside the workspace.

    Returns
    -------
    AuditState
        ``last`` is the last good entry: everything up to it is as it was written.
    """
    seen = _snapshot(workspace)
    if isinstance(seen, AuditState):
        return seen
    good: AuditEntry | None = None
    number, mac, problem = 0, GENESIS, ""
    assert seen.anchor is not None  # noqa: S101  a snapshot without one is already an answer
    for place, line in enumerate(_every_line(seen), start=1):
        try:
            entry, found = parse_line(line)
        except ValueError:
            problem = f"line {place} is no entry"
            break
        if entry.number != number + 1:
            problem = f"after entry {number} comes {entry.number}: entries were taken away or put in"
            break
        if found != seal(seen.anchor.key, mac, entry):
            problem = f"entry {entry.number} was altered, or the one before it taken away"
            break
        good, number, mac = entry, entry.number, found
    problem = problem or _of_end(seen.head, number, mac) or _of_earlier(seen)
    return AuditState(number, good, problem, checked=True)


def _every_line(seen: _Snapshot) -> Iterator[bytes]:
    if not seen.size:
        return
    with seen.file.open("rb") as stream:
        while stream.tell() < seen.size:  # entries added meanwhile are not looked at
            yield stream.readline().rstrip(b"\n")


def _snapshot(workspace: Workspace) -> _Snapshot | AuditState:
    """Anchor, head and size that belong together; an answer where there is nothing to compare."""
    log_id, before = read_id(workspace), log_of_path(workspace)
    if not log_id:
        if not before:
            return AuditState(0, None)
        return AuditState(0, None, "the audit log of this workspace is gone; a later one would begin anew")
    file = audit_folder(workspace) / LOG
    anchor = Anchor.known(log_id, workspace)
    if anchor is None:
        words = (
            "this workspace has another audit log than the one last written here"
            if before
            else "the audit log was written on another machine, whose key is not here"
        )
        return AuditState(0, None, f"{words}: it cannot be checked")
    try:
        with locked(workspace):
            head, size = anchor.head(), file.stat().st_size if file.is_file() else 0
    except OSError as error:
        raise PrognoscopeError("the audit log cannot be locked", "the protected part", "check its rights") from error
    if before and before != log_id:
        return AuditState(0, None, "this workspace has another audit log than the one last written here")
    return _Snapshot(anchor, head, file, size)


def _tail(seen: _Snapshot) -> tuple[AuditEntry | None, str]:
    if not seen.size:
        return None, GENESIS
    with seen.file.open("rb") as stream:
        stream.seek(max(0, seen.size - (1 << 14)))
        line = stream.read(1 << 14).rstrip(b"\n").rpartition(b"\n")[2]
    try:
        return parse_line(line)
    except ValueError:
        return None, "unreadable"


def _of_end(head: Head, number: int, mac: str) -> str:
    if number < head.number:
        missing = (
            f"entry {head.number} is" if head.number == number + 1 else f"entries {number + 1} to {head.number} are"
        )
        return f"{missing} missing at the end"
    if number == head.number and mac != head.mac:
        return f"entry {number} is not the one that was written"
    return ""


def _of_earlier(seen: _Snapshot) -> str:
    assert seen.anchor is not None  # noqa: S101
    earlier = seen.anchor.earlier
    if not earlier:
        return ""
    old = seen.anchor.folder.parent / earlier
    where = "its entries cannot be checked here" if not (old / "key").is_file() else "its entries are gone"
    return f"this log took the place of an earlier one ({earlier}): {where}"
