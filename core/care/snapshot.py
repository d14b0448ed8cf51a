"""A workspace as it is at one moment, while pages and jobs go on writing: second names of its files.

What the program stores is written aside and renamed, so a second name keeps a whole file for as long as it takes to
copy it. Databases are copied by SQLite itself, files that grow line by line up to their last whole line.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import time
import uuid
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from core.errors import PrognoscopeError
from core.results.files import MANIFEST, link_or_copy
from core.results.workspace import Workspace

LEFT_OUT = {
    "uploads": "uploads that were not stored",
    "incoming": "studies laid into the incoming folder",
    "backups": "earlier backups",
    "desktop": "sessions of the desktop viewer",
}
"""Parts that are not in a backup: copies of other things, or made again by a click."""
ORDER = ("features", "explanations", "predictions", "audits", "boards", "views", "cells", "runs", "cohorts")
"""What refers to something else first: nothing in the copy refers to what is not in it."""
_GROWING = (".log", ".jsonl")
ATTEMPTS = 50


@contextmanager
def snapshot(workspace: Workspace) -> Iterator[Path]:
    """A folder with the workspace's files as they are now; gone when the block ends."""
    for old in workspace.root.glob(".snapshot-*.tmp"):
        shutil.rmtree(old)
    folder = workspace.root / f".snapshot-{uuid.uuid4().hex}.tmp"
    folder.mkdir(mode=0o700)
    try:
        present = [p.name for p in sorted(workspace.root.iterdir()) if not p.name.startswith(".")]
        parts = [p for p in ORDER if p in present] + [p for p in present if p not in ORDER and p not in LEFT_OUT]
        for part in parts:
            _take(workspace.root / part, folder / part)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _take(source: Path, target: Path) -> None:
    """A file, a folder that is whole or not there, or a folder of such."""
    if _passing(source) or source.is_symlink():
        return
    if source.is_dir():
        if (source / MANIFEST).is_file():
            retake(source, target)
            return
        target.mkdir(mode=0o700)
        # records before what they refer to by name
        for child in sorted(source.iterdir(), key=lambda p: (p.suffix != ".json", p.name)):
            _take(child, target / child.name)
    elif source.is_file():
        try:
            _take_file(source, target)
        except FileNotFoundError:  # removed meanwhile: so it is not in the copy
            return


def retake(source: Path, target: Path) -> None:
    """A folder with a manifest, all of its files from one and the same writing."""
    for _ in range(ATTEMPTS):
        shutil.rmtree(target, ignore_errors=True)
        try:
            before = (source / MANIFEST).stat().st_ino
            shutil.copytree(source, target, copy_function=link_or_copy)
            if (source / MANIFEST).stat().st_ino == before:
                return
        except (FileNotFoundError, shutil.Error):
            # in the moment of an exchange it is away for an instant; a deleted one stays away
            if not source.exists() and not _comes_back(source):
                shutil.rmtree(target, ignore_errors=True)
                return
    raise PrognoscopeError("a folder that changes all the time", source.name, "try again when its job has ended")


def _comes_back(source: Path) -> bool:
    end = time.monotonic() + 0.5
    while time.monotonic() < end:
        if source.exists():
            return True
        time.sleep(0.01)
    return False


def _passing(path: Path) -> bool:
    """Locks, journals of databases, finished units of a running job, and what is being written."""
    name = path.name
    if name.startswith(".") and (name.endswith((".tmp", ".old", ".lock")) or name in (".lock", ".probe", ".upgrade")):
        return True
    return name.endswith((".lock", "-wal", "-shm", "-journal")) or name == "units"


def _take_file(source: Path, target: Path) -> None:
    with source.open("rb") as stream:
        database = stream.read(16) == b"SQLite format 3\x00"
    if database:
        with closing(sqlite3.connect(source)) as live, closing(sqlite3.connect(target)) as copy:
            live.backup(copy)
        target.chmod(0o600)
    elif source.suffix in _GROWING:
        data = source.read_bytes()
        target.write_bytes(data[: data.rfind(b"\n") + 1])
        target.chmod(source.stat().st_mode & 0o777)
    else:
        link_or_copy(source, target)


def sizes(folder: Path) -> tuple[int, int]:
    """Files and bytes below a folder; links are not followed."""
    files = size = 0
    for place, _, names in os.walk(folder):
        for name in names:
            try:
                size += os.lstat(Path(place) / name).st_size
                files += 1
            except FileNotFoundError:
                continue
    return files, size
