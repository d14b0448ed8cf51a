"""Looking for names in every file of a folder: in paths, in bytes, and inside everything that is packed.

Opened are zip archives (also NumPy's), gzip, Parquet, SQLite, NumPy arrays of text and compressed parts of PDF files;
safetensors keep their names in plain bytes.
"""

from __future__ import annotations

import gzip
import io
import os
import re
import sqlite3
import zipfile
import zlib
from collections.abc import Callable, Collection, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Protocol

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from core.care.needles import BLOCK, LONGEST, Needles

DEEPEST = 3
"""Archives within archives that are opened."""
MOST_UNPACKED = 8 << 30
AUDIT = "protected/audit"
"""The audit log: sealed entry by entry. It names pseudonyms alone, which an erasure leaves without anybody."""
_STREAM = re.compile(rb"stream\r?\n(.*?)endstream", re.DOTALL)


class _Readable(Protocol):
    def read(self, size: int = -1, /) -> bytes: ...


@dataclass(frozen=True)
class Found:
    """A place where a name stands. ``path`` below the folder · ``inside`` what it stands in there, "" = its bytes."""

    path: str
    inside: str = ""


@dataclass(frozen=True)
class Searched:
    """``found`` where names stand · ``unread`` files that could not be opened · ``files`` and ``bytes`` looked at ·
    ``recorded`` places in the audit log, of which nothing may be taken away."""

    found: tuple[Found, ...]
    unread: tuple[str, ...]
    files: int
    bytes: int
    recorded: tuple[Found, ...] = ()


def search(
    root: Path, needles: Needles, leave_out: Collection[str] = (), tell: Callable[[int], None] | None = None
) -> Searched:
    """Look into every file below ``root``.

    Parameters
    ----------
    leave_out : names of folders and files directly below ``root`` that are not looked into
    tell : called with the number of files looked at so far
    """
    found, unread, files, size = list[Found](), list[str](), 0, 0
    for path in _files(root, leave_out):
        name = path.relative_to(root).as_posix()
        try:
            files, size = files + 1, size + path.stat().st_size
            inside = _in_name(name, needles) or find_in(path, needles)
        except FileNotFoundError:  # it went away meanwhile
            continue
        except (OSError, zipfile.BadZipFile, pa.ArrowException, zlib.error, EOFError, ValueError, RuntimeError):
            unread.append(name)
            continue
        if inside is not None:
            found.append(Found(name, inside))
        if tell is not None:
            tell(files)
    recorded = tuple(f for f in found if f.path.startswith(AUDIT))
    return Searched(tuple(f for f in found if f not in recorded), tuple(unread), files, size, recorded)


def _files(root: Path, leave_out: Collection[str]) -> Iterator[Path]:
    for place, folders, names in os.walk(root):
        if Path(place) == root:
            folders[:] = [f for f in folders if f not in leave_out]
            names = [n for n in names if n not in leave_out]
        folders.sort()
        for name in sorted(names):
            path = Path(place) / name
            if path.is_file() and not path.is_symlink():
                yield path


def _in_name(name: str, needles: Needles) -> str | None:
    parts = [p for part in name.split("/") for p in (part, part.partition(".")[0])]
    return "its name" if needles.in_bytes(name.encode()) or needles.among(parts) else None


def find_in(path: Path, needles: Needles) -> str | None:
    """Where in a file a name stands ("" = in its bytes), or None."""
    with path.open("rb") as stream:
        return _in_stream(stream, needles, path, 0)


def _in_stream(stream: IO[bytes], needles: Needles, path: Path | None, depth: int) -> str | None:
    head = stream.read(16)
    stream.seek(0)
    if _in_blocks(stream, needles):
        return ""
    if depth >= DEEPEST:
        return None
    for magic, look in _PACKED:
        if head.startswith(magic):
            stream.seek(0)
            return look(stream, needles, path, depth + 1)
    return _values(stream, needles)


def _in_blocks(stream: _Readable, needles: Needles) -> bool:
    kept, total = b"", 0
    for block in iter(lambda: stream.read(BLOCK), b""):
        total += len(block)
        if total > MOST_UNPACKED:
            raise ValueError("too large to look into")
        data = kept + block
        if needles.in_bytes(data):
            return True
        kept = data[-LONGEST:]
    return False


