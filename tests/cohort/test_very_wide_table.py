"""200 000 gene columns of 400 patients are imported within 4 GB, measured in a process of its own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

GENES, PATIENTS = 200_000, 400
SCRIPT = """
import resource, sys
from pathlib import Path
resource.setrlimit(resource.RLIMIT_AS, (4 << 30, 4 << 30))
from core.cohort.importing import import_into
from core.cohort.storage import load_cohort
from core.results.workspace import Workspace
workspace = Workspace(Path(sys.argv[2]))
cohort = import_into(workspace, Path(sys.argv[1]), "wide")
genes = load_cohort("wide", workspace).genomics
print(len(cohort), genes.values.shape, float(genes.values[7, 3]), float(genes.values[-1, -1]))
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
"""


@pytest.mark.slow
def test_two_hundred_thousand_columns_within_four_gigabytes(tmp_path: Path) -> None:
    path = tmp_path / "tcga_wide.csv"
    rng = np.random.default_rng(0)
    # One long pool of numbers; each patient's line starts at another place in it.
    pool = [f"{x:.2f}" for x in rng.standard_normal(GENES + PATIENTS)]
    with path.open("w") as stream:
        header = ["case_id", "survival_months", "censorship", *(f"G{i}_rnaseq" for i in range(GENES))]
        stream.write(",".join(header) + "\n")
        for p in range(PATIENTS):
            stream.write(f"CASE-{p:04d},{p + 1},{p % 2},{','.join(pool[p : p + GENES])}\n")
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(path), str(tmp_path / "workspace")],
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
        env={"PYTHONPATH": str(Path(__file__).parents[2]), "PATH": "/usr/bin:/bin", "OPENBLAS_NUM_THREADS": "1"},
    )
    assert done.returncode == 0, done.stderr[-2000:]
    first, megabytes = done.stdout.splitlines()
    assert first == f"{PATIENTS} ({PATIENTS}, {GENES}) {np.float32(pool[10])} {np.float32(pool[PATIENTS - 2 + GENES])}"
    print(f"peak memory {megabytes} MB")
    assert int(megabytes) < 4096
