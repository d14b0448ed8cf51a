"""An import as a job: a large study is checked or stored where no page has to wait for it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from core.cohort.checking import check_import
from core.cohort.import_request import ImportRequest, check_allowed, store
from core.jobs.task import JobContext
from core.results.workspace import Workspace


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
        return {"cohort": store(request, workspace, context.progress).name}
    path = check_allowed(request, workspace)
    return {"checked": check_import(path, progress=context.progress, **request.options()).as_json()}
