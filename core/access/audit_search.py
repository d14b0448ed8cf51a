"""Entries of the audit log by who, what, whom and when."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from core.access.audit_entry import Action, AuditEntry, Outcome, parse_line
from core.access.audit_log import LOG, audit_folder
from core.results.workspace import Workspace


@dataclass(frozen=True)
class Wanted:
    """What an entry must be; an empty field asks for nothing. ``since`` and ``until`` compare as ISO text in UTC,
    ``until`` with the day or moment it names included."""

    who: str = ""
    action: str = ""
    outcome: str = ""
    cohort: str = ""
    run: str = ""
    patient: str = ""
    since: str = ""
    until: str = ""

    def fits(self, entry: AuditEntry) -> bool:
        """Whether the entry is one of them."""
        same = all(
            not wanted or wanted == getattr(entry, name)
            for name, wanted in (
                ("who", self.who), ("action", self.action and Action(self.action)),
                ("outcome", self.outcome and Outcome(self.outcome)), ("cohort", self.cohort), ("run", self.run),
                ("patient", self.patient),
            )
        )  # fmt: skip
        return same and self.since <= entry.at and (not self.until or entry.at[: len(self.until)] <= self.until)


def entries(workspace: Workspace, wanted: Wanted | None = None) -> Iterator[AuditEntry]:
    """Entries in the order they were written. Lines that are none are left out: :func:`verify` names them."""
    path = audit_folder(workspace) / LOG
    if not path.is_file():
        return
    with path.open("rb") as stream:
        for line in stream:
            try:
                entry, _ = parse_line(line)
            except ValueError:
                continue
            if wanted is None or wanted.fits(entry):
                yield entry


def latest(workspace: Workspace, wanted: Wanted | None = None, most: int = 200) -> list[AuditEntry]:
    """The newest first, at most ``most`` of them."""
    found = list(entries(workspace, wanted))
    return found[-most:][::-1]
