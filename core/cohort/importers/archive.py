"""Unpacking a zipped study folder without letting it write anywhere else or fill the disk."""

from __future__ import annotations

import shutil
import stat
import zipfile
import zlib
from pathlib import Path, PurePosixPath

from core.cohort.importers.reading import leaves_folder
from core.errors import PrognoscopeError
from core.results.trouble import disk_trouble

MAX_BYTES = 64 << 30
"""64 GiB unpacked: the slides of a hundred patients. A larger study is imported from a folder."""
MAX_FILES = 200_000
MOST_TIMES, ALWAYS_BYTES, LEFT_FREE = 100, 1 << 30, 512 << 20
"""What may come out of an archive: so many times its size, and always 1 GiB; so much of the disk stays free."""
TABLES = ("patients.csv", "patients.tsv")
_BLOCK = 1 << 20


def is_study_archive(path: Path) -> bool:
    """True for a zip that holds a patients table beside other files; False for any other file, broken ones too."""
    if not path.is_file() or path.suffix.lower() != ".zip":
        return False
    try:
        with zipfile.ZipFile(path) as archive:
            names = [PurePosixPath(m.filename) for m in _members(archive)]
    except (zipfile.BadZipFile, OSError, ValueError):
        return False
    return len(names) > 1 and any(n.name.lower() in TABLES and len(n.parts) <= 2 for n in names)


def unpack_study(path: Path, target: Path, limit: int = MAX_BYTES) -> Path:
    """Unpack a zipped study into ``target``, a new folder of mode 0700, and return the folder of its table.

    Raises
    ------
    PrognoscopeError
        As :func:`unpack_archive`, and for an archive without a patients table.
    """
    unpack_archive(path, target, limit)
    try:
        return _study_folder(target, path)
    except PrognoscopeError:
        shutil.rmtree(target)
        raise


def file_count(path: Path) -> int:
    """How many files a zip holds, 0 for any other file and a broken one."""
    if not path.is_file() or path.suffix.lower() != ".zip":
        return 0
    try:
        with zipfile.ZipFile(path) as archive:
            return len(_members(archive))
    except (zipfile.BadZipFile, OSError, ValueError):
        return 0


def unpack_archive(path: Path, target: Path, limit: int = MAX_BYTES) -> None:
    """Unpack a zip into ``target``, a new folder of mode 0700.

    Raises
    ------
    PrognoscopeError
        For an archive with a name that leads out of its folder (``../``, ``/…``), a link, two files of one name, an
        encrypted or damaged member, more than ``limit`` bytes or 200 000 files, or no room on the disk. ``target`` is
        then removed. No member's name is repeated: it may be a patient's.
    """
    target.mkdir(parents=True, mode=0o700)
    try:
        with zipfile.ZipFile(path) as archive:
            members = _members(archive)
            _check(members, path, target, limit)
            _write(archive, members, path, target, limit)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        shutil.rmtree(target)
        raise PrognoscopeError("a damaged archive", path.name, "download or pack it again") from error
    except OSError as error:
        shutil.rmtree(target)
        trouble = disk_trouble(error)
        if trouble is not None:  # of the disk, not of the archive
            raise trouble from error
        raise PrognoscopeError(
            f"an archive that cannot be unpacked ({error.strerror or 'unknown reason'})", path.name,
            "unpack it yourself and import the folder",
        ) from error  # fmt: skip
    except BaseException:
        shutil.rmtree(target)
        raise


def _members(archive: zipfile.ZipFile) -> list[zipfile.ZipInfo]:
    """The files of an archive without what operating systems add."""
    return [
        m
        for m in archive.infolist()
        if not m.is_dir()
        and not m.filename.startswith("__MACOSX/")
        and not PurePosixPath(m.filename).name.startswith(".")
    ]


def _check(members: list[zipfile.ZipInfo], path: Path, target: Path, limit: int) -> None:
    """Refuse by what the archive says of itself, before the first byte is written."""
    size = sum(m.file_size for m in members)
    names = [m.filename.replace("\\", "/") for m in members]
    room = shutil.disk_usage(target).free - LEFT_FREE
    most = min(limit, max(ALWAYS_BYTES, MOST_TIMES * path.stat().st_size))
    refusals = (
        (any(leaves_folder(n) for n in names), "file names that lead out of its folder (../)", "pack it without them"),
        (any(stat.S_ISLNK(m.external_attr >> 16) for m in members), "links instead of files", "pack the files"),
        (any(m.flag_bits & 1 for m in members), "encrypted files", "pack it without a password"),
        (len(set(names)) < len(names), "two files of one name", "pack it again"),
        (len(members) > MAX_FILES, f"more than {MAX_FILES:,} files", "unpack it and import the folder"),
        (size > limit, f"more than {_gigabytes(limit)} unpacked", "unpack it and import the folder"),
        (size > most, f"{_gigabytes(size)} unpacked, {MOST_TIMES} times its size", "unpack it and import the folder"),
        (size > room, f"{_gigabytes(size)}, more than the disk has room for", "make room"),
    )
    for wrong, what, fix in refusals:
        if wrong:
            raise PrognoscopeError(f"an archive with {what}", path.name, fix)


def _write(archive: zipfile.ZipFile, members: list[zipfile.ZipInfo], path: Path, target: Path, limit: int) -> None:
    """Write the members, counting what really comes out: an archive may lie about its sizes."""
    written = 0
    for member in members:
        place = target.joinpath(*PurePosixPath(member.filename.replace("\\", "/")).parts)
        place.parent.mkdir(parents=True, exist_ok=True)
        with archive.open(member) as source, place.open("xb") as sink:
            while block := source.read(_BLOCK):
                written += len(block)
                if written > limit:
                    raise PrognoscopeError(
                        f"an archive with more than {_gigabytes(limit)} unpacked", path.name,
                        "unpack it and import the folder",
                    )  # fmt: skip
                sink.write(block)


def _study_folder(target: Path, path: Path) -> Path:
    """``target`` or the one folder in it, whichever holds the patients table."""
    inside = sorted(p for p in target.iterdir() if p.is_dir())
    for folder in (target, *inside):
        if any(p.name.lower() in TABLES for p in folder.iterdir() if p.is_file()):
            return folder
    raise PrognoscopeError("an archive without patients.csv", path.name, "add the table of the patients")


def _gigabytes(size: int) -> str:
    return f"{size / (1 << 30):,.3g} GiB"
