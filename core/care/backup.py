"""A backup in one file: everything the workspace keeps, as it is at one moment, verified before it gets its name.

The protected part (the secret of the pseudonyms, original ids, where media lie, report texts) and the media kept in the
workspace, whose names and headers may say who a patient is, are encrypted. Without the secret a restored workspace
would give the same patient another pseudonym, so it belongs into the backup; in the clear it stands there only when
that is asked for by name.
"""

from __future__ import annotations

import base64
import hashlib
import io
import json
import os
import secrets
import uuid
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import core
from core.care.archive import INDEX, MANIFEST, OPEN, SEALED, Contents, Entry, blocks, put, verify_archive
from core.care.backup_list import remember
from core.care.maintenance import alone
from core.care.sealing import Seal, new_key, seal_of_passphrase, write_key
from core.care.snapshot import LEFT_OUT, retake, sizes, snapshot
from core.care.version import make_ready, version_of
from core.cohort.media_index import load_media
from core.cohort.storage import list_cohorts
from core.errors import PrognoscopeError
from core.results.files import MANIFEST as FOLDER_MANIFEST
from core.results.files import read_json, sha256_of
from core.results.trouble import disk_trouble
from core.results.workspace import Workspace

Progress = Callable[[float, str], None]
PRIVATE = ("protected", "media")
OUTSIDE = "protected/outside-media.json"


@dataclass(frozen=True)
class How:
    """What becomes of the protected part: ``passphrase`` encrypts it, ``plain`` keeps it readable, ``leave_out`` leaves
    it out; with none of them it is encrypted with a new key, written beside the backup as ``<file>.key``."""

    passphrase: str = ""
    plain: bool = False
    leave_out: bool = False

    def __post_init__(self) -> None:
        if sum(map(bool, (self.passphrase, self.plain, self.leave_out))) > 1:
            raise PrognoscopeError("two ways to keep the protected part", "the backup", "choose one of them")


@dataclass(frozen=True)
class Made:
    """A finished backup. ``key`` the key file, where one was written · ``altered`` files that differed from their own
    record before they were copied."""

    path: Path
    bytes: int
    sha256: str
    contents: Contents
    key: Path | None
    altered: tuple[str, ...]


def backup(target: Path, workspace: Workspace, how: How | None = None, progress: Progress | None = None) -> Made:
    """Make a backup. The application may run and jobs may write meanwhile.

    Raises
    ------
    PrognoscopeError
        When there is nothing to back up, the file exists, or the disk is full. Nothing is left of it then.
    """
    way, tell = how or How(), progress or (lambda share, words: None)
    _check(target, workspace)
    make_ready(workspace)
    salt = secrets.token_bytes(16)
    seal = _seal(way, salt)
    temporary = target.with_name(f".{target.name}.{uuid.uuid4().hex}.tmp")
    key = target.with_name(f"{target.name}.key") if seal is not None and not way.passphrase else None
    try:
        if key is not None and seal is not None:
            write_key(seal, key)
        with alone(workspace, "make the backup"), snapshot(workspace) as copy:
            writer = _Writer(workspace, copy, way, seal, salt, tell)
            writer.write(temporary)
        tell(0.9, "checking every byte of the backup")
        contents = verify_archive(temporary)
        made = Made(target, temporary.stat().st_size, sha256_of(temporary), contents, key, tuple(writer.altered))
        if target.exists():
            raise PrognoscopeError("a file of that name", target.name, "name a new file")
        temporary.replace(target)
    except BaseException as error:
        if key is not None:
            key.unlink(missing_ok=True)
        trouble = disk_trouble(error) if isinstance(error, OSError) else None
        if trouble is not None:
            raise replace_where(trouble, "the folder of the backup, or the workspace") from error
        raise
    finally:
        temporary.unlink(missing_ok=True)
    remember(made.path, made.bytes, made.sha256, contents, workspace)
    tell(1.0, "backup made and checked")
    return made


def replace_where(error: PrognoscopeError, where: str) -> PrognoscopeError:
    """The same failure, said of another place."""
    return PrognoscopeError(error.found, where, error.fix)


def _check(target: Path, workspace: Workspace) -> None:
    if not any((workspace.root / part).is_dir() for part in ("cohorts", "runs", "protected", "jobs")):
        raise PrognoscopeError("nothing to back up", "the workspace", "check PROGNOSCOPE_WORKSPACE")
    if target.exists():
        raise PrognoscopeError("a file of that name", target.name, "name a new file: backups are never overwritten")
    if not target.parent.is_dir():
        raise PrognoscopeError("no such folder", "the path of the backup", "make the folder first")


def _seal(how: How, salt: bytes) -> Seal | None:
    if how.plain or how.leave_out:
        return None
    return seal_of_passphrase(how.passphrase, salt) if how.passphrase else new_key()


