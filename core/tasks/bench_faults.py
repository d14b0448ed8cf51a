"""``bench faults``: killed at any moment, nothing half-written is ever read as good, and what is started again ends as
if nothing had happened; what goes wrong with disk, file or server is said in one sentence.

100 kills, 25 each of an import, an encoding, a training and a report of a tiny synthetic study, at moments drawn
evenly over an uninterrupted run's duration. Beside them kills before single changes of files (``step``): the windows
between two renames, which no clock hits; ``full`` tries every one. Every second import takes the place of an earlier
study of the same name.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from core.access.audit_anchor import STATE
from core.cohort.pseudonyms import KEY_FILE, protected_folder
from core.results.workspace import Workspace
from core.tasks.bench import BenchResult, BenchRow, Progress
from core.tasks.fault_acts import ACTS, make_board
from core.tasks.fault_checks import EXCLUDED
from core.tasks.fault_jobs import JobsRound, kill_workers
from core.tasks.fault_kills import run_act
from core.tasks.fault_messages import Message, messages
from core.tasks.fault_rounds import Round, Scene, keep, kill_at_moments, kill_at_steps, make_scene, restore
from core.tasks.fault_study import write_study

SEED = 7


@dataclass(frozen=True)
class Effort:
    """``kills`` at random moments and ``steps`` before changes of files (None = every one) of each act; ``workers``."""

    kills: int = 25
    steps: int | None = 12
    workers: int = 10


def bench_faults(workspace: Workspace, full: bool, progress: Progress, effort: Effort | None = None) -> BenchResult:
    """Break, look, repair. In a workspace of its own: the one given is not touched."""
    effort = effort or (Effort(steps=None) if full else Effort())
    random = np.random.default_rng(SEED)
    moments, steps = list[Round](), list[Round]()
    with tempfile.TemporaryDirectory(prefix="prognoscope-faults-") as folder, _own_state(Path(folder)):
        place = Path(folder)
        own, study = Workspace(place / "workspace"), write_study(place / "study.zip")
        starts = _starts(own, place)
        nothing = starts[0]
        for number, act in enumerate(ACTS):

            def tell(share: float, message: str, at: int = number) -> None:
                progress((at + share) / (len(ACTS) + 1), message)

            scene = make_scene(act, ACTS[act], own, study, starts, make_board if act == "report" else None)
            starts = [place / f"after-{act}"]
            keep(own, starts[0])
            moments.append(kill_at_moments(scene, effort.kills, random, lambda s, m: tell(0.7 * s, m)))
            steps.append(kill_at_steps(scene, _chosen(scene, effort.steps), lambda s, m: tell(0.7 + 0.3 * s, m)))
        jobs = kill_workers(own, study, nothing, effort.workers, random, lambda s, m: progress(0.8 + 0.15 * s, m))
        progress(0.96, "full disk, read-only workspace, altered checkpoint, two servers")
        restore(place / "after-train", own)
        said = messages(own, study)
    rows = [*(r for f in moments for r in _rows("kill", f)), *(r for f in steps for r in _rows("step", f))]
    extra = {
        "excluded": {k: list(v) for k, v in EXCLUDED.items()}, "seed": SEED, "late": {f.act: f.late for f in moments},
        "found": [words for f in (*moments, *steps) for words in (*f.read, *f.ended)],
        "queue": [*jobs.lost, *jobs.different, *jobs.log],
        "said": {m.name: m.said for m in said},
    }  # fmt: skip
    return BenchResult((*rows, *_job_rows(jobs), *(_message_row(m) for m in said)), extra)


def _starts(own: Workspace, place: Path) -> list[Path]:
    """An empty workspace, and one with an earlier study of the name; both with one key, so that names stay the same."""
    (protected_folder(own) / KEY_FILE).write_bytes(bytes(range(32)))
    keep(own, place / "empty")
    earlier = write_study(place / "earlier.zip", patients=40, seed=1)
    run_act(ACTS["import"], own, earlier)
    keep(own, place / "earlier")
    return [place / "empty", place / "earlier"]


def _chosen(scene: Scene, steps: int | None) -> list[int]:
    """Which changes of files: all, or those right after something came into its place, some spread over all such and
    the last of them, where what belongs together is put in place together."""
    if steps is None:
        return list(range(1, scene.steps + 1))
    after = [step + 1 for step in scene.renames if step < scene.steps] or [scene.steps]
    last = after[-(steps - steps // 3) :]
    spread = np.linspace(0, len(after) - 1, steps // 3).round().astype(int).tolist()
    return sorted({*last, *(after[i] for i in spread)})


def _rows(how: str, found: Round) -> list[BenchRow]:
    kills = max(1, found.kills)
    return [
        BenchRow(f"faults:{how}:{found.act}:half_read", found.kills_read, f"of {found.kills} kills", None,
                 1 - found.kills_read / kills, 1.0),
        BenchRow(f"faults:{how}:{found.act}:resumed_otherwise", found.kills_ended, f"of {found.kills} kills", None,
                 1 - found.kills_ended / kills, 1.0),
    ]  # fmt: skip


def _job_rows(found: JobsRound) -> list[BenchRow]:
    jobs, kills = max(1, found.jobs), max(1, found.kills)
    return [
        BenchRow("faults:kill:jobs:lost", len(found.lost), f"of {found.jobs} jobs, {found.kills} kills", None,
                 1 - len(found.lost) / jobs, 1.0),
        BenchRow("faults:kill:jobs:left_otherwise", len(found.different) + len(found.log), f"of {found.kills} kills",
                 None, 1 - (len(found.different) + len(found.log)) / kills, 1.0),
    ]  # fmt: skip


def _message_row(message: Message) -> BenchRow:
    said = 0.0 if message.wrong else 1.0
    return BenchRow(f"faults:{message.name}", said, "clear sentence and exit code", None, said, 1.0)


@contextmanager
def _own_state(folder: Path) -> Iterator[None]:
    """What lies outside workspaces is kept here meanwhile; one thread, so that the numbers are the same."""
    wanted = {STATE: str(folder / "state"), "OMP_NUM_THREADS": "1", "PROGNOSCOPE_IMPORT_ROOTS": str(folder)}
    before = {name: os.environ.get(name) for name in wanted}
    os.environ.update(wanted)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
