"""Runs in the workspace: written whole, checked when read."""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Callable
from pathlib import Path

from core.errors import PrognoscopeError
from core.results.files import MANIFEST, new_folder, read_json, verify_folder, write_json
from core.results.prediction import Predictions
from core.results.run import Run
from core.results.workspace import Workspace


def save_run(
    run: Run, predictions: Predictions, workspace: Workspace, add_files: Callable[[Path], None] | None = None
) -> None:
    """Store a run; ``add_files`` may put checkpoints and histories into the folder before it is sealed."""
    target = workspace.run(run.id)
    if target.exists():
        raise PrognoscopeError(f"a run {run.id!r} exists", "the workspace", "runs are immutable: train under a new id")
    with new_folder(target) as folder:
        write_json(folder / "run.json", run.as_json())
        predictions.write(folder)
        if add_files is not None:
            add_files(folder)


def list_runs(workspace: Workspace) -> tuple[Run, ...]:
    """Every finished run, oldest first; a folder without a manifest was never finished."""
    names = [name for name in workspace.names(workspace.runs) if (workspace.run(name) / MANIFEST).is_file()]
    for name in names:
        verify_folder(workspace.run(name), ("run.json",))
    return tuple(Run.from_json(read_json(workspace.run(name) / "run.json")) for name in names)


def load_run(run_id: str, workspace: Workspace, verify: bool = True) -> Run:
    """One run; every file beside it is checked against its hash first."""
    folder = _existing(run_id, workspace)
    if verify:
        verify_folder(folder)
    return Run.from_json(read_json(folder / "run.json"))


def load_predictions(run_id: str, workspace: Workspace) -> Predictions:
    """The out-of-fold predictions of a run, checked against their hash."""
    folder = _existing(run_id, workspace)
    verify_folder(folder, ("predictions.parquet",))
    return Predictions.read(folder)


def delete_run(run_id: str, workspace: Workspace) -> None:
    """Remove a run and everything stored with it, also a damaged one."""
    folder = _existing(run_id, workspace)
    # moved aside first: a removal that is stopped half way leaves no half of a run behind
    aside = folder.with_name(f".{folder.name}.{uuid.uuid4().hex}.old")
    folder.replace(aside)
    shutil.rmtree(aside)


def _existing(run_id: str, workspace: Workspace) -> Path:
    folder = workspace.run(run_id)
    if not folder.is_dir():
        known = ", ".join(workspace.names(workspace.runs)) or "none yet"
        raise PrognoscopeError(f"no run named {run_id!r}", "the workspace", f"use one of: {known}")
    return folder
