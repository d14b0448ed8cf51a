"""Opening a text table safely: what it is gets looked at before anything is believed, nothing is ever executed.

A zip archive is read as a stream and never unpacked. Two published TCGA tables come in archives whose one
member is called ``../…``: such an archive is accepted, with a warning, because its one member can only be
the table and its name is used for nothing. An archive of several members of which one leaves the folder is
refused.
"""

from __future__ import annotations

import gzip
import io
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import IO, Any

from core.errors import PrognoscopeError

MAX_TABLE_BYTES = 16 << 30
"""16 GiB of text out of one archive: ten times the widest published table. An archive may claim less than it holds."""
MAX_LINE_BYTES = 256 << 20
MOST_TIMES, ALWAYS_BYTES = 200, 256 << 20
"""An archive may hold so many times its own size, and always so much: tables pack to a tenth, zeros to a thousandth."""
_HEAD = 4096
_LFS = b"version https://git-lfs"


class Lines:
    """Decoded lines of a binary stream; a line that is not UTF-8 is read as latin-1 and counted in ``repaired``."""

    def __init__(self, stream: IO[bytes], warnings: list[str], name: str, limit: int | None) -> None:
        self._stream = stream
        self._name = name
        self._limit = limit
        self.warnings = warnings
        self.repaired = 0
        self._first = True

    def _raw(self) -> Iterator[bytes]:
        """Lines as bytes; one without end, or more of them than an archive may hold, is refused as it is read."""
        read = 0
        while raw := self._stream.readline(MAX_LINE_BYTES):
            read += len(raw)
            if len(raw) == MAX_LINE_BYTES and not raw.endswith(b"\n"):
                raise PrognoscopeError(
                    f"a line of more than {MAX_LINE_BYTES >> 20} MiB", self._name, "check that it is a text table"
                )
            if self._limit is not None and read > self._limit:
                raise _too_large(self._name, self._limit)
            yield raw

    def __iter__(self) -> Iterator[str]:
        for raw in self._raw():
            line = raw.removeprefix(b"\xef\xbb\xbf") if self._first else raw
            self._first = False
            try:
                yield line.decode("utf-8")
            except UnicodeDecodeError:
                self.repaired += 1
                yield line.decode("latin-1")


@contextmanager
def open_lines(path: Path) -> Iterator[Lines]:
    """Lines of a plain, gzipped or zipped text file.

    Raises
    ------
    PrognoscopeError
        When the file is missing, empty, a Git-LFS pointer, a pickle, a spreadsheet or another binary, or an
        archive that is unsafe, holds more than one file, or more than 16 GiB.
    """
    if path.is_dir():
        raise PrognoscopeError("a folder instead of a table", path.name, "give the path of the table itself")
    if not path.is_file():
        raise PrognoscopeError("no such file", path.name, "check the path")
    warnings: list[str] = []
    with path.open("rb") as raw:
        head = raw.read(_HEAD)
        _refuse(head, path)
        raw.seek(0)
        try:
            stream = _unwrap(raw, head, path, warnings)
            yield Lines(stream, warnings, path.name, None if stream is raw else _most(path))
        except (zipfile.BadZipFile, gzip.BadGzipFile, zlib.error, EOFError, NotImplementedError) as error:
            raise PrognoscopeError("a damaged archive", path.name, "download it again") from error


def _unwrap(raw: IO[bytes], head: bytes, path: Path, warnings: list[str]) -> IO[bytes]:
    """The text inside an archive as a stream; a plain file as it is. All are closed with the file below them."""
    stream: Any = raw
    if head.startswith(b"PK\x03\x04"):
        stream = zipfile.ZipFile(raw).open(_only_member(raw, path, warnings))  # noqa: SIM115
    elif head.startswith(b"\x1f\x8b"):
        stream = gzip.open(raw)  # noqa: SIM115
    else:
        return raw
    buffered = io.BufferedReader(stream, 1 << 20)
    _refuse(buffered.peek(_HEAD)[:_HEAD], path)
    return buffered


def _only_member(raw: IO[bytes], path: Path, warnings: list[str]) -> zipfile.ZipInfo:
    with zipfile.ZipFile(raw) as archive:
        members = [m for m in archive.infolist() if not m.is_dir() and not m.filename.startswith("__MACOSX/")]
    escaping = [m for m in members if leaves_folder(m.filename)]
    if escaping and len(members) > 1:
        raise PrognoscopeError(
            "an archive with file names that lead out of its folder (../)", path.name, "pack it again without them"
        )
    if any(m.filename == "[Content_Types].xml" for m in members):
        raise PrognoscopeError("a spreadsheet, not a text table", path.name, "save it as CSV (comma separated)")
    if any(m.filename.endswith(".pkl") for m in members):
        raise PrognoscopeError("a pickle, which can run code when it is read", path.name, "export the table as CSV")
    if len(members) != 1:
        raise PrognoscopeError(
            f"an archive of {len(members)} files instead of one table", path.name, "pack the one table alone"
        )
    if members[0].flag_bits & 1:
        raise PrognoscopeError("an encrypted archive", path.name, "unpack it and give the table")
    if members[0].file_size > _most(path):
        raise _too_large(path.name, _most(path))
    if escaping:
        warnings.append("1 archive member has a name that leads out of its folder; it was only read as a stream.")
    raw.seek(0)
    return members[0]


def _most(path: Path) -> int:
    """Bytes that an archive may give."""
    return min(MAX_TABLE_BYTES, max(ALWAYS_BYTES, MOST_TIMES * path.stat().st_size))


def _too_large(name: str, limit: int) -> PrognoscopeError:
    return PrognoscopeError(
        f"an archive of more than {limit / (1 << 30):.3g} GiB of text", name, "unpack it and give the table"
    )


def leaves_folder(name: str) -> bool:
    """True when an archive member's name would be written outside the folder it is unpacked into."""
    parts = PurePosixPath(name.replace("\\", "/")).parts
    return ".." in parts or name.startswith(("/", "\\")) or (bool(parts) and parts[0].endswith(":"))


def _refuse(head: bytes, path: Path) -> None:
    """Raise for everything that cannot be a text table (or an archive of one)."""
    if not head.strip():
        raise PrognoscopeError("an empty file", path.name, "export it again")
    if head.startswith(_LFS):
        raise PrognoscopeError("a Git-LFS pointer, not the data itself", path.name, "run 'git lfs pull' and try again")
    pickled = head[0] == 0x80 and len(head) > 1 and head[1] <= 5
    if pickled or path.suffix.lower() in {".pkl", ".pickle", ".joblib"}:
        raise PrognoscopeError("a pickle, which can run code when it is read", path.name, "export the table as CSV")
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise PrognoscopeError("UTF-16 text", path.name, "save it as UTF-8")
    archive = head.startswith((b"PK\x03\x04", b"\x1f\x8b"))
    if b"\x00" in head and not archive:
        raise PrognoscopeError("a binary file, not a text table", path.name, "export the table as CSV")
