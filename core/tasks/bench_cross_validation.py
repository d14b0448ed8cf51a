"""A whole cross-validation as a person would run it: wall time and memory of all its processes.

HDMoE on genomics and clinical data of TCGA-BLCA, the published folds, three seeds, evaluation included. It runs in
processes of its own (``python -m core.tasks.bench_cross_validation WORKSPACE``), so that what the benchmark itself
holds in memory does not count.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path

from core.cohort.importing import import_into
from core.cohort.modality import Modality
from core.results.workspace import Workspace
from core.tasks.bench import BenchRow
from core.tasks.provenance import ROOT
from core.tasks.train import TrainRequest, train

TABLE = ROOT.parent / "shared" / "data" / "tcga" / "blca"
COHORT = "tcga-blca"
SECONDS, GIGABYTES = 180.0, 2.0  # what it may take on two cores


def cross_validation_rows() -> list[BenchRow]:
    """Wall time and peak memory; no rows where the public table is not at hand."""
    if not TABLE.is_dir():
        return []
    with tempfile.TemporaryDirectory(prefix="prognoscope-bench-") as folder:
        import_into(Workspace(Path(folder)), TABLE, COHORT, families=TABLE.parent / "signatures.csv")
        seconds, peak = _measure(Path(folder))
    name = "TCGA-BLCA, genomics + clinical, 5 folds × 3 seeds"
    return [
        BenchRow(f"{name}: wall time (reference: the limit)", seconds, "s", SECONDS, SECONDS / seconds, 1.0),
        BenchRow(f"{name}: peak memory of all processes", peak, "GB", GIGABYTES, GIGABYTES / peak, 1.0),
    ]


def _measure(folder: Path) -> tuple[float, float]:
    """Seconds and peak GB of the training in ``folder``."""
    started, peak = time.perf_counter(), 0
    command = [sys.executable, "-m", "core.tasks.bench_cross_validation", str(folder)]
    with subprocess.Popen(command, cwd=ROOT) as process:
        while process.poll() is None:
            peak = max(peak, tree_memory(process.pid))
            time.sleep(0.1)
        if process.returncode:
            raise subprocess.CalledProcessError(process.returncode, command)
    return time.perf_counter() - started, peak / 1e9


def tree_memory(root: int) -> int:
    """Bytes of memory in use by a process and its descendants; pages they share are counted once.

    From Linux's /proc (proportional set size); 0 where there is none.
    """
    parents = {}
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            parents[int(entry.name)] = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
        except OSError:  # it ended meanwhile
            continue
    members, last = {root}, 0
    while len(members) > last:
        last = len(members)
        members |= {pid for pid, parent in parents.items() if parent in members}
    return sum(_memory(pid) for pid in members)


def _memory(pid: int) -> int:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return sum(1024 * int(line.split()[1]) for line in lines if line.startswith("Pss:"))


def main(folder: str) -> None:
    """Train in the workspace ``folder``."""
    modalities = (Modality.GENOMICS, Modality.CLINICAL)
    request = TrainRequest(COHORT, modalities=modalities, folds="published", seeds=3, references=False)
    train(request, Workspace(Path(folder)))


if __name__ == "__main__":
    main(sys.argv[1])
