"""Who is logged in: every login is known to the server, ends with it, and ends by itself when nobody is there.

The cookie that a login leaves in the browser says who somebody is and is good for weeks. It opens nothing here unless
this server wrote its login down, and nothing any more once the session has ended. Kept in SQLite in the protected part
of the workspace, so that a restart and a second server know the same; cookies themselves are kept as hashes.
"""

from __future__ import annotations

import hashlib
import os
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace

from core.access.roles import Role
from core.access.settings import AccessSettings
from core.results.workspace import Workspace

COOKIE = "_streamlit_user"
"""The identity cookie of the login; a large one goes on in ``_streamlit_user_1``, ``_2`` …"""
LOOK_SECONDS, WRITE_SECONDS = 3.0, 10.0
"""How long what was read is believed, and how often activity is written down."""
LOGGED_OUT, IDLE, TOO_LONG, REPLACED = "logged-out", "idle", "too-long", "replaced"


def session_id(cookies: Mapping[str, str]) -> str:
    """A hash of the whole identity cookie; empty where there is none."""
    main = cookies.get(COOKIE)
    if not main:
        return ""
    more = {int(n[len(COOKIE) + 1 :]): v for n, v in cookies.items() if _is_part(n)}
    return hashlib.sha256("\0".join([main, *(more[k] for k in sorted(more))]).encode()).hexdigest()


def _is_part(name: str) -> bool:
    return name.startswith(f"{COOKIE}_") and name[len(COOKIE) + 1 :].isdigit() and len(name) < len(COOKIE) + 5


@dataclass(frozen=True)
class Session:
    """A login.

    ``role`` what a claim gave (NOBODY: look at the grants) · ``started``, ``seen`` seconds of the clock · ``ended``
    why, empty while it lasts.
    """

    id: str
    user: str
    role: Role
    started: float
    seen: float
    ended: str = ""


class Sessions:
    """The logins of a workspace; safe to be asked from several threads."""

    def __init__(self, workspace: Workspace, settings: AccessSettings) -> None:
        self.path = workspace.protected / "sessions.sqlite"
        self.settings = settings
        self.tell_end: Callable[[Session], None] = lambda session: None
        """Called once for each session that ends, by whatever process sees it first."""
        self._lock = threading.Lock()
        self._known: dict[str, tuple[float, float, Session]] = {}
        """Id → when it was read, when its activity was written, the session."""

    def begin(self, key: str, user: str, role: Role) -> Session:
        """Write a login down."""
        now = time.time()
        session = Session(key, user, role, now, now)
        with self._lock, self._database() as connection:
            connection.execute(
                "INSERT OR REPLACE INTO sessions VALUES (?, ?, ?, ?, ?, '')", (key, user, str(role), now, now)
            )
            connection.execute("DELETE FROM sessions WHERE started < ?", (now - 90 * 86400,))
            self._known[key] = (now, now, session)
        return session

    def get(self, key: str) -> Session | None:
        """The session, ended ones with the reason; None for one that was never written down here.

        A session whose time is over is ended by being asked for.
        """
        if not key:
            return None
        now = time.time()
        with self._lock:
            session = self._read(key, now)
            if session is None or session.ended:
                return session
            reason = ""
            if now - session.seen > 60 * self.settings.idle_minutes:
                session = self._read(key, now, anew=True) or session  # another server may have seen activity
                reason = IDLE if now - session.seen > 60 * self.settings.idle_minutes else ""
            if now - session.started > 3600 * self.settings.longest_hours:
                reason = TOO_LONG
            return self._end(session, reason) if reason else session

    def touch(self, key: str) -> None:
        """The person did something."""
        now = time.time()
        with self._lock:
            found = self._known.get(key)
            if found is None or found[2].ended:
                return
            read, written, session = found
            if now - written >= min(WRITE_SECONDS, 6 * self.settings.idle_minutes):
                with self._database() as connection:
                    connection.execute("UPDATE sessions SET seen = ? WHERE id = ? AND ended = ''", (now, key))
                written = now
            self._known[key] = (read, written, replace(session, seen=now))

    def end(self, key: str, reason: str = LOGGED_OUT) -> Session | None:
        """End a session; None when there was none that lasted."""
        with self._lock:
            session = self._read(key, time.time(), anew=True)
            return None if session is None or session.ended else self._end(session, reason)

    def _end(self, session: Session, reason: str) -> Session:
        with self._database() as connection:
            changed = connection.execute(
                "UPDATE sessions SET ended = ? WHERE id = ? AND ended = ''", (reason, session.id)
            ).rowcount
        ended = replace(session, ended=reason)
        self._known[session.id] = (time.time(), time.time(), ended)
        if changed:
            self.tell_end(ended)
        return ended

    def _read(self, key: str, now: float, anew: bool = False) -> Session | None:
        found = self._known.get(key)
        if found is not None and not anew and (now - found[0] < LOOK_SECONDS or found[2].ended):
            return found[2]
        with self._database() as connection:
            row = connection.execute("SELECT * FROM sessions WHERE id = ?", (key,)).fetchone()
        if row is None:
            self._known.pop(key, None)
            return None
        seen = max(row[4], found[2].seen) if found is not None else row[4]
        session = Session(row[0], row[1], Role(row[2]), row[3], seen, row[5])
        self._known[key] = (now, found[1] if found is not None else row[4], session)
        return session

    @contextmanager
    def _database(self) -> Iterator[sqlite3.Connection]:
        new = not self.path.is_file()
        if new:
            self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            os.close(os.open(self.path, os.O_WRONLY | os.O_CREAT, 0o600))
        connection = sqlite3.connect(self.path, timeout=10)
        try:
            if new or not connection.execute("SELECT 1 FROM sqlite_master").fetchone():
                connection.execute(
                    "CREATE TABLE IF NOT EXISTS sessions (id TEXT PRIMARY KEY, user TEXT NOT NULL, role TEXT NOT NULL, "
                    "started REAL NOT NULL, seen REAL NOT NULL, ended TEXT NOT NULL)"
                )
            yield connection
            connection.commit()
        finally:
            connection.close()
