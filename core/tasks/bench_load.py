"""``bench load``: many readers at once while a model is trained: errors, waiting times, and the server's memory.

The application as ``./run app`` starts it, on a workspace of the bench's own; a program that speaks to it as browsers
do (``pages.widgets.load_clients``: a WebSocket a session, tiles over HTTP); one training in the queue's worker. The
server's resident memory is read every second from the kernel. The growth is that of the last fifth of the time over
the second fifth: the first warms up, and a server that keeps what it should forget grows in every part.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from core.cohort.media_index import MediaFile, MediaIndex, MediaKind, load_media, save_media
from core.cohort.modality import Modality
from core.cohort.sample import NAME, save_sample
from core.cohort.storage import load_cohort
from core.errors import PrognoscopeError
from core.jobs.job import JobState
from core.jobs.queue import JobQueue
from core.jobs.supervise import cancel_job, submit_job
from core.results.run_store import list_runs
from core.results.workspace import Workspace
from core.tasks.bench import BenchResult, BenchRow, Progress
from core.tasks.bench_tiles import write_texture
from core.tasks.pages_workspace import INPUTS, TINY
from core.tasks.provenance import ROOT
from core.tasks.served import served
from core.tasks.train import TrainRequest, train

PROGRAM = "pages.widgets.load_clients"
SESSIONS, SECONDS, PAUSE_S = 25, 300.0, 10.0
MOST_GROWTH = 10.0
SIDE = 8_192
"""Pixels a side of the slide: large enough for three levels of tiles that no session has seen before."""


@dataclass(frozen=True)
class Load:
    """How many sessions, for how many seconds, with which pauses of a reader."""

    sessions: int = SESSIONS
    seconds: float = SECONDS
    pause: float = PAUSE_S


def bench_load(workspace: Workspace, full: bool, progress: Progress) -> BenchResult:
    """Measure with :data:`SESSIONS` sessions for :data:`SECONDS`; the workspace is not touched."""
    return measure_load(Load(), progress)


def measure_load(load: Load, progress: Progress, prepare: Callable[[Workspace], None] | None = None) -> BenchResult:
    """Measure on a workspace of the bench's own.

    Parameters
    ----------
    prepare : function, optional
        Fills the empty workspace with a cohort called ``sample`` and a run of it; by default both are made here.
    """
    with tempfile.TemporaryDirectory() as folder:
        own = Workspace(Path(folder) / "workspace")
        progress(0.0, "a cohort, a run and a slide")
        (prepare or _prepared)(own)
        patient = _with_slide(own, Path(folder))
        with served(own) as (address, server), _training(own) as job:
            progress(0.2, f"{load.sessions} sessions for {load.seconds:g} s")
            with _watched(server) as memory:
                seen = _lived(address, (NAME, list_runs(own)[0].id, patient), load, own)
            trained = JobQueue(own).get(job)
            progress(1.0, "measured")
    if trained.state not in (JobState.RUNNING, JobState.DONE):
        seen["errors"].append(f"the training is {trained.state.value}")
    return BenchResult(tuple(load_rows(seen, memory)), _extra(load, seen, trained.share))


def _prepared(workspace: Workspace) -> None:
    save_sample(workspace, patients=240)
    train(_request(seeds=2, settings=TINY), workspace)


def _request(seeds: int, settings: Mapping[str, Any]) -> TrainRequest:
    return TrainRequest(NAME, "hdmoe", INPUTS, folds="2", seeds=seeds, settings=settings, references=False, processes=1)


def _with_slide(workspace: Workspace, folder: Path) -> str:
    """Give a patient a slide; the patient's pseudonym."""
    cohort = load_cohort(NAME, workspace)
    patient = next(i for i in cohort.ids if bool(cohort.availability.at[i, Modality.SLIDES.value]))
    path = folder / "slide.tif"
    write_texture(path, SIDE)
    slide = MediaFile(patient, Modality.SLIDES, MediaKind.SLIDE, str(path))
    save_media(NAME, MediaIndex((*load_media(NAME, workspace).files, slide)), workspace)
    return patient


