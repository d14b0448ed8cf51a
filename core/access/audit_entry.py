"""One line of the audit log: who did what to which pseudonym, when, and how it ended. Never a word of free text."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from core.errors import PrognoscopeError

_WHO = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@+:|-]{0,127}")
_PSEUDONYM = re.compile(r"(?:P|SYN)-[0-9A-Z]{4,52}")
_NAME = re.compile(r"(?=[^a-z]*[a-z])[a-z0-9][a-z0-9_-]{0,63}")  # with a letter: a date or a number is no name
_WORD = re.compile(r"[a-z][a-z0-9-]{0,31}")
HIDDEN = "hidden-"
"""How a name begins that did not look like one: a keyed hash stands for it."""


class Action(StrEnum):
    """What was done. The list is closed: a SIEM can count on it."""

    LOGIN = "login"
    LOGOUT = "logout"
    IDLE_LOGOUT = "idle-logout"
    ACCESS = "access"
    """A page, a route or a task that was asked for and refused."""
    COHORT_OPENED = "cohort-opened"
    PATIENT_OPENED = "patient-opened"
    PATIENT_SCORED = "patient-scored"
    EXPLANATION = "explanation"
    EXPORT = "export"
    IMPORT = "import"
    TRAIN = "train"
    COMPUTE = "compute"
    """Encoding, audits, estimates and other work on patients' data that trains nothing."""
    BOARD_CHANGED = "board-changed"
    DELETE = "delete"
    ERASE = "erase"
    BACKUP = "backup"
    RESTORE = "restore"
    GRANTS_CHANGED = "grants-changed"
    AUDIT_READ = "audit-read"
    COMMAND = "command"
    """Another command of the command line that reads patients' data."""
    LOG_CONTINUED = "log-continued"
    """The first entry of a log that stands in the place of an earlier one."""
    LOG_MENDED = "log-mended"
    """A line that a crash had cut short was taken away."""


class Outcome(StrEnum):
    """How it ended."""

    DONE = "done"
    REFUSED = "refused"
    FAILED = "failed"


@dataclass(frozen=True)
class AuditEntry:
    """One entry.

    Parameters
    ----------
    number : int
        1, 2, 3 … without a gap.
    at : str
        UTC, ISO 8601 with milliseconds.
    who, role : str
        The person (``local:NAME`` is who runs the program on this machine) and the role acted in.
    through : str
        ``page``, ``route``, ``worker`` or ``cli``.
    action : Action
    outcome : Outcome
    cohort, run, patient : str
        Names and a pseudonym; empty when none is concerned.
    count : int or None
        How many patients were concerned, where that is known.
    detail : str
        What kind, from a small vocabulary (a task's, a command's or a file type's name); never a sentence.
    """

    number: int
    at: str
    who: str
    role: str
    through: str
    action: Action
    outcome: Outcome
    cohort: str = ""
    run: str = ""
    patient: str = ""
    count: int | None = None
    detail: str = ""

    def as_json(self) -> dict[str, Any]:
        """Plain values, without empty ones."""
        return {k: v for k, v in asdict(self).items() if v not in ("", None)}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> AuditEntry:
        """Rebuild from :meth:`as_json`; raises ``ValueError`` for anything else."""
        try:
            given = dict(value) | {"action": Action(value["action"]), "outcome": Outcome(value["outcome"])}
            return cls(**given)
        except (KeyError, TypeError) as error:
            raise ValueError("no entry of an audit log") from error


def now() -> str:
    """This moment as an entry has it."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def without_free_text(entry: AuditEntry, key: bytes) -> AuditEntry:
    """The entry with a keyed hash in the place of everything that is not a name of the expected form.

    What a caller passes by mistake (an original id, a file name, a sentence) then never reaches the disk, and the same
    thing can still be recognised as the same.
    """

    def name(value: str, pattern: re.Pattern[str]) -> str:
        if not value or pattern.fullmatch(value) or value.startswith(HIDDEN):
            return value
        return HIDDEN + hmac.new(key, value.encode(), hashlib.sha256).hexdigest()[:16]

    if entry.count is not None and not isinstance(entry.count, int):
        raise PrognoscopeError("a count that is no number", "an entry of the audit log", "report it")
    return AuditEntry(
        entry.number, entry.at, name(entry.who, _WHO), name(entry.role, _WORD), name(entry.through, _WORD),
        Action(entry.action), Outcome(entry.outcome), name(entry.cohort, _NAME), name(entry.run, _NAME),
        name(entry.patient, _PSEUDONYM), entry.count, name(entry.detail, _WORD),
    )  # fmt: skip


def canonical(entry: AuditEntry) -> str:
    """The text that is sealed: sorted keys, no spaces."""
    return json.dumps(entry.as_json(), sort_keys=True, separators=(",", ":"), ensure_ascii=True)


def seal(key: bytes, before: str, entry: AuditEntry) -> str:
    """HMAC-SHA-256 over the seal of the entry before and this entry, in hex: a chain that only the key can make."""
    return hmac.new(key, f"{before}\n{canonical(entry)}".encode(), hashlib.sha256).hexdigest()


def line_of(entry: AuditEntry, mac: str) -> bytes:
    """The entry as it lies on disk, its seal at the end."""
    return f'{canonical(entry)[:-1]},"seal":"{mac}"}}\n'.encode()


def parse_line(line: bytes) -> tuple[AuditEntry, str]:
    """Entry and seal of a line; raises ``ValueError`` for anything else."""
    value = json.loads(line)
    if not isinstance(value, dict) or not isinstance(value.get("seal"), str):
        raise ValueError("no line of an audit log")
    mac = value.pop("seal")
    return AuditEntry.from_json(value), mac
