"""An import in plain values: what the wizard asks for, what a job carries, and how it is stored."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from core.cohort.cohort import Cohort
from core.cohort.import_roots import path_inside_roots
from core.cohort.importers.draft import Progress, silent
from core.cohort.importers.folder import FORMAT as FOLDER
from core.cohort.importing import import_into
from core.cohort.report_findings import Identifying
from core.cohort.uploads import is_upload, remove_upload
from core.errors import PrognoscopeError
from core.results.workspace import Workspace

LARGE_BYTES = 20 << 20
"""Above this an import is work for the queue, not for the page: reading so much takes about ten seconds."""


@dataclass(frozen=True)
class ImportRequest:
    """A study, the name it is to have, and what the user said about it; empty means "as recognised".

    ``families``, ``clinical``, ``reports`` and ``media`` are paths of what is joined to it · ``identifying`` is what
    becomes of reports that may tell who a patient is (:class:`core.cohort.report_findings.Identifying`).
    """

    path: str
    name: str
    title: str = ""
    format: str = ""
    columns: Mapping[str, str] = field(default_factory=dict)
    events: Mapping[str, str] = field(default_factory=dict)
    families: str = ""
    clinical: Sequence[str] = ()
    reports: Sequence[str] = ()
    media: Sequence[str] = ()
    identifying: str = ""

    @property
    def beside(self) -> tuple[str, ...]:
        """Paths of what is joined to the study, media apart."""
        return (*((self.families,) if self.families else ()), *self.clinical, *self.reports)

    def options(self) -> dict[str, Any]:
        """The keyword arguments of :func:`core.cohort.importing.import_cohort`."""
        return {
            "format": self.format or None,
            "columns": dict(self.columns) or None,
            "events": dict(self.events) or None,
            "title": self.title or None,
            "families": Path(self.families) if self.families else None,
            "clinical": [Path(p) for p in self.clinical],
            "reports": [Path(p) for p in self.reports],
            "media": [Path(p) for p in self.media],
            "identifying": Identifying(self.identifying) if self.identifying else None,
        }


def is_large(path: Path, format: str) -> bool:
    """True for a study that takes long to read: a folder of patients' files, or more than :data:`LARGE_BYTES`."""
    if format == FOLDER:
        return True
    files = path.rglob("*") if path.is_dir() else [path]
    return sum(p.stat().st_size for p in files if p.is_file()) > LARGE_BYTES


def allowed(path: str, workspace: Workspace) -> Path:
    """The path of a request, when it is an upload or lies inside an import root; raises otherwise."""
    return Path(path) if is_upload(Path(path), workspace) else path_inside_roots(path, workspace)


def check_allowed(request: ImportRequest, workspace: Workspace) -> Path:
    """The path of the study, when everything the request names may be read; raises otherwise."""
    for path in request.beside:
        allowed(path, workspace)
    for table in request.media:
        path_inside_roots(table, workspace)
        path_inside_roots(str(Path(table).parent), workspace)  # what it names lies below: no link may lead elsewhere
    return allowed(request.path, workspace)


def store(request: ImportRequest, workspace: Workspace, progress: Progress = silent) -> Cohort:
    """Import a study under a new name; what was uploaded for it is removed.

    Raises
    ------
    PrognoscopeError
        When a cohort of that name exists, the path may not be read, or the study is refused. The workspace then
        holds what it held before, the upload included.
    """
    if workspace.cohort(request.name).exists():
        raise PrognoscopeError(
            f"a cohort named {request.name!r} exists", "the workspace", "choose another name or delete that cohort"
        )
    path = check_allowed(request, workspace)
    cohort = import_into(workspace, path, request.name, progress=progress, **request.options())
    clear_uploads(request, workspace)
    return cohort


def clear_uploads(request: ImportRequest, workspace: Workspace) -> None:
    """Remove what was uploaded for a study that is stored; what was no upload stays."""
    for used in (request.path, *request.beside):
        remove_upload(Path(used), workspace)
