"""Who may see what: a file in the protected part of the workspace that only administrators change."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from core.access.actor import require
from core.access.audit_entry import Action
from core.access.audit_log import locked
from core.access.record import record
from core.access.roles import Permission, Role
from core.errors import PrognoscopeError
from core.results.files import read_json, write_json
from core.results.workspace import Workspace, checked_name

ALL = "*"
_USER = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@+:|-]{0,127}")


@dataclass(frozen=True)
class Grant:
    """A person's role, and the cohorts that may be seen; None = all, also those to come."""

    role: Role
    cohorts: frozenset[str] | None = None

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        return {"role": str(self.role), "cohorts": [ALL] if self.cohorts is None else sorted(self.cohorts)}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Grant:
        cohorts = [str(c) for c in value["cohorts"]]
        return cls(Role(value["role"]), None if ALL in cohorts else frozenset(cohorts))


@dataclass(frozen=True)
class Grants:
    """All grants, by person."""

    users: Mapping[str, Grant] = field(default_factory=dict)


def grants_file(workspace: Workspace) -> Path:
    """Where they lie."""
    return workspace.protected / "grants.json"


def load_grants(workspace: Workspace) -> Grants:
    """The grants as they are now; none where there is no file.

    Raises
    ------
    PrognoscopeError
        For a file that cannot be understood: then nobody has a grant.
    """
    path = grants_file(workspace)
    try:
        found = path.stat()
    except FileNotFoundError:
        return Grants()
    return _read(path, found.st_mtime_ns, found.st_ino)


@lru_cache(maxsize=4)
def _read(path: Path, changed: int, inode: int) -> Grants:
    """Asked for with every tile: read again only after it changed."""
    try:
        users = {str(name): Grant.from_json(value) for name, value in read_json(path)["users"].items()}
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise PrognoscopeError(
            "grants that cannot be understood", path.name, "restore the file from a backup, or grant anew"
        ) from error
    return Grants(users)


def set_grant(user: str, grant: Grant | None, workspace: Workspace) -> Grants:
    """Give a person this grant, or take it away (None). For administrators; it is recorded before it holds.

    Raises
    ------
    NotAllowedError, PrognoscopeError
        For anybody else; for a name that cannot be one, or a cohort that cannot be.
    """
    require(Permission.GRANT)
    user = user.casefold() if "@" in user else user  # as the login gives an e-mail address
    if not _USER.fullmatch(user):
        raise PrognoscopeError(
            f"the name {user!r} cannot be used", "the grants", "use the name as the login provider gives it"
        )
    if grant is not None:
        for cohort in grant.cohorts or ():
            checked_name(cohort, "cohort name")
        if grant.role is Role.NOBODY:
            grant = None
    record(Action.GRANTS_CHANGED, workspace, detail=str(grant.role) if grant is not None else "taken-away")
    return _changed(user, grant, workspace)


def add_own_cohort(user: str, cohort: str, workspace: Workspace) -> None:
    """Whoever imported a cohort may see it, also when the grant names cohorts one by one."""
    known = load_grants(workspace).users.get(user)
    if known is None or known.cohorts is None or cohort in known.cohorts:
        return
    record(Action.GRANTS_CHANGED, workspace, cohort=cohort, detail="own-cohort")
    _changed(user, replace(known, cohorts=known.cohorts | {cohort}), workspace)


def _changed(user: str, grant: Grant | None, workspace: Workspace) -> Grants:
    with locked(workspace):  # two administrators at once do not lose each other's grants
        users = dict(load_grants(workspace).users)
        if grant is None:
            users.pop(user, None)
        else:
            users[user] = grant
        write_json(grants_file(workspace), {"users": {name: g.as_json() for name, g in sorted(users.items())}})
        grants_file(workspace).chmod(0o600)
    return Grants(users)