@contextmanager
def _training(workspace: Workspace) -> Iterator[str]:
    """A training in the queue's worker that outlasts the measurement; it is cancelled at the end."""
    asked = asdict(_request(seeds=50, settings={"training.epochs": 200}))
    job = submit_job(workspace, "train", asked, "A training beside the readers")
    end = time.monotonic() + 60
    while JobQueue(workspace).get(job.id).state is JobState.QUEUED and time.monotonic() < end:
        time.sleep(0.2)
    try:
        yield job.id
    finally:
        cancel_job(workspace, job.id)
        end = time.monotonic() + 30
        while not JobQueue(workspace).get(job.id).state.finished and time.monotonic() < end:
            time.sleep(0.2)


@contextmanager
def _watched(server: int) -> Iterator[list[float]]:
    """Resident MB of the server's process, once a second."""
    memory: list[float] = []
    over = threading.Event()

    def watch() -> None:
        while not over.wait(1.0 if memory else 0.0):
            memory.append(resident_mb(server))

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield memory
    finally:
        memory.append(resident_mb(server))
        over.set()
        thread.join()


def resident_mb(process: int) -> float:
    """MB of a process in memory."""
    try:
        pages = int(Path(f"/proc/{process}/statm").read_text().split()[1])
    except OSError as error:
        raise PrognoscopeError("a server that ended, or a system without /proc", "bench load", "try again") from error
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def _lived(address: str, shown: tuple[str, str, str], load: Load, workspace: Workspace) -> dict[str, Any]:
    words = [sys.executable, "-m", PROGRAM, "--url", address, "--open", *shown, "--sessions", str(load.sessions)]
    words += ["--seconds", str(load.seconds), "--pause", str(load.pause)]
    environment = {**os.environ, "PROGNOSCOPE_WORKSPACE": str(workspace.root)}
    done = subprocess.run(words, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise PrognoscopeError(
            f"sessions that could not be made: {done.stderr.strip().splitlines()[-1:]}", "bench load",
            f"run python -m {PROGRAM} to see all of it",
        )  # fmt: skip
    found: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return found


def load_rows(seen: Mapping[str, Any], memory: list[float]) -> list[BenchRow]:
    """Errors, p95 of all pages and of each, p95 of the tiles, and the memory with its growth."""
    waits = [ms for found in seen["pages"].values() for ms in found]
    asked = {"page:p95_ms": waits, "tile:p95_ms": seen["tiles"]}
    asked |= {f"page:{name}:p95_ms": found for name, found in sorted(seen["pages"].items())}
    rows = [BenchRow("errors", float(len(seen["errors"])), "")]
    rows += [BenchRow(name, float(np.quantile(ms, 0.95)), "ms") for name, ms in asked.items() if ms]
    start, end, growth = grown(memory)
    return [
        *rows, BenchRow("rss:start_mb, warm", start, "MB"), BenchRow("rss:end_mb", end, "MB"),
        BenchRow("rss:growth_percent", growth, "%", MOST_GROWTH, MOST_GROWTH / max(growth, 0.01), 1.0),
    ]  # fmt: skip


def grown(memory: list[float]) -> tuple[float, float, float]:
    """Median MB of the second and of the last fifth of the time, and by how many per cent the last is more."""
    fifth = max(1, len(memory) // 5)
    start, end = float(np.median(memory[fifth : 2 * fifth] or memory)), float(np.median(memory[-fifth:]))
    return start, end, 100 * (end / start - 1)


def _extra(load: Load, seen: Mapping[str, Any], trained: float) -> dict[str, Any]:
    return {
        "sessions": load.sessions, "seconds": load.seconds, "pause_s": load.pause,
        "reruns": sum(len(v) for v in seen["pages"].values()), "tiles": len(seen["tiles"]),
        "errors": list(seen["errors"])[:20], "trained_share": round(trained, 3), "cpus": os.cpu_count(),
        "load": os.getloadavg()[0],
    }  # fmt: skip
