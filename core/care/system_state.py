"""What the System page tells of the program, the machine and the workspace. Nothing of it says who a patient is."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import shutil
import subprocess
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import core
from core.care.snapshot import sizes
from core.jobs.job import JobState
from core.jobs.queue import JobQueue
from core.results.erasures import erased_patients
from core.results.files import read_json
from core.results.run import Run
from core.results.run_store import list_runs
from core.results.workspace import Workspace

ROOT = Path(__file__).resolve().parents[2]
LIBRARIES = (
    "torch", "streamlit", "plotly", "numpy", "pandas", "pyarrow", "lifelines", "scikit-survival", "safetensors",
    "openslide-python", "nibabel", "pydicom", "napari", "reportlab",
)  # fmt: skip
PARTS = {
    "cohorts": "Cohorts",
    "media": "Slides, scans and reports kept here",
    "features": "Encoded features",
    "runs": "Runs with their models",
    "explanations": "Explanations",
    "predictions": "Estimates for other cohorts",
    "boards": "Board lists and frozen pages",
    "cells": "Cached benchmark results",
    "jobs": "Queue, logs of jobs",
    "protected": "Protected: original ids, keys, audit log",
    "backups": "Backups made here",
    "uploads": "Uploads not stored yet",
    "incoming": "Incoming studies",
}
RESIDENT = "resident.json"


@dataclass(frozen=True)
class DiskPart:
    """A part of the workspace and what it takes."""

    words: str
    files: int
    bytes: int


@dataclass(frozen=True)
class Disk:
    """``parts`` the largest first · ``free`` and ``total`` bytes of the disk · ``writable`` whether anything can be
    kept."""

    parts: tuple[DiskPart, ...]
    free: int
    total: int
    writable: bool

    @property
    def used(self) -> int:
        """Bytes of the workspace."""
        return sum(p.bytes for p in self.parts)


@dataclass(frozen=True)
class JobCounts:
    """How many jobs there are of each kind; ``failed`` among those that are remembered."""

    running: int
    waiting: int
    failed: int


@dataclass(frozen=True)
class RunLine:
    """A run as a line: ``bytes`` it takes · ``loaded`` whether the resident worker has it in memory · ``erased``
    patients who were erased since."""

    run: Run
    bytes: int
    loaded: bool
    erased: int


@lru_cache(maxsize=1)
def versions() -> tuple[tuple[str, str], ...]:
    """(what, version) of the program, Python, the system and the libraries that matter."""
    found = [("Prognoscope", program_version()), ("Python", platform.python_version()), ("System", _system())]
    for name in LIBRARIES:
        try:
            found.append((name, importlib.metadata.version(name)))
        except importlib.metadata.PackageNotFoundError:
            found.append((name, "not installed"))
    return (*found, ("Graphics card", graphics_card()))


@lru_cache(maxsize=1)
def program_version() -> str:
    """``0.4.0``, with the commit in a checkout."""
    try:
        commit = subprocess.run(
            ["git", "rev-parse", "--short=12", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=True, timeout=5
        ).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return core.__version__
    return f"{core.__version__} ({commit})"


def _system() -> str:
    return f"{platform.system()} {platform.release()}, {platform.machine()}, {os.cpu_count()} processors"


@lru_cache(maxsize=1)
def graphics_card() -> str:
    """The names of the NVIDIA cards, as the driver tells them; the web process itself never loads torch."""
    try:
        named = subprocess.run(
            ["nvidia-smi", "--query-gpu=name,memory.total", "--format=csv,noheader"],
            capture_output=True, text=True, check=True, timeout=5,
        ).stdout.strip()  # fmt: skip
    except (OSError, subprocess.SubprocessError):
        return "none: training runs on the processor"
    return "; ".join(line.strip() for line in named.splitlines()) or "none: training runs on the processor"


def disk_of(workspace: Workspace) -> Disk:
    """What takes how much; walks all files, so a page keeps the answer for a while."""
    place = next(p for p in (workspace.root, *workspace.root.parents) if p.exists())
    usage = shutil.disk_usage(place)
    known = {name: sizes(workspace.root / name) for name in PARTS if (workspace.root / name).is_dir()}
    parts = [DiskPart(PARTS[name], files, size) for name, (files, size) in known.items() if files]
    other_files, other_size = 0, 0
    if workspace.root.is_dir():
        for path in workspace.root.iterdir():
            if path.name not in PARTS and not path.name.startswith("."):
                files, size = sizes(path) if path.is_dir() else (1, path.lstat().st_size)
                other_files, other_size = other_files + files, other_size + size
    parts += [DiskPart("Everything else", other_files, other_size)] if other_files else []
    parts.sort(key=lambda p: -p.bytes)
    return Disk(tuple(parts), usage.free, usage.total, os.access(place, os.W_OK) and not _read_only(place))


def _read_only(place: Path) -> bool:
    return bool(os.statvfs(place).f_flag & os.ST_RDONLY)


def job_counts(workspace: Workspace) -> JobCounts:
    """Numbers of the queue; all zero where no job was ever submitted."""
    queue = JobQueue(workspace)
    states = [job.state for job in queue.jobs(1000)] if queue.path.is_file() else []
    return JobCounts(states.count(JobState.RUNNING), states.count(JobState.QUEUED), states.count(JobState.FAILED))


def run_lines(workspace: Workspace) -> tuple[RunLine, ...]:
    """Every run, the newest first."""
    loaded = loaded_runs(workspace)
    runs = sorted(list_runs(workspace), key=lambda r: r.created_at, reverse=True)
    return tuple(RunLine(r, sizes(workspace.run(r.id))[1], r.id in loaded, erased_patients(r)) for r in runs)


def loaded_runs(workspace: Workspace) -> frozenset[str]:
    """Runs that a living resident worker says it has in memory."""
    path = workspace.root / "jobs" / RESIDENT
    if not path.is_file():
        return frozenset()
    told = read_json(path)
    return frozenset(told["runs"]) if Path(f"/proc/{int(told['pid'])}").is_dir() else frozenset()
