"""What the resident worker answers: a closed table of requests over runs that it keeps in memory."""

from __future__ import annotations

import os
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import torch

from core.care.system_state import RESIDENT
from core.explain.run_models import RunModels, UnseenModel
from core.explain.what_if import what_if, what_if_options
from core.jobs.resident_loop import Answerer
from core.results.files import MANIFEST, write_json
from core.results.what_if import WhatIfChange
from core.results.workspace import Workspace
from core.tasks.run_models import open_run

KEPT = 3
"""Runs in memory at a time; the one not asked about for longest goes first."""


@dataclass(eq=False)
class OpenRun:
    """A run and those of its models that were asked for, by fold."""

    models: RunModels
    by_fold: dict[int, tuple[UnseenModel, ...]] = field(default_factory=dict)

    def unseen(self, patient: str) -> tuple[UnseenModel, ...]:
        """The models that never saw this patient."""
        fold = int(self.models.fold[self.models.row(patient)])
        if fold not in self.by_fold:
            self.by_fold[fold] = self.models.of_fold(fold)
        return self.by_fold[fold]


class OpenRuns:
    """Opened runs, opened again when their files, or their cohort's, were written anew."""

    def __init__(self, workspace: Workspace) -> None:
        self.workspace = workspace
        self._open: OrderedDict[tuple[str, str], tuple[tuple[int, ...], OpenRun]] = OrderedDict()

    def get(self, run_id: str, new: str = "") -> OpenRun:
        """The run, from memory where that is still what lies on the disk; ``new`` a cohort of patients new to it."""
        key = (run_id, new)
        if key in self._open and self._open[key][0] == self._written(self._open[key][1]):
            self._open.move_to_end(key)
            return self._open[key][1]
        opened = OpenRun(open_run(run_id, self.workspace, new))
        self._open[key] = (self._written(opened), opened)
        self._open.move_to_end(key)
        while len(self._open) > KEPT:
            self._open.popitem(last=False)
        self._tell()
        return opened

    def _tell(self) -> None:
        """Say which runs are in memory, for the System page."""
        runs = sorted({run for run, _ in self._open})
        write_json(self.workspace.root / "jobs" / RESIDENT, {"pid": os.getpid(), "runs": runs})

    def _written(self, opened: OpenRun) -> tuple[int, ...]:
        """When run, cohorts and features were last written (0 = not there)."""
        models = opened.models
        cohorts = [models.run.cohort, *([models.strangers] if models.strangers else [])]
        paths = (
            self.workspace.run(models.run.id) / MANIFEST,
            *(self.workspace.cohort(c) / MANIFEST for c in cohorts),
            *(self.workspace.features / f"{c}.json" for c in cohorts),
        )
        return tuple(p.stat().st_mtime_ns if p.is_file() else 0 for p in paths)


def requests(workspace: Workspace) -> Mapping[str, Answerer]:
    """The requests there are; each takes and gives plain JSON values.

    ``what_if_options`` {run, patient} → :class:`core.results.what_if.WhatIfOptions` ·
    ``what_if`` {run, patient, change} → :class:`core.results.what_if.WhatIf`; ``cohort`` beside them names that of a
    patient who is new to the run.
    """
    torch.set_num_threads(1)  # one patient is too little to share out, and threads that wait for each other cost more
    runs = OpenRuns(workspace)

    def options(arguments: Mapping[str, Any]) -> Mapping[str, Any]:
        opened = runs.get(arguments["run"], str(arguments.get("cohort", "")))
        return what_if_options(opened.models, arguments["patient"]).as_json()

    def changed(arguments: Mapping[str, Any]) -> Mapping[str, Any]:
        opened, patient = runs.get(arguments["run"], str(arguments.get("cohort", ""))), arguments["patient"]
        change = WhatIfChange.from_json(arguments.get("change", {}))
        return what_if(opened.models, patient, change, opened.unseen(patient)).as_json()

    return {"what_if_options": options, "what_if": changed}
