"""Uploaded files: kept in a private folder of the workspace until they are stored as a cohort or given up."""

from __future__ import annotations

import re
import secrets
import shutil
import stat
import time
import zipfile
import zlib
from pathlib import Path, PurePosixPath

from core.cohort.importers.reading import leaves_folder
from core.errors import PrognoscopeError
from core.results.workspace import Workspace

FOLDER = "uploads"
MOST_FILES = 20_000
MOST_BYTES = 2 * 1024**3
"""What an uploaded archive may hold, unpacked."""
KEPT_SECONDS = 12 * 3600
"""After this long an upload nobody stored is removed by the next visit."""

_PACKED = "study"


def keep_upload(name: str, content: bytes | memoryview, workspace: Workspace) -> Path:
    """Write an uploaded file, readable by its owner only; a study packed into a zip is unpacked.

    Parameters
    ----------
    name : str
        As the user's machine calls it; only its last part is used, without unusual signs.

    Returns
    -------
    Path
        The table, or the folder of the study, inside a folder of its own (:func:`remove_upload`).

    Raises
    ------
    PrognoscopeError
        For an archive that is damaged, encrypted, unsafe or too large. Nothing is left behind.
    """
    place = _private(workspace.root / FOLDER) / secrets.token_hex(12)
    place.mkdir(mode=0o700)
    try:
        path = place / _safe_name(name)
        path.touch(mode=0o600)
        path.write_bytes(content)
        if path.suffix.lower() == ".zip" and zipfile.is_zipfile(path):
            return _unpacked(path, place / _PACKED)
        return path
    except BaseException:
        shutil.rmtree(place)
        raise


def remove_upload(path: Path, workspace: Workspace) -> None:
    """Remove an upload with everything unpacked from it; one that is gone, or no upload, is left alone."""
    root = (workspace.root / FOLDER).resolve()
    inside = [p for p in (path, *path.parents) if p.parent == root]
    if inside and inside[0].is_dir():
        shutil.rmtree(inside[0])


def is_upload(path: Path, workspace: Workspace) -> bool:
    """True for a path :func:`keep_upload` gave."""
    return (workspace.root / FOLDER).resolve() in path.parents


def sweep_uploads(workspace: Workspace, older_than: float = KEPT_SECONDS) -> int:
    """Remove uploads nobody stored or gave up within ``older_than`` seconds; their number."""
    root = workspace.root / FOLDER
    if not root.is_dir():
        return 0
    old = [p for p in root.iterdir() if time.time() - p.stat().st_mtime >= older_than]
    for place in old:
        shutil.rmtree(place)
    return len(old)


def _private(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    folder.chmod(0o700)
    return folder.resolve()


def _safe_name(name: str) -> str:
    """The last part of a file name, in plain signs; the extension stays."""
    last = PurePosixPath(name.replace("\\", "/")).name
    plain = re.sub(r"[^A-Za-z0-9._-]+", "_", last).lstrip(".")[-100:]
    return plain or "table.csv"


def _unpacked(archive: Path, target: Path) -> Path:
    """The study folder inside a zip; a zip of one table stays packed, since a table is read as a stream."""
    try:
        with zipfile.ZipFile(archive) as packed:
            members = [m for m in packed.infolist() if not m.is_dir() and not m.filename.startswith("__MACOSX/")]
            if len(members) < 2:
                return archive
            _check_members(members, archive.name)
            target.mkdir(mode=0o700)
            for member in members:
                packed.extract(member, target)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError) as error:
        raise PrognoscopeError("a damaged archive", archive.name, "pack it again") from error
    archive.unlink()
    inside = [p for p in target.iterdir() if not p.name.startswith(".")]
    # an archive of one folder is that folder
    while len(inside) == 1 and inside[0].is_dir():
        target = inside[0]
        inside = [p for p in target.iterdir() if not p.name.startswith(".")]
    return target


def _check_members(members: list[zipfile.ZipInfo], where: str) -> None:
    """Refuse whatever could be written outside the folder, fill the disk, or is not readable."""
    if any(leaves_folder(m.filename) for m in members):
        raise PrognoscopeError(
            "an archive with file names that lead out of its folder (../)", where, "pack it again without them"
        )
    if any(m.flag_bits & 1 for m in members):
        raise PrognoscopeError("an encrypted archive", where, "pack it again without a password")
    if any(stat.S_ISLNK(m.external_attr >> 16) for m in members):
        raise PrognoscopeError("an archive with links", where, "pack the files themselves")
    if len(members) > MOST_FILES:
        raise PrognoscopeError(f"an archive of {len(members):,} files", where, f"pack at most {MOST_FILES:,}")
    if sum(m.file_size for m in members) > MOST_BYTES:
        raise PrognoscopeError(
            f"an archive of more than {MOST_BYTES // 1024**3} GB unpacked", where,
            "put the folder into an import folder of this machine instead",
        )  # fmt: skip
