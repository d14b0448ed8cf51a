"""An import as a job: a large study is checked or stored where no page has to wait for it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from core.cohort.checking import check_import
from core.cohort.import_request import ImportRequest, check_allowed, clear_uploads, store
from core.jobs.task import JobContext
from core.results.files import write_json
from core.results.workspace import Workspace

BEGUN = "begun.json"
"""In the job's folder from the moment at which the name was free and the import began."""


def import_study(arguments: Mapping[str, Any], workspace: Workspace, context: JobContext) -> Mapping[str, Any]:
    """Store a study, or with ``check_only`` read it and store nothing.

    Returns
    -------
    mapping
        ``{"cohort": name}``, or ``{"checked": …}`` as :meth:`core.cohort.checking.Checked.as_json`.
    """
    given = dict(arguments)
    only = given.pop("check_only", False)
    request = ImportRequest(**given)
    if not only:
        return {"cohort": _stored(request, workspace, context)}
    path = check_allowed(request, workspace)
    return {"checked": check_import(path, progress=context.progress, **request.options()).as_json()}


def _stored(request: ImportRequest, workspace: Workspace, context: JobContext) -> str:
    """The name of the cohort. An attempt that was stopped after it had stored the cohort is taken up, not refused for
    the name it took itself: what it began with is kept in the job's folder."""
    begun = context.folder / BEGUN
    there = workspace.cohort(request.name).exists()
    if there and begun.is_file():
        clear_uploads(request, workspace)
        return request.name
    if not there:
        write_json(begun, {"name": request.name})
    return store(request, workspace, context.progress).name
