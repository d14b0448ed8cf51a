"""How long a start takes: the command line, the sample cohort and its table, the server until it answers."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median
from time import perf_counter

from core.cohort.sample import make_sample_cohort, save_sample
from core.results.workspace import Workspace
from core.tasks.bench import BenchRow
from core.tasks.first_paint import seconds_to_health
from core.tasks.provenance import ROOT
from core.tasks.speed.patients import import_seconds


def startup_rows(repeats: int = 3, server: bool = True) -> list[BenchRow]:
    """Medians of ``repeats``; without ``server`` nothing is served."""
    with tempfile.TemporaryDirectory(prefix="prognoscope-bench-") as folder:
        workspace = Workspace(Path(folder) / "workspace")
        started = perf_counter()
        cohort = save_sample(workspace)
        made = perf_counter() - started
        table = median(import_seconds(make_sample_cohort()[0]) for _ in range(repeats))
        command = median(_command_seconds(workspace) for _ in range(repeats))
        rows = [
            BenchRow(f"start:sample cohort made and stored ({len(cohort)} patients)", made, "s"),
            BenchRow(f"start:import of a table of the sample's size ({len(cohort)} patients)", table, "s"),
            BenchRow("start:./run cli cohorts", command, "s"),
        ]
        if server:
            rows.append(BenchRow("start:server until it answers", median(seconds_to_health(workspace, repeats)), "s"))
    return rows


def _command_seconds(workspace: Workspace) -> float:
    started = perf_counter()
    subprocess.run(
        [sys.executable, "-m", "core.cli", "cohorts", "--json"], cwd=ROOT, capture_output=True, check=True,
        env={**os.environ, "PROGNOSCOPE_WORKSPACE": str(workspace.root)},
    )  # fmt: skip
    return perf_counter() - started
