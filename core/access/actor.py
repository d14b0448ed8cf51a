"""Who is acting: the person at a page, the submitter of a job, or whoever runs the program on this machine.

Where a web server runs, it says who is asking (:func:`ask_for_actor`); code that nobody stands behind there is
``NOBODY`` and may do nothing. On the command line it is the operator, who owns the files anyway.
"""

from __future__ import annotations

import os
import pwd
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

from core.access.roles import MAY, Permission, Role
from core.errors import PrognoscopeError


class NotAllowedError(PrognoscopeError):
    """Somebody asked for what the role or the grants do not allow."""


@dataclass(frozen=True)
class Actor:
    """A person in a role.

    Parameters
    ----------
    user : str
        The name in the audit log: ``local:NAME`` or what the login provider says.
    role : Role
    cohorts : frozenset of str, or None
        Cohorts that may be seen; None = all of them.
    through : str
        ``page``, ``route``, ``worker`` or ``cli``.
    """

    user: str
    role: Role
    cohorts: frozenset[str] | None = None
    through: str = "cli"

    def may(self, permission: Permission) -> bool:
        """Whether the role allows it."""
        return permission in MAY[self.role]

    def may_see(self, cohort: str) -> bool:
        """Whether the cohort is among the granted ones."""
        return self.may(Permission.READ) and (self.cohorts is None or cohort in self.cohorts)


NOBODY = Actor("nobody", Role.NOBODY, frozenset(), "page")

_forced: ContextVar[Actor | None] = ContextVar("prognoscope_actor", default=None)
_source: Callable[[], Actor] | None = None


def operator(through: str = "cli") -> Actor:
    """Who runs this process: may do everything, for the files are theirs."""
    try:
        name = pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        name = str(os.getuid())
    return Actor(f"local:{name}", Role.ADMIN, None, through)


def actor() -> Actor:
    """Who is acting now."""
    forced = _forced.get()
    if forced is not None:
        return forced
    return _source() if _source is not None else operator()


def ask_for_actor(source: Callable[[], Actor] | None) -> None:
    """From now on this process asks ``source`` who is acting (the pages of a web server); None: nobody is asked."""
    global _source
    _source = source


@contextmanager
def acting(who: Actor) -> Iterator[None]:
    """Within the block, in this thread, it is ``who`` that acts."""
    token = _forced.set(who)
    try:
        yield
    finally:
        _forced.reset(token)


def require(permission: Permission, cohorts: Iterable[str] = ()) -> Actor:
    """The actor, when allowed to do this to all of these cohorts.

    Raises
    ------
    NotAllowedError
        Else. A cohort that may not be seen is spoken of like one that does not exist.
    """
    who = actor()
    if not who.may(permission):
        raise NotAllowedError(
            f"the role {who.role} does not allow to {permission}", "the grants", "ask an administrator for it"
        )
    if not all(who.may_see(cohort) for cohort in cohorts):
        raise NotAllowedError("no such cohort", "the cohorts granted to you", "ask an administrator for it")
    return who
