"""From a login to an actor: the session, the role by claim or by grant, and the cohorts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from core.access.actor import NOBODY, Actor
from core.access.audit_entry import Action, Outcome
from core.access.grants import load_grants
from core.access.record import record
from core.access.roles import Role
from core.access.sessions import IDLE, LOGGED_OUT, REPLACED, TOO_LONG, Session, Sessions, session_id
from core.access.settings import AccessSettings
from core.errors import PrognoscopeError
from core.results.workspace import Workspace

UNKNOWN = "unknown"
"""Who somebody is in the audit log whose login said no name."""


@dataclass(frozen=True)
class Logins:
    """What a server with login knows of who is there."""

    workspace: Workspace
    settings: AccessSettings
    sessions: Sessions
    several_providers: bool = False

    @classmethod
    def of(cls, workspace: Workspace, settings: AccessSettings, several_providers: bool = False) -> Logins:
        """Of a workspace."""
        logins = cls(workspace, settings, Sessions(workspace, settings), several_providers)
        logins.sessions.tell_end = logins.tell_end
        return logins

    def begin(self, cookies: Mapping[str, str], claims: Mapping[str, Any], before: Mapping[str, str]) -> Actor:
        """Somebody logged in; ``before`` are the cookies the browser came with, whose session ends.

        Who has no grant is recorded as refused and is ``NOBODY``, by name.
        """
        self.end(before, REPLACED)
        user = self.settings.user_of(claims, self.several_providers)
        if not user:
            record(Action.LOGIN, self.workspace, Outcome.REFUSED, who=_person(UNKNOWN, Role.NOBODY), detail="no-name")
            return NOBODY
        session = Session(session_id(cookies), user, self.settings.role_of(claims), 0.0, 0.0)
        who = self.actor_of(session)
        outcome = Outcome.REFUSED if who.role is Role.NOBODY else Outcome.DONE
        record(Action.LOGIN, self.workspace, outcome, who=who, detail="" if outcome is Outcome.DONE else "no-grant")
        self.sessions.begin(session.id, user, session.role)
        return who

    def failed(self) -> None:
        """A login came back from the provider without a person."""
        record(Action.LOGIN, self.workspace, Outcome.FAILED, who=_person(UNKNOWN, Role.NOBODY))

    def find(self, cookies: Mapping[str, str]) -> Session | None:
        """The session behind these cookies; one that is over has its reason."""
        return self.sessions.get(session_id(cookies))

    def end(self, cookies: Mapping[str, str], reason: str = LOGGED_OUT) -> None:
        """Somebody left, or is seen to have been away for too long."""
        self.sessions.end(session_id(cookies), reason)

    def tell_end(self, session: Session) -> None:
        """Record that a session is over."""
        action = Action.IDLE_LOGOUT if session.ended in (IDLE, TOO_LONG) else Action.LOGOUT
        record(action, self.workspace, who=self.actor_of(session), detail=session.ended)

    def actor_of(self, session: Session, through: str = "page") -> Actor:
        """The person in the role that holds now: an entry in the grants goes before a claim."""
        try:
            grant = load_grants(self.workspace).users.get(session.user)
        except PrognoscopeError:  # nobody is let in on grants that cannot be read; a page of an administrator says so
            return Actor(session.user, Role.NOBODY, frozenset(), through)
        if grant is not None:
            return Actor(session.user, grant.role, grant.cohorts, through)
        if session.role is not Role.NOBODY:
            return Actor(session.user, session.role, self.settings.cohorts, through)
        return Actor(session.user, Role.NOBODY, frozenset(), through)

    def actor(self, cookies: Mapping[str, str], through: str = "page") -> Actor:
        """Who is behind these cookies; ``NOBODY`` when the session is over or never was."""
        session = self.find(cookies)
        return NOBODY if session is None or session.ended else self.actor_of(session, through)


def _person(user: str, role: Role) -> Actor:
    return Actor(user, role, frozenset(), "page")
