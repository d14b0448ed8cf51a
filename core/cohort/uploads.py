"""Uploaded files: kept in a private folder of the workspace until they are stored as a cohort or given up."""

from __future__ import annotations

import re
import secrets
import shutil
import time
from pathlib import Path, PurePosixPath

from core.cohort.importers.archive import file_count, unpack_archive
from core.results.workspace import Workspace

FOLDER = "uploads"
MOST_BYTES = 4 << 30
"""What an archive may hold, unpacked, to be looked into here; a larger study is imported as a folder."""
KEPT_SECONDS = 24 * 3600
"""After this long an upload nobody stored is removed by the next visit."""


def keep_upload(name: str, content: bytes | memoryview, workspace: Workspace) -> Path:
    """Write an uploaded file into a folder of its own, readable by its owner only.

    Parameters
    ----------
    name : str
        As the user's machine calls it; only its last part is used, without unusual signs.
    """
    path = new_place(workspace) / _safe_name(name)
    path.touch(mode=0o600)
    path.write_bytes(content)
    return path


def opened(path: Path, workspace: Workspace) -> Path:
    """The study to look into: a zip of several files is unpacked into a private folder, anything else is itself.

    A zip of one table stays packed, since a table is read as a stream.

    Raises
    ------
    PrognoscopeError
        For an archive that is damaged, encrypted, unsafe or too large. Nothing is left of it but the archive.
    """
    if file_count(path) < 2:
        return path
    target = (path.parent if is_upload(path, workspace) else new_place(workspace)) / path.stem
    if target == path:
        target = path.parent / f"{path.stem}_study"
    unpack_archive(path, target, MOST_BYTES)
    inside = [p for p in target.iterdir() if not p.name.startswith(".")]
    return inside[0] if len(inside) == 1 and inside[0].is_dir() else target


def remove_upload(path: Path, workspace: Workspace) -> None:
    """Remove an upload with everything unpacked from it; one that is gone, or no upload, is left alone."""
    root = _root(workspace)
    inside = [p for p in (path, *path.parents) if p.parent == root]
    if inside and inside[0].is_dir():
        shutil.rmtree(inside[0])


def is_upload(path: Path, workspace: Workspace) -> bool:
    """True for a path :func:`keep_upload` or :func:`opened` made; a path with ``..`` is none."""
    return ".." not in path.parts and _root(workspace) in path.parents


def sweep_uploads(workspace: Workspace, older_than: float = KEPT_SECONDS) -> int:
    """Remove uploads nobody stored or gave up within ``older_than`` seconds; their number."""
    root = _root(workspace)
    if not root.is_dir():
        return 0
    old = [p for p in root.iterdir() if time.time() - p.stat().st_mtime >= older_than]
    for place in old:
        shutil.rmtree(place)
    return len(old)


def _root(workspace: Workspace) -> Path:
    return workspace.root.resolve() / FOLDER


def new_place(workspace: Workspace) -> Path:
    """A new private folder for an upload; it goes with :func:`remove_upload`, or a day later."""
    root = _root(workspace)
    root.mkdir(parents=True, exist_ok=True, mode=0o700)
    root.chmod(0o700)
    place = root / secrets.token_hex(12)
    place.mkdir(mode=0o700)
    return place


def _safe_name(name: str) -> str:
    """The last part of a file name, in plain signs; the extension stays."""
    last = PurePosixPath(name.replace("\\", "/")).name
    plain = re.sub(r"[^A-Za-z0-9._-]+", "_", last).lstrip(".")[-100:]
    return plain or "table.csv"
