"""What pages read from the workspace, remembered for the session that read it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import streamlit as st

from core.access.seen import list_runs
from core.arrays import BoolArray, IntArray
from core.cohort.cohort import Cohort
from core.cohort.selection import Selected
from core.cohort.storage import load_cohort
from core.results.files import MANIFEST
from core.results.prediction import Predictions
from core.results.run import Run
from core.results.run_store import load_predictions
from core.results.workspace import Workspace
from pages.widgets.state import PageState


@dataclass(frozen=True, eq=False)
class View:
    """Everything a page draws from: the state, its cohort, the runs of that cohort, and who is selected."""

    workspace: Workspace
    state: PageState
    cohort: Cohort
    runs: tuple[Run, ...]
    selected: Selected

    @property
    def run(self) -> Run | None:
        """The chosen run, or None."""
        return next((run for run in self.runs if run.id == self.state.run), None)

    @property
    def rows(self) -> IntArray:
        """Row numbers of the selected patients."""
        return np.flatnonzero(self.selected.mask)

    @property
    def mask(self) -> BoolArray:
        return self.selected.mask


def read_cohort(name: str, workspace: Workspace) -> Cohort:
    """A cohort, read and checked once a session and again whenever its files change."""
    manifest = workspace.cohort(name) / MANIFEST
    stamp = manifest.stat().st_mtime_ns if manifest.is_file() else 0
    return _cohort(str(workspace.root), name, stamp)


@st.cache_resource(scope="session", show_spinner=False, max_entries=3)
def _cohort(root: str, name: str, stamp: int) -> Cohort:
    from pathlib import Path

    return load_cohort(name, Workspace(Path(root)))


def runs_of(cohort: str, workspace: Workspace) -> tuple[Run, ...]:
    """The runs trained on a cohort, the newest first."""
    return tuple(sorted((r for r in list_runs(workspace) if r.cohort == cohort), key=lambda r: r.created_at)[::-1])


def read_predictions(run: Run, workspace: Workspace) -> Predictions:
    """A run's predictions, read once a session (they speak of single patients)."""
    return _predictions(str(workspace.root), run.id, run.created_at)


@st.cache_resource(scope="session", show_spinner=False, max_entries=4)
def _predictions(root: str, run_id: str, created_at: str) -> Predictions:
    from pathlib import Path

    return load_predictions(run_id, Workspace(Path(root)))
