"""A patient's traces where people and jobs left them: boards, saved views, jobs, uploads, desktop sessions, logs."""

from __future__ import annotations

import json
import shutil
import sqlite3
from contextlib import closing
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from core.care.needles import KnownNames
from core.care.person import Person
from core.care.search import Found, find_in, search
from core.errors import PrognoscopeError
from core.jobs.database import WAIT_SECONDS
from core.jobs.queue import JobQueue
from core.results.board_store import Board, list_boards
from core.results.files import read_json, write_bytes, write_json
from core.results.workspace import Workspace

GONE = "[erased]"
ARCHIVES = "backups"
"""Folder of the workspace with backups made by the page: they are named, never changed."""
_LOGS = (".log", ".txt", ".jsonl")


def erase_from_boards(person: Person, workspace: Workspace) -> None:
    """Lists, what was noted of the person, and the frozen pages of every list they stood on."""
    for board in list_boards(workspace):
        if board.cohort in person.apart:
            continue
        folder = workspace.boards / board.id
        for path in sorted((folder / "opinions").glob("*.json")):
            _opinion(path, person)
        frozen = folder / "frozen.json"
        was_frozen = frozen.is_file() and not set(read_json(frozen)["patients"]).isdisjoint(person.pseudonyms)
        if was_frozen:
            shutil.rmtree(folder / "frozen", ignore_errors=True)
            frozen.unlink()
        kept = tuple(p for p in board.patients if p not in person.pseudonyms)
        if kept != board.patients:
            write_json(folder / "board.json", asdict(_renamed(replace(board, patients=kept), person)))


def _renamed(board: Board, person: Person) -> Board:
    return replace(board, name=_scrubbed(board.name, person), protocol=_scrubbed(board.protocol, person))


def _opinion(path: Path, person: Person) -> None:
    noted = read_json(path)
    if noted["patient"] in person.pseudonyms:
        path.unlink()
    elif KnownNames(person.names).in_bytes(noted["note"].encode()):
        write_json(path, {**noted, "note": _scrubbed(noted["note"], person)})


def _scrubbed(text: str, person: Person) -> str:
    for name in person.names:
        text = text.replace(name, GONE)
    return text


def erase_from_views(person: Person, workspace: Workspace) -> None:
    """Saved page states that speak of the person: an altered one would not be that of its address."""
    needles = KnownNames(person.names)
    for path in workspace.views.rglob("*.json"):
        if needles.in_bytes(path.read_bytes()) or needles.among(_strings(read_json(path))):
            path.unlink()


def _strings(value: Any) -> list[str]:
    """Every string of a JSON value."""
    if isinstance(value, str):
        return [value]
    if isinstance(value, dict):
        return [s for k, v in value.items() for s in (str(k), *_strings(v))]
    return [s for v in value for s in _strings(v)] if isinstance(value, list) else []


def erase_from_jobs(person: Person, workspace: Workspace) -> None:
    """Jobs that name the person, with their folders; the queue's freed pages are overwritten.

    Raises
    ------
    PrognoscopeError
        When one of them is running.
    """
    queue = JobQueue(workspace)
    if not queue.path.is_file():
        return
    needles, gone = KnownNames(person.names), []
    # isolation_level None: VACUUM stands outside of any transaction
    with closing(sqlite3.connect(queue.path, timeout=WAIT_SECONDS, isolation_level=None)) as connection:
        connection.execute("PRAGMA secure_delete = ON")
        for job_id, state, title, arguments, result, error in connection.execute(
            "SELECT id, state, title, arguments, result, error FROM jobs"
        ).fetchall():
            values = [title, error or "", *_strings(json.loads(arguments)), *_strings(json.loads(result or "null"))]
            if not needles.among(values) and not needles.in_bytes("\n".join(values).encode()):
                continue
            if state == "running":
                raise PrognoscopeError("a running job that speaks of the patient", "the queue", "cancel it or wait")
            gone.append(job_id)
        connection.executemany("DELETE FROM jobs WHERE id = ?", [(i,) for i in gone])
        if gone:
            connection.execute("VACUUM")
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    for job_id in gone:
        shutil.rmtree(queue.root / job_id, ignore_errors=True)


def erase_leftovers(person: Person, workspace: Workspace) -> tuple[Found, ...]:
    """What is found of the person anywhere else: uploads, desktop sessions, caches, leftovers and files named after
    them go, logs and texts are blackened in place; the rest is returned."""
    needles = KnownNames(person.names)
    left = []
    for found in search(workspace.root, needles, leave_out=(ARCHIVES, "incoming")).found:
        path = workspace.root / found.path
        if not _removed(path, found, workspace) and not _blackened(path, person, needles):
            left.append(found)
    return tuple(left)


def _removed(path: Path, found: Found, workspace: Workspace) -> bool:
    """Take away what is only a copy, a cache, or something left half-way."""
    parts = Path(found.path).parts
    if parts[0] in ("uploads", "desktop", "cells", "figures") or (found.inside == "its name" and parts[0] == "media"):
        target = workspace.root / parts[0] / parts[1] if parts[0] == "uploads" else path
    elif any(p.startswith(".") and p.endswith((".tmp", ".old")) for p in parts):
        place = next(i for i, p in enumerate(parts) if p.startswith(".") and p.endswith((".tmp", ".old")))
        target = workspace.root.joinpath(*parts[: place + 1])
    else:
        return False
    if target.is_dir():
        shutil.rmtree(target)
    else:
        target.unlink(missing_ok=True)
    return True


def _blackened(path: Path, person: Person, needles: KnownNames) -> bool:
    """Overwrite the names in a log with as many crosses (a process may have it open), in another text by a word."""
    inside_reports = path.parent.name.endswith("-reports")
    if path.suffix not in _LOGS and not inside_reports:
        return False
    data = path.read_bytes()
    for name in person.names:
        raw = name.encode()
        data = data.replace(raw, GONE.encode() if inside_reports else b"x" * len(raw))
    if inside_reports:
        write_bytes(path, data)
        path.chmod(0o600)
    else:
        with path.open("r+b") as stream:
            stream.write(data)
    return find_in(path, needles) is None
