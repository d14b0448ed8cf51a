"""An import in plain values: what the wizard asks for, what a job carries, and how it is stored."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from core.cohort.cohort import Cohort
from core.cohort.import_roots import path_inside_roots
from core.cohort.importers.draft import Progress, silent
from core.cohort.importing import import_into
from core.cohort.media_index import load_media
from core.cohort.preview import FOLDER
from core.cohort.uploads import is_upload, remove_upload
from core.errors import PrognoscopeError
from core.results.workspace import Workspace

LARGE_BYTES = 50 * 1024**2
"""Above this an import is work for the queue, not for the page."""


@dataclass(frozen=True)
class ImportRequest:
    """A study, the name it is to have, and what the user said about it; empty means "as recognised"."""

    path: str
    name: str
    title: str = ""
    format: str = ""
    columns: Mapping[str, str] = field(default_factory=dict)
    events: Mapping[str, str] = field(default_factory=dict)

    def options(self) -> dict[str, Any]:
        """The keyword arguments of :func:`core.cohort.importing.import_cohort`."""
        return {
            "format": self.format or None,
            "columns": dict(self.columns) or None,
            "events": dict(self.events) or None,
            "title": self.title or None,
        }


def is_large(path: Path, format: str) -> bool:
    """True for a study that takes long to read: a folder of patients' files, or more than :data:`LARGE_BYTES`."""
    if format == FOLDER:
        return True
    files = path.rglob("*") if path.is_dir() else [path]
    return sum(p.stat().st_size for p in files if p.is_file()) > LARGE_BYTES


def store(request: ImportRequest, workspace: Workspace, progress: Progress = silent) -> Cohort:
    """Import a study under a new name. What was uploaded for it is removed; files of patients in it are kept.

    Raises
    ------
    PrognoscopeError
        When a cohort of that name exists, the path is neither an upload nor inside an import root, or the study is
        refused. The workspace then holds what it held before, the upload included.
    """
    path = Path(request.path)
    if workspace.cohort(request.name).exists():
        raise PrognoscopeError(
            f"a cohort named {request.name!r} exists", "the workspace", "choose another name or delete that cohort"
        )
    if not is_upload(path, workspace):
        path = path_inside_roots(request.path, workspace)
        return import_into(workspace, path, request.name, progress=progress, **request.options())
    _bring_back(path, workspace.media_of(request.name))
    if path.is_dir():
        cohort = _store_folder(path, request, workspace, progress)
    else:
        cohort = import_into(workspace, path, request.name, progress=progress, **request.options())
    remove_upload(path, workspace)
    return cohort


def _bring_back(path: Path, lasting: Path) -> None:
    """Undo the move of an attempt that was killed half way, so that the next one starts as the first did."""
    if not path.exists() and path.parent.is_dir() and lasting.is_dir():
        lasting.rename(path)


def _store_folder(path: Path, request: ImportRequest, workspace: Workspace, progress: Progress) -> Cohort:
    """Import an unpacked study from its lasting place: the index of media holds the paths of its files."""
    lasting = workspace.media_of(request.name)
    if lasting.exists():
        raise PrognoscopeError("files of an earlier cohort of this name", "the workspace", "choose another name")
    lasting.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    path.rename(lasting)
    lasting.chmod(0o700)
    stored = False
    try:
        cohort = import_into(workspace, lasting, request.name, progress=progress, **request.options())
        stored = True
    finally:
        if not stored:
            lasting.rename(path)
    if not load_media(request.name, workspace).files:
        shutil.rmtree(lasting)  # tables only: everything is in the cohort now
    return cohort
