"""``doctor``: what this machine has, what is missing, how to get it."""

from __future__ import annotations

import argparse
import importlib.metadata
import platform
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from core.cli.output import Answer, table
from core.results.workspace import Workspace
from core.tasks.provenance import code_version

PACKAGES = (
    "torch", "streamlit", "plotly", "pandas", "numpy", "scipy", "lifelines", "scikit-survival", "SurvivalEVAL",
    "safetensors", "pyarrow", "kaleido", "openslide-python", "playwright",
)  # fmt: skip
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")


@dataclass(frozen=True)
class Finding:
    """One line of the report: what was looked at, what was found, and what to do when it is not fine."""

    name: str
    found: str
    fine: bool = True
    fix: str = ""


def add_commands(commands: Any) -> None:
    """Register the command of this file."""
    commands.add_parser("doctor", help="versions, GPU, OpenSlide, browser, disk").set_defaults(run=run_doctor)


def run_doctor(args: argparse.Namespace, workspace: Workspace) -> Answer:
    """Look at everything; never fails because something is missing."""
    findings = examine(workspace)
    rows = [("ok" if f.fine else "!!", f.name, f.found, f.fix) for f in findings]
    missing = [f.name for f in findings if not f.fine]
    end = "Everything needed is here." if not missing else f"Missing: {', '.join(missing)}."
    answer = {"findings": [vars(f) for f in findings], "missing": missing}
    return Answer(answer, [*table(("", "what", "found", "to do"), rows), "", end])


def examine(workspace: Workspace) -> tuple[Finding, ...]:
    """All findings."""
    python = platform.python_version()
    findings = [
        Finding("Prognoscope", code_version()),
        Finding("Python", python, sys.version_info[:2] == (3, 11), "use Python 3.11, the version this was built on"),
        *(_package(name) for name in PACKAGES),
        _gpu(),
        _openslide(),
        _browser(),
        _program("R", "Rscript", "optional, runs the exported R code: apt-get install r-base-core r-cran-survival"),
        _disk(workspace.root),
        _writable(workspace.root),
    ]
    return tuple(Finding(f.name, f.found, f.fine, "" if f.fine else f.fix) for f in findings)


def _package(name: str) -> Finding:
    try:
        return Finding(name, importlib.metadata.version(name))
    except importlib.metadata.PackageNotFoundError:
        return Finding(name, "not installed", False, ".venv/bin/pip install -r requirements.txt")


def _gpu() -> Finding:
    if torch.cuda.is_available():
        memory = torch.cuda.get_device_properties(0).total_memory / 2**30
        return Finding("GPU", f"{torch.cuda.get_device_name(0)}, {memory:.0f} GiB")
    return Finding("GPU", f"none: training runs on {torch.get_num_threads()} CPU threads")


def _openslide() -> Finding:
    fix = ".venv/bin/pip install openslide-python openslide-bin"
    try:
        import openslide
    except (ImportError, OSError) as error:
        return Finding("OpenSlide", f"not usable ({type(error).__name__})", False, fix)
    return Finding("OpenSlide", str(openslide.__library_version__))


def _browser() -> Finding:
    for name in BROWSERS:
        path = shutil.which(name)
        if path:
            return Finding("browser", path)
    return Finding("browser", "none", False, "for figure exports and browser tests: apt-get install chromium")


def _program(name: str, command: str, note: str) -> Finding:
    path = shutil.which(command)
    return Finding(name, path or f"none ({note})")


def _disk(folder: Path) -> Finding:
    existing = next(p for p in (folder, *folder.parents) if p.exists())
    free = shutil.disk_usage(existing).free / 2**30
    return Finding("disk", f"{free:.0f} GiB free for {folder}", free > 2, "free at least 2 GiB")


def _writable(folder: Path) -> Finding:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / ".probe").touch()
        (folder / ".probe").unlink()
    except OSError as error:
        return Finding("workspace", f"cannot be written: {error.strerror}", False, "set PROGNOSCOPE_WORKSPACE")
    return Finding("workspace", str(folder))
