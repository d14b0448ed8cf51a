"""A workspace from a backup: every byte checked, written beside its place, and put there whole or not at all."""

from __future__ import annotations

import base64
import json
import os
import shutil
import sqlite3
import time
import uuid
import zipfile
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from core.care.archive import INDEX, OPEN, Contents, damaged, entry_blocks, reading_archive, safe_name
from core.care.sealing import Seal, read_key, seal_of_passphrase
from core.care.version import check_version, make_ready
from core.cohort.private_files import write_private_table
from core.errors import PrognoscopeError
from core.results.trouble import disk_trouble
from core.results.workspace import Workspace

Progress = Callable[[float, str], None]
CLOSED = "It had not finished when the backup was made: start it again."


@dataclass(frozen=True)
class Opening:
    """What opens the protected part: a key file, a passphrase, or the wish to leave it out. With none of them the key
    file beside the backup is used."""

    key: Path | None = None
    passphrase: str = ""
    leave_out: bool = False


@dataclass(frozen=True)
class Restored:
    """``files`` written · ``closed`` jobs that had not finished · ``upgraded`` what was brought up to date."""

    contents: Contents
    files: int
    closed: int
    upgraded: tuple[str, ...]


def restore(source: Path, target: Path, opening: Opening | None = None, progress: Progress | None = None) -> Restored:
    """Make ``target`` the workspace of a backup.

    Raises
    ------
    PrognoscopeError
        For a backup that is damaged, of a newer program, or whose key is missing; for a target that holds something;
        for a disk without room. Nothing is left of it then.
    """
    way, tell = opening or Opening(), progress or (lambda share, words: None)
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise PrognoscopeError("a place that is taken", "the workspace to restore into", "name a new or empty folder")
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = target.with_name(f".{target.name}.{uuid.uuid4().hex}.tmp")
    try:
        with reading_archive(source) as (archive, contents):
            check_version(contents.version, contents.program)
            _room(contents, target.parent)
            temporary.mkdir(mode=0o700)
            files = _unpack(archive, contents, _seal(contents, way, source), temporary, source.name, tell)
        tell(0.95, "finding media again")
        _move_media(contents.root, temporary, target)
        _put_audit_log_aside(temporary / "protected")
        closed = _close_jobs(temporary / "jobs" / "queue.sqlite")
        upgraded = make_ready(Workspace(temporary))
        if target.exists():
            target.rmdir()
        temporary.replace(target)
    except OSError as error:
        raise disk_trouble(error) or error from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    tell(1.0, "restored")
    return Restored(contents, files, closed, upgraded)


def _seal(contents: Contents, way: Opening, source: Path) -> Seal | None:
    if way.leave_out or not contents.sealed:
        return None
    if contents.seal == "passphrase":
        if not way.passphrase:
            raise PrognoscopeError(
                "a protected part that a passphrase opens", f"backup {source.name!r}",
                "give it with --passphrase-file FILE, or restore --without-protected",
            )  # fmt: skip
        return seal_of_passphrase(way.passphrase, base64.b64decode(contents.salt))
    path = way.key or source.with_name(f"{source.name}.key")
    if not path.is_file():
        raise PrognoscopeError(
            "a protected part whose key is missing", f"backup {source.name!r}",
            f"put {path.name} beside it or name it with --key FILE, or restore --without-protected",
        )  # fmt: skip
    return read_key(path)


def _room(contents: Contents, folder: Path) -> None:
    needed = sum(e.size for e in (*contents.files.values(), *contents.sealed.values()))
    free = shutil.disk_usage(folder).free
    if needed > free:
        raise PrognoscopeError(
            f"{free / 1e9:.1f} GB free, {needed / 1e9:.1f} GB needed", "the disk to restore to", "free some space"
        )


def _unpack(
    archive: zipfile.ZipFile, contents: Contents, seal: Seal | None, folder: Path, label: str, tell: Progress
) -> int:
    total = max(1, len(contents.files) + len(contents.sealed))
    done = 0
    for path, entry in contents.files.items():
        _write(folder / path, entry_blocks(archive, OPEN + path, entry, label), entry.mode)
        done += 1
        tell(0.95 * done / total, f"{done:,} of {total:,} files")
    if seal is None:
        return done
    names = json.loads(b"".join(_opened(archive, INDEX, contents, seal, label)))
    for name, facts in names.items():
        try:
            path = safe_name(str(facts["path"]))
        except ValueError as error:
            raise damaged("a list of files that cannot be trusted", label) from error
        _write(folder / path, _opened(archive, name, contents, seal, label), int(facts["mode"]))
        done += 1
        tell(0.95 * min(1.0, done / total), f"{done:,} of {total:,} files")
    return done


def _opened(archive: zipfile.ZipFile, name: str, contents: Contents, seal: Seal, label: str) -> Iterator[bytes]:
    if name not in contents.sealed:
        raise damaged("a list of files that cannot be trusted", label)
    for _ in entry_blocks(archive, name, contents.sealed[name], label):
        pass
    with archive.open(name) as stream:
        yield from seal.opened(stream, name)


def _write(path: Path, pieces: Iterator[bytes], mode: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as stream:
        for piece in pieces:
            stream.write(piece)
        os.fchmod(stream.fileno(), mode & 0o644)
    if path.parent.name in ("protected", "jobs", "boards"):
        path.parent.chmod(0o700)


def _move_media(old: str, folder: Path, target: Path) -> None:
    """Media that lay in the old workspace lie in the new one; what lay elsewhere is looked for where it was."""
    before, after = old.rstrip("/") + "/", str(target.resolve()).rstrip("/") + "/"
    for path in (folder / "protected").glob("*-media.parquet"):
        table = pd.read_parquet(path)
        moved = table["path"].astype(str).map(lambda p: after + p[len(before) :] if p.startswith(before) else p)
        write_private_table(table.assign(path=moved.astype("string")), path)


def _put_audit_log_aside(protected: Path) -> None:
    """The log goes on where it was written, if that workspace still lives: here a new one begins, the old beside it."""
    log = protected / "audit"
    if log.is_dir():
        log.replace(protected / "audit-of-the-backup")


def _close_jobs(path: Path) -> int:
    """Jobs that had not finished are closed: a restored workspace begins no work by itself."""
    if not path.is_file():
        return 0
    with closing(sqlite3.connect(path)) as connection, connection:
        changed = connection.execute(
            "UPDATE jobs SET state = 'cancelled', message = 'cancelled', error = ?, finished_at = ?, pid = NULL "
            "WHERE state IN ('queued', 'running')",
            (CLOSED, time.time()),
        )
        return changed.rowcount
