"""The form of a backup: a zip whose manifest names every entry with its size and hash.

``manifest.json`` its facts, and for every open entry ``files/<path>`` the SHA-256, size and mode · ``sealed/<n>`` an
encrypted file, and ``sealed/index`` (encrypted too) which path each is. The archive's comment is the SHA-256 of the
manifest.
"""

from __future__ import annotations

import hashlib
import json
import re
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path, PurePosixPath
from typing import IO, Any

from core.errors import PrognoscopeError
from core.results.trouble import disk_trouble

FORMAT = 1
MANIFEST, OPEN, SEALED, INDEX = "manifest.json", "files/", "sealed/", "sealed/index"
_MOST_MANIFEST = 256 << 20
_STORED = (".gz", ".tif", ".tiff", ".svs", ".ndpi", ".png", ".jpg", ".zip", ".npz", ".parquet", ".safetensors", ".npy")


@dataclass(frozen=True)
class Entry:
    """One file of the archive. ``path`` below the workspace, "" where it is sealed · sizes and hash of what stands in
    the archive."""

    sha256: str
    size: int
    mode: int = 0o600


@dataclass(frozen=True)
class Contents:
    """The manifest. ``root`` folder the workspace lay in · ``cohorts`` name → content hash · ``seal`` how the protected
    part is kept: ``"key"``, ``"passphrase"`` (with ``salt``), ``"plain"`` or ``"left out"`` · ``left_out`` (words,
    files, bytes) · ``outside`` media that lie elsewhere and are only listed."""

    made_at: str
    program: str
    version: int
    root: str
    cohorts: Mapping[str, str]
    seal: str
    salt: str
    left_out: tuple[tuple[str, int, int], ...]
    outside: int
    files: Mapping[str, Entry] = field(default_factory=dict)
    sealed: Mapping[str, Entry] = field(default_factory=dict)

    def as_json(self) -> bytes:
        """The bytes of ``manifest.json``."""
        return json.dumps({"format": FORMAT, **asdict(self)}, ensure_ascii=False, indent=1, sort_keys=True).encode()

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Contents:
        """Rebuild from :meth:`as_json`."""
        data = {k: v for k, v in value.items() if k != "format"}
        for name in ("files", "sealed"):
            data[name] = {safe_name(k): Entry(**v) for k, v in data[name].items()}
        data["left_out"] = tuple((str(w), int(f), int(b)) for w, f, b in data["left_out"])
        return cls(**data)


def damaged(what: str, name: str) -> PrognoscopeError:
    """The refusal of an archive."""
    return PrognoscopeError(what, f"backup {name!r}", "use another copy of it, or another backup")


def safe_name(name: str) -> str:
    """A path below a folder, and nothing else; raises otherwise."""
    path = PurePosixPath(name)
    plain = not path.is_absolute() and ".." not in path.parts and "\\" not in name and "\0" not in name
    if not plain or not path.parts or re.match(r"[A-Za-z]:", name) or str(path) != name:
        raise ValueError("unsafe name")
    return name


def put(archive: zipfile.ZipFile, name: str, pieces: Iterator[bytes], mode: int) -> Entry:
    """Write an entry piece by piece."""
    info = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
    info.compress_type = zipfile.ZIP_STORED if name.startswith(SEALED) or name.endswith(_STORED) else (
        zipfile.ZIP_DEFLATED
    )  # fmt: skip
    info.external_attr = (mode & 0o777) << 16
    digest, size = hashlib.sha256(), 0
    with archive.open(info, "w", force_zip64=True) as stream:
        for piece in pieces:
            stream.write(piece)
            digest.update(piece)
            size += len(piece)
    return Entry(digest.hexdigest(), size, mode & 0o777)


def blocks(stream: IO[bytes]) -> Iterator[bytes]:
    """A stream in pieces."""
    return iter(lambda: stream.read(1 << 20), b"")


@contextmanager
def reading_archive(path: Path) -> Iterator[tuple[zipfile.ZipFile, Contents]]:
    """An archive with its manifest, checked: complete, unaltered, only safe names, nothing that the manifest does not
    name.

    Raises
    ------
    PrognoscopeError
        In one sentence, for everything that is wrong with it.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            yield archive, _contents(archive, path.name)
    except FileNotFoundError as error:
        raise PrognoscopeError("no such file", f"backup {path.name!r}", "check the path") from error
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, OSError) as error:
        if disk_trouble(error) is not None:
            raise
        raise damaged("an archive that is cut, damaged or no backup", path.name) from error


def _contents(archive: zipfile.ZipFile, name: str) -> Contents:
    names = archive.namelist()
    if MANIFEST not in names or archive.getinfo(MANIFEST).file_size > _MOST_MANIFEST:
        raise damaged("an archive that is no backup of Prognoscope", name)
    raw = archive.read(MANIFEST)
    if hashlib.sha256(raw).hexdigest().encode() != archive.comment:
        raise damaged("a list of files that was altered", name)
    try:
        value = json.loads(raw)
        if value["format"] > FORMAT:
            raise PrognoscopeError("a backup of a newer form", f"backup {name!r}", "restore it with the newer program")
        found = Contents.from_json(value)
    except (KeyError, TypeError, ValueError, UnicodeDecodeError) as error:
        raise damaged("a list of files that cannot be trusted", name) from error
    expected = {MANIFEST, *(OPEN + p for p in found.files), *found.sealed}
    if len(names) != len(set(names)) or set(names) != expected:
        raise damaged("files that its list does not name, or lacks", name)
    return found


def entry_blocks(archive: zipfile.ZipFile, name: str, entry: Entry, label: str) -> Iterator[bytes]:
    """The bytes of an entry, no more than its manifest says, checked against its hash at the end."""
    digest, size = hashlib.sha256(), 0
    with archive.open(name) as stream:
        for block in blocks(stream):
            digest.update(block)
            size += len(block)
            if size > entry.size:
                break
            yield block
    if size != entry.size or digest.hexdigest() != entry.sha256:
        raise damaged("a file that was altered", label)


def verify_archive(path: Path) -> Contents:
    """Read every byte and compare it with the manifest."""
    with reading_archive(path) as (archive, found):
        for name, entry in {**{OPEN + p: e for p, e in found.files.items()}, **found.sealed}.items():
            for _ in entry_blocks(archive, name, entry, path.name):
                pass
    return found
