"""The maps asked for last stay in memory: a viewer asks for one layer after the other."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from core.results.explained import Kind, explained_folder
from core.results.files import MANIFEST
from core.results.slide_maps import SlideMaps, load_slide_maps
from core.results.workspace import Workspace


def stored_maps(run: str, patient: str, workspace: Workspace) -> SlideMaps:
    """The maps of a patient under a run, read again when they were made anew; raises when there are none."""
    manifest = explained_folder(Kind.SLIDE, run, patient, None, workspace) / MANIFEST
    return _read(run, patient, str(workspace.root), manifest.stat().st_mtime_ns if manifest.is_file() else 0)


@lru_cache(maxsize=6)
def _read(run: str, patient: str, root: str, changed: int) -> SlideMaps:
    return load_slide_maps(run, patient, Workspace(Path(root)))
