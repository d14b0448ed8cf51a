"""Folders that are written whole or not at all, and whose every byte is checked before it is believed."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import uuid
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from core.errors import PrognoscopeError

MANIFEST = "manifest.json"


def sha256_of(path: Path) -> str:
    """Hex SHA-256 of a file's bytes, read in blocks."""
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        for block in iter(lambda: stream.read(1 << 20), b""):
            digest.update(block)
    return digest.hexdigest()


def write_json(path: Path, value: Any) -> None:
    """Write JSON under a temporary name, then rename: a reader sees the old file or the new one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex}.tmp")
    try:
        with temporary.open("w", encoding="utf-8") as stream:
            json.dump(value, stream, ensure_ascii=False, indent=1, sort_keys=True, allow_nan=False)
            stream.flush()
            os.fsync(stream.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def write_bytes(path: Path, data: bytes) -> None:
    """Write a file under a temporary name beside it, then rename: a reader sees the old file or the new one."""
    temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex}.tmp")
    try:
        with temporary.open("wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def read_json(path: Path) -> Any:
    """Read JSON; raises :class:`PrognoscopeError` when the file is missing or broken."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise PrognoscopeError("a file is missing", path.name, "make it again or restore it from a backup") from error
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise PrognoscopeError("unreadable JSON", path.name, "make it again or restore it from a backup") from error


@contextmanager
def new_folder(target: Path) -> Iterator[Path]:
    """A temporary folder that becomes ``target`` when the block ends well and vanishes when it does not.

    A manifest with the SHA-256 of every file is added; an existing ``target`` is replaced.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = target.with_name(f".{target.name}.{uuid.uuid4().hex}.tmp")
    temporary.mkdir()
    try:
        yield temporary
        hashes = {str(p.relative_to(temporary)): sha256_of(p) for p in sorted(temporary.rglob("*")) if p.is_file()}
        write_json(temporary / MANIFEST, hashes)
        _swap(temporary, target)
    finally:
        if temporary.exists():
            shutil.rmtree(temporary)


def _swap(temporary: Path, target: Path) -> None:
    """Put ``temporary`` in the place of ``target``; the old folder is removed only after it has been moved aside."""
    if not target.exists():
        temporary.replace(target)
        return
    aside = target.with_name(f".{target.name}.{uuid.uuid4().hex}.old")
    target.replace(aside)
    temporary.replace(target)
    shutil.rmtree(aside)


def verify_folder(folder: Path, only: Collection[str] = ()) -> None:
    """Check every file of a folder (or ``only`` these) against its manifest; the first altered or missing is named."""
    if not (folder / MANIFEST).is_file():
        raise PrognoscopeError(
            "a folder without a manifest (half-written or not ours)", folder.name, "import or train it again"
        )
    for name, expected in read_json(folder / MANIFEST).items():
        if only and name not in only:
            continue
        path = folder / name
        if not path.is_file():
            raise PrognoscopeError(f"{name} is missing", folder.name, "restore it from a backup or make it again")
        if sha256_of(path) != expected:
            raise PrognoscopeError(
                f"{name} was altered after it was written", folder.name, "restore it from a backup or make it again"
            )


@contextmanager
def changed_folder(target: Path) -> Iterator[Path]:
    """A copy of a folder with a manifest, to be changed, that takes the folder's place when the block ends well.

    What is not written anew is shared with the old folder and keeps its recorded hash, so that damage from before
    stays detectable. A file must be replaced, never opened for writing: its bytes are those of the old folder.
    """
    temporary = target.with_name(f".{target.name}.{uuid.uuid4().hex}.tmp")
    shutil.copytree(target, temporary, copy_function=link_or_copy)
    try:
        before = {p: _mark(p) for p in temporary.rglob("*") if p.is_file()}
        recorded = read_json(temporary / MANIFEST)
        yield temporary
        files = sorted(p for p in temporary.rglob("*") if p.is_file() and p != temporary / MANIFEST)
        hashes = {}
        for path in files:
            name = str(path.relative_to(temporary))
            untouched = name in recorded and before.get(path) == _mark(path)
            hashes[name] = recorded[name] if untouched else sha256_of(path)
        write_json(temporary / MANIFEST, hashes)
        _swap(temporary, target)
    finally:
        if temporary.exists():
            shutil.rmtree(temporary)


def link_or_copy(source: str | Path, target: str | Path) -> None:
    """A second name for a file, or a copy where the file system knows no second names."""
    try:
        os.link(source, target)
    except FileNotFoundError:
        raise
    except OSError:
        shutil.copy2(source, target)


def _mark(path: Path) -> tuple[int, int]:
    facts = path.stat()
    return facts.st_ino, facts.st_mtime_ns
