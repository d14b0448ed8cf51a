"""How explaining a patient and importing a table grow with the number of genes."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from core.cohort.sample import make_sample_cohort
from core.tasks.bench import BenchResult, BenchRow
from core.tasks.speed.growth import Growth
from core.tasks.speed.patients import import_seconds

PATIENTS = 100
EXPLAINED = re.compile(r"^([\d,]+) genes, expected gradients alone$")


def gene_import_rows(
    sizes: Sequence[int], progress: Callable[[float, str], None], patients: int = PATIENTS
) -> list[BenchRow]:
    """Import of a table of a hundred patients with so many genes."""
    cohort = make_sample_cohort(patients, 1)[0]
    taken = []
    for i, size in enumerate(sizes):
        progress(i / len(sizes), f"import of {size:,} genes")
        taken.append(import_seconds(cohort, size))
    return Growth(f"import of {patients} patients", "genes", tuple(sizes), tuple(taken)).rows()


def explanation_growth(explained: BenchResult) -> list[BenchRow]:
    """Seconds of one patient's expected gradients by the clock, from ``bench explain-speed``'s own rows."""
    found = sorted(
        (int(m[1].replace(",", "")), row.value) for row in explained.rows if (m := EXPLAINED.match(row.name))
    )
    if len(found) < 2:
        return []
    sizes, seconds = zip(*found, strict=True)
    return Growth("expected gradients of a patient", "genes", tuple(sizes), tuple(seconds)).rows()
