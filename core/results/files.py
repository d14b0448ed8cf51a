"""Folders that are written whole or not at all, and whose every byte is checked before it is believed."""

from __future__ import annotations

import ctypes
import hashlib
import json
import os
import shutil
import uuid
from collections.abc import Callable, Collection, Iterator
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
        _seal(temporary)
        _swap(temporary, target)
    finally:
        if temporary.exists():
            shutil.rmtree(temporary)


class Staged:
    """A sealed folder that waits beside the place it is going to take."""

    def __init__(self, target: Path) -> None:
        self.target = target
        self.temporary = target.with_name(f".{target.name}.{uuid.uuid4().hex}.tmp")
        self.aside = target.with_name(f".{target.name}.{uuid.uuid4().hex}.old")

    def make_room(self) -> None:
        """Hide the folder that is there now: until the new one is in its place, there is none of the name."""
        if self.target.exists():
            self.target.replace(self.aside)

    def take_place(self) -> None:
        """Become the target."""
        if self.aside.exists():
            self.temporary.replace(self.target)
        else:
            _swap(self.temporary, self.target)

    def clear(self) -> None:
        """Away with what is left over; a hidden folder comes back where nothing took its place."""
        if self.aside.exists() and not self.target.exists():
            self.aside.replace(self.target)
        for left in (self.temporary, self.aside):
            if left.exists():
                shutil.rmtree(left)


@contextmanager
def staged_folder(target: Path, fill: Callable[[Path], None]) -> Iterator[Staged]:
    """Fill and seal a folder aside; it takes the place of ``target`` when the block ends well.

    For what belongs together in several places: the block calls :meth:`Staged.make_room` and puts the rest in place.
    Whoever is killed meanwhile leaves no folder of the name, and so nothing that would pass for whole.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    staged = Staged(target)
    staged.temporary.mkdir()
    try:
        fill(staged.temporary)
        _seal(staged.temporary)
        yield staged
        staged.take_place()
    finally:
        staged.clear()


def _seal(folder: Path) -> None:
    hashes = {str(p.relative_to(folder)): sha256_of(p) for p in sorted(folder.rglob("*")) if p.is_file()}
    write_json(folder / MANIFEST, hashes)


def _swap(temporary: Path, target: Path) -> None:
    """Put ``temporary`` in the place of ``target``; the old folder, if there was one, is removed afterwards.

    Both change places in one step where the system can do that: a reader, or a kill between two steps, would find none.
    """
    if not target.exists():
        temporary.replace(target)
        return
    aside = target.with_name(f".{target.name}.{uuid.uuid4().hex}.old")
    if _exchanged(temporary, target):
        temporary.replace(aside)
    else:
        target.replace(aside)
        temporary.replace(target)
    shutil.rmtree(aside)


_EXCHANGE, _HERE = 2, -100  # RENAME_EXCHANGE and AT_FDCWD of Linux


def _exchanged(one: Path, other: Path) -> bool:
    """Let two folders change their names at once; False where the system or its file system cannot."""
    rename = getattr(ctypes.CDLL(None), "renameat2", None)
    return rename is not None and rename(_HERE, os.fsencode(one), _HERE, os.fsencode(other), _EXCHANGE) == 0


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