def _values(stream: IO[bytes], needles: Needles) -> str | None:
    """Names too short to be looked for in bytes: the cells and strings of a text file."""
    if stream.seek(0, os.SEEK_END) > 8 << 20:
        return None
    stream.seek(0)
    data = stream.read()
    if b"\0" in data[:4096]:
        return None
    words = set(re.split(r'[\s,;"\'<>(){}\[\]:=]+', data.decode("utf-8", errors="replace")))
    return "" if needles.among(words) else None


def _in_zip(stream: IO[bytes], needles: Needles, path: Path | None, depth: int) -> str | None:
    with zipfile.ZipFile(stream) as archive:
        for entry in archive.infolist():
            if _in_name(entry.filename, needles):
                return entry.filename
            with archive.open(entry) as inner:
                # a member can be sought only by reading it again: small ones are held, large ones looked at as bytes
                if entry.file_size > 64 << 20:
                    hit = "" if _in_blocks(inner, needles) else None
                else:
                    hit = _in_stream(io.BytesIO(inner.read()), needles, None, depth)
            if hit is not None:
                return entry.filename
    return None


def _in_gzip(stream: IO[bytes], needles: Needles, path: Path | None, depth: int) -> str | None:
    with gzip.open(stream) as inner:
        return "unpacked" if _in_blocks(inner, needles) else None


def _in_parquet(stream: IO[bytes], needles: Needles, path: Path | None, depth: int) -> str | None:
    table = pq.ParquetFile(stream)
    if needles.in_bytes(repr(table.schema_arrow.metadata).encode()[:BLOCK]):
        return "its metadata"
    wanted = [f.name for f in table.schema_arrow if _has_text(f.type)]
    for batch in table.iter_batches(columns=wanted) if wanted else ():
        for name, column in zip(batch.schema.names, batch.columns, strict=True):
            values = [v for v in column.unique().to_pylist() if v is not None]
            texts = [v if isinstance(v, str) else str(v) for v in values]
            if needles.among(texts) or _any_in(texts, needles):
                return f"column {name}"
    return None


def _has_text(kind: pa.DataType) -> bool:
    value = kind.value_type if pa.types.is_dictionary(kind) else kind
    return bool(
        pa.types.is_string(value) or pa.types.is_large_string(value) or pa.types.is_binary(value)
        or pa.types.is_large_binary(value)
    )  # fmt: skip


def _any_in(texts: list[str], needles: Needles) -> bool:
    """Whether a name stands in one of many texts; they are put together, a line each."""
    whole = "\n".join(texts).encode(errors="replace")
    return _in_blocks(io.BytesIO(whole), needles)


def _in_sqlite(stream: IO[bytes], needles: Needles, path: Path | None, depth: int) -> str | None:
    """The cells, put together as their tables hold them; the bytes, freed pages included, were looked at before."""
    if path is None:
        return None
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
        tables = [r[0] for r in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        for table in tables:
            quoted = table.replace('"', '""')
            for row in connection.execute(f'SELECT * FROM "{quoted}"'):  # noqa: S608  the database's own names
                texts = [v if isinstance(v, str) else str(v) for v in row if isinstance(v, str | bytes)]
                if needles.among(texts) or _any_in(texts, needles):
                    return f"table {table}"
    return None


def _in_numpy(stream: IO[bytes], needles: Needles, path: Path | None, depth: int) -> str | None:
    try:
        array = np.load(stream, allow_pickle=False)
    except ValueError:  # an array of objects: its bytes were looked at
        return None
    if array.dtype.kind not in "US":
        return None
    texts = [v.decode("utf-8", "replace") if isinstance(v, bytes) else str(v) for v in np.unique(array).tolist()]
    return "values" if needles.among(texts) or _any_in(texts, needles) else None


def _in_pdf(stream: IO[bytes], needles: Needles, path: Path | None, depth: int) -> str | None:
    for part in _STREAM.finditer(stream.read()):
        try:
            data = zlib.decompressobj().decompress(part[1], 8 << 20)
        except zlib.error:
            continue
        if _in_blocks(io.BytesIO(data), needles):
            return "a page"
    return None


_Look = Callable[[IO[bytes], Needles, Path | None, int], str | None]
_PACKED: tuple[tuple[bytes, _Look], ...] = (
    (b"PK\x03\x04", _in_zip),
    (b"\x1f\x8b", _in_gzip),
    (b"PAR1", _in_parquet),
    (b"SQLite format 3\x00", _in_sqlite),
    (b"\x93NUMPY", _in_numpy),
    (b"%PDF", _in_pdf),
)
