"""The SQLite file of the queue: made whole, opened for moments, in WAL mode so that readers never wait for writers."""

from __future__ import annotations

import os
import sqlite3
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from core.errors import PrognoscopeError
from core.results.trouble import disk_trouble

SCHEMA = """
CREATE TABLE jobs (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    task TEXT NOT NULL,
    title TEXT NOT NULL,
    arguments TEXT NOT NULL,
    state TEXT NOT NULL,
    share REAL NOT NULL DEFAULT 0,
    message TEXT NOT NULL DEFAULT '',
    submitted_at REAL NOT NULL,
    started_at REAL,
    finished_at REAL,
    progress_at REAL,
    first_share REAL,
    first_at REAL,
    result TEXT,
    error TEXT NOT NULL DEFAULT '',
    attempts INTEGER NOT NULL DEFAULT 0,
    cancel INTEGER NOT NULL DEFAULT 0,
    pid INTEGER
);
CREATE INDEX jobs_state ON jobs (state, number);
CREATE TABLE worker (one INTEGER PRIMARY KEY CHECK (one = 1), pid INTEGER NOT NULL, heartbeat REAL NOT NULL);
"""
WAIT_SECONDS = 30.0
"""How long a process waits for another's transaction; none takes more than milliseconds."""


def ensure_database(path: Path) -> None:
    """Make the file once. It appears whole: two processes that try at once end with one and the same."""
    if path.is_file():
        return
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    temporary = path.with_name(f".{uuid.uuid4().hex}.tmp")
    connection = sqlite3.connect(temporary, isolation_level=None)
    try:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.executescript(SCHEMA)
    finally:
        connection.close()  # the last to close folds the write-ahead log into the file
    temporary.chmod(0o600)
    try:
        os.link(temporary, path)
    except FileExistsError:  # another process was first
        return
    finally:
        temporary.unlink()


@contextmanager
def transaction(path: Path) -> Iterator[sqlite3.Connection]:
    """A short writing transaction: all of it or nothing, one process at a time."""
    with _opened(path) as connection:
        connection.execute("BEGIN IMMEDIATE")
        try:
            yield connection
        except BaseException:
            connection.execute("ROLLBACK")
            raise
        connection.execute("COMMIT")


@contextmanager
def reading(path: Path) -> Iterator[sqlite3.Connection]:
    """A connection that sees one consistent state."""
    with _opened(path) as connection:
        connection.execute("BEGIN")
        yield connection


@contextmanager
def _opened(path: Path) -> Iterator[sqlite3.Connection]:
    ensure_database(path)
    try:
        connection = sqlite3.connect(path, timeout=WAIT_SECONDS, isolation_level=None)
        try:
            connection.row_factory = sqlite3.Row
            connection.execute("PRAGMA synchronous=NORMAL")
            yield connection
        finally:
            connection.close()
    except sqlite3.DatabaseError as error:
        trouble = disk_trouble(error)
        if trouble is not None:
            raise trouble from error
        raise PrognoscopeError(
            f"a queue of jobs that cannot be used ({error})", path.name, "stop the application and move the file aside"
        ) from error
