"""``bench pages``: the server's time to run each page again at a thousand patients, and when a first visitor sees
something and everything.

The pages are run by a program of their own (``pages.widgets.rerun_times``): nothing here knows how a page is drawn.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from core.errors import PrognoscopeError
from core.results.workspace import Workspace
from core.tasks.bench import BenchResult, BenchRow, Progress
from core.tasks.first_paint import first_visits, why_not
from core.tasks.pages_workspace import PATIENTS, fill_workspace
from core.tasks.provenance import ROOT

PROGRAM = "pages.widgets.rerun_times"
RERUNS, RERUNS_FULL = 40, 200
VISITS, VISITS_FULL = 3, 7
PAGE_LIMIT_MS, PAINT_LIMIT_MS = 400.0, 2000.0


def bench_pages(workspace: Workspace, full: bool, progress: Progress) -> BenchResult:
    """Measure on a workspace of the bench's own; ``full`` asks for five times as many reruns.

    Raises
    ------
    PrognoscopeError
        When a page shows an error or cannot be run.
    """
    with tempfile.TemporaryDirectory() as folder:
        own = Workspace(Path(folder) / "workspace")
        fill_workspace(own, lambda share, words: progress(0.6 * share, words))
        progress(0.6, "running the pages again")
        pages = _reruns(own, RERUNS_FULL if full else RERUNS)
        progress(0.9, "the first visit")
        lacking = why_not()
        visits = [] if lacking else first_visits(own, VISITS_FULL if full else VISITS)
    rows = [row for name, found in pages.items() for row in page_rows(name, found)]
    if visits:
        rows.append(_row("first_visit:paint_ms", statistics.median(v.painted for v in visits), PAINT_LIMIT_MS))
        rows.append(BenchRow("first_visit:whole_ms", statistics.median(v.whole for v in visits), "ms"))
    extra = {
        "patients": PATIENTS,
        "reruns": {name: len(found["clock"]) for name, found in pages.items()},
        "paints_ms": [round(v.painted) for v in visits],
        "paint_skipped": lacking,
        "cpus": os.cpu_count(),
        "load": os.getloadavg()[0],
    }
    return BenchResult(tuple(rows), extra)


def page_rows(name: str, found: Mapping[str, Any]) -> list[BenchRow]:
    """The page's p95 by the clock against the limit, and of processor time, which a busy machine changes less.

    Raises
    ------
    PrognoscopeError
        When the page showed an error in any rerun.
    """
    if found["exceptions"]:
        raise PrognoscopeError(
            f"an error on a page: {found['exceptions'][0]}", f"bench pages, {name}", "open the page and do the same"
        )
    clock, processor = (float(np.quantile(found[key], 0.95)) for key in ("clock", "processor"))
    return [
        _row(f"page:{name}:p95_ms", clock, PAGE_LIMIT_MS),
        BenchRow(f"page:{name}:p95_ms, processor time", processor, "ms"),
    ]


def _row(name: str, value: float, limit: float) -> BenchRow:
    """A time against its limit: the ratio says how many times faster it is."""
    return BenchRow(name, value, "ms", limit, limit / value, 1.0)


def _reruns(workspace: Workspace, reruns: int) -> dict[str, Any]:
    """Page → what was measured, in a process that has torch as little as the server has."""
    done = subprocess.run(
        [sys.executable, "-m", PROGRAM, "--reruns", str(reruns)],
        cwd=ROOT, env={**os.environ, "PROGNOSCOPE_WORKSPACE": str(workspace.root)}, capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    if done.returncode:
        raise PrognoscopeError(
            f"the pages could not be run: {done.stderr.strip().splitlines()[-1:]}", "bench pages",
            f"run python -m {PROGRAM} to see all of it",
        )  # fmt: skip
    found: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return found