class _Writer:
    """Writes one archive."""

    def __init__(
        self, workspace: Workspace, copy: Path, how: How, seal: Seal | None, salt: bytes, tell: Progress
    ) -> None:
        self.workspace, self.copy, self.how, self.seal, self.salt, self.tell = workspace, copy, how, seal, salt, tell
        self.files, self.sealed, self.names = dict[str, Entry](), dict[str, Entry](), dict[str, dict[str, object]]()
        self.altered: list[str] = []
        self.done, self.total = 0, 1

    def write(self, target: Path) -> None:
        outside = self._outside()
        if self.how.leave_out:
            wanted = [p for p in self._paths() if p.split("/")[0] not in PRIVATE]
        else:
            self._add_outside(outside)
            wanted = list(self._paths())
        self.total = max(1, sum((self.copy / p).stat().st_size for p in wanted))
        handle = os.open(target, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w+b") as stream:
            with zipfile.ZipFile(stream, "w", compresslevel=1) as archive:
                for path in wanted:
                    self._add(archive, path)
                if self.seal is not None:
                    self._add_index(archive)
                text = self._contents(outside).as_json()
                archive.writestr(zipfile.ZipInfo(MANIFEST, (1980, 1, 1, 0, 0, 0)), text, zipfile.ZIP_DEFLATED)
                archive.comment = hashlib.sha256(text).hexdigest().encode()
            stream.flush()
            os.fsync(stream.fileno())

    def _paths(self) -> Iterator[str]:
        for path in sorted(self.copy.rglob("*")):
            if path.is_file():
                yield path.relative_to(self.copy).as_posix()

    def _add(self, archive: zipfile.ZipFile, path: str) -> None:
        self._believed(path)
        source, private = self.copy / path, path.split("/")[0] in PRIVATE
        mode = source.stat().st_mode & 0o777
        with source.open("rb") as stream:
            if private and self.seal is not None:
                name = f"{SEALED}{len(self.sealed):06d}"
                self.sealed[name] = put(archive, name, self.seal.pieces(stream, name), 0o600)
                self.names[name] = {"path": path, "mode": mode}
            else:
                self.files[path] = put(archive, OPEN + path, blocks(stream), mode)
        self.done += source.stat().st_size
        self.tell(0.9 * self.done / self.total, f"{self.done / 1e6:,.0f} of {self.total / 1e6:,.0f} MB")

    def _believed(self, path: str) -> None:
        """Compare a file with the record of its own folder; where they differ the folder is taken once more, and what
        still differs was altered before: it is kept as it is, and said."""
        folder = next((p for p in (self.copy / path).parents if (p / FOLDER_MANIFEST).is_file()), None)
        if folder is None or folder == self.copy or Path(path).name == FOLDER_MANIFEST:
            return
        name = (self.copy / path).relative_to(folder).as_posix()
        for attempt in range(2):
            recorded = read_json(folder / FOLDER_MANIFEST).get(name)
            if recorded is None or ((self.copy / path).is_file() and sha256_of(self.copy / path) == recorded):
                return
            live = self.workspace.root / folder.relative_to(self.copy)
            if attempt == 0 and live.is_dir():
                retake(live, folder)
        self.altered.append(path)

    def _add_index(self, archive: zipfile.ZipFile) -> None:
        assert self.seal is not None  # noqa: S101  only called with one
        text = json.dumps(self.names, ensure_ascii=False, sort_keys=True).encode()
        self.sealed[INDEX] = put(archive, INDEX, self.seal.pieces(io.BytesIO(text), INDEX), 0o600)

    def _outside(self) -> dict[str, list[str]]:
        root = self.workspace.root.resolve()
        found = {}
        for cohort in self.workspace.names(self.workspace.cohorts):
            paths = {f.path for f in load_media(cohort, self.workspace).files}
            away = sorted(p for p in paths if not Path(p).is_relative_to(root))
            if away:
                found[cohort] = away
        return found

    def _add_outside(self, outside: dict[str, list[str]]) -> None:
        """The list of media that are not copied, among the protected files."""
        path = self.copy / OUTSIDE
        path.unlink(missing_ok=True)
        if outside:
            path.parent.mkdir(exist_ok=True, mode=0o700)
            path.write_text(json.dumps(outside, ensure_ascii=False, indent=1), encoding="utf-8")
            path.chmod(0o600)

    def _contents(self, outside: dict[str, list[str]]) -> Contents:
        left = [(words, *sizes(self.workspace.root / part)) for part, words in LEFT_OUT.items()]
        if self.how.leave_out:
            left += [(f"the folder {part}", *sizes(self.workspace.root / part)) for part in PRIVATE]
        seal = "left out" if self.how.leave_out else "plain" if self.how.plain else (
            "passphrase" if self.how.passphrase else "key"
        )  # fmt: skip
        return Contents(
            made_at=datetime.now(UTC).isoformat(timespec="seconds"), program=core.__version__,
            version=version_of(self.workspace), root=str(self.workspace.root.resolve()),
            cohorts={c.name: c.content_hash for c in list_cohorts(self.workspace)}, seal=seal,
            salt=base64.b64encode(self.salt).decode(), left_out=tuple(x for x in left if x[1]),
            outside=sum(len(v) for v in outside.values()), files=self.files, sealed=self.sealed,
        )  # fmt: skip
