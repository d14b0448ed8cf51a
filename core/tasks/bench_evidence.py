"""``bench evidence``: HDMoE against the baselines on TCGA, on folds that choose nothing, written into EVIDENCE.md."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from core.cohort.cohort import Cohort
from core.cohort.importing import import_into
from core.cohort.modality import Modality
from core.cohort.storage import load_cohort
from core.errors import PrognoscopeError
from core.models.hdmoe.config import PUBLISHED
from core.results.workspace import Workspace
from core.tasks.bench import BenchResult, BenchRow
from core.tasks.cells import Cell, CellSpec, run_cell
from core.tasks.evidence_tables import EvidenceTables, write_section
from core.tasks.provenance import ROOT
from core.tasks.train import Progress
from core.training.config import TrainingConfig
from core.training.estimators import EstimatorSpec

COHORTS = ("blca", "brca", "luad", "lihc")
FAMILIES = ("published", "site")


@dataclass(frozen=True)
class Row:
    """A row of the table: what is fitted, on which modalities, how many seeds, on which cohorts."""

    label: str
    estimator: EstimatorSpec
    modalities: tuple[Modality, ...]
    seeds: int
    cohorts: tuple[str, ...] = COHORTS


BOTH = (Modality.GENOMICS, Modality.CLINICAL)
GENES = (Modality.GENOMICS,)
DATA = ROOT.parent / "shared" / "data" / "tcga"

ROWS: tuple[Row, ...] = (
    Row("Kaplan-Meier null", EstimatorSpec("kaplan-meier"), BOTH, 1),
    Row("Cox, age + sex", EstimatorSpec("cox-clinical"), (Modality.CLINICAL,), 1),
    Row("Penalised Cox", EstimatorSpec("cox-penalised"), BOTH, 1),
    Row("SNN", EstimatorSpec("snn"), BOTH, 3),
    Row("HDMoE", EstimatorSpec("hdmoe"), BOTH, 3),
    Row("Random survival forest", EstimatorSpec("forest"), BOTH, 1),
    Row("Late fusion of SNNs", EstimatorSpec("late-fusion"), BOTH, 3),
)
PUBLISHED_SETTINGS = Row(
    "HDMoE, published settings", EstimatorSpec("hdmoe", PUBLISHED, TrainingConfig(epochs=30)), BOTH, 3
)
PAPERS = ("blca", "luad")
"""Cohorts for which the paper's Table 5 is compared, genomics alone."""
GENES_HONEST = Row("HDMoE, genomics alone", EstimatorSpec("hdmoe"), GENES, 3, PAPERS)
GENES_UPSTREAM = Row(
    "HDMoE, genomics alone, upstream protocol",
    EstimatorSpec("hdmoe", {}, TrainingConfig(epochs=30, protocol="upstream")),
    GENES,
    3,
    PAPERS,
)


def bench_evidence(workspace: Workspace, full: bool, progress: Progress) -> BenchResult:
    """Every cell of the table, cached; stop it at any time and start it again."""
    cohorts = {name: evidence_cohort(name, workspace) for name in COHORTS}
    specs = all_specs(full)
    cells: list[Cell] = []
    lines: list[str] = []
    for i, spec in enumerate(specs):
        words = f"{spec.label}, {spec.cohort}, {spec.folds} folds"

        def inner(share: float, message: str, at: int = i, words: str = words) -> None:
            progress((at + share) / len(specs), f"{words}: {message}")

        cells.append(run_cell(spec, cohorts[spec.cohort], workspace, 2, inner))
        progress((i + 1) / len(specs), words)
        if (i + 1 == len(specs) or specs[i + 1].label != spec.label) and i + 1 >= 5 * len(COHORTS):
            lines = EvidenceTables(cells, cohorts).markdown()  # every finished row counts, should it be stopped
            write_section(ROOT / "EVIDENCE.md", "four-cohorts", lines)
    return BenchResult(_rows(cells), {"cells": len(cells)}, tuple(lines))


def all_specs(full: bool = False) -> list[CellSpec]:
    """The rows that decide first, so that a table stopped half-way already says the most.

    ``full`` adds HDMoE with the published settings (thirty epochs of a four times wider gene encoder).
    """
    first = [(row, folds) for folds in FAMILIES for row in ROWS[:5]]
    genes = [(GENES_HONEST, "published"), (GENES_UPSTREAM, "published")]
    rest = [(row, folds) for folds in FAMILIES for row in ROWS[5:]]
    planned = [*first, *genes, *rest, *([(PUBLISHED_SETTINGS, "published")] if full else [])]
    return [
        CellSpec(row.label, cohort, folds, row.estimator, row.modalities, row.seeds)
        for row, folds in planned
        for cohort in row.cohorts
    ]


def evidence_cohort(name: str, workspace: Workspace) -> Cohort:
    """The cohort from the workspace, imported from the shared data when it is not there yet."""
    key = f"tcga-{name}"
    if key in workspace.names(workspace.cohorts):
        return load_cohort(key, workspace)
    source = DATA / name
    if not source.is_dir():
        raise PrognoscopeError(f"no cohort {key!r}", "the workspace", f"import it, or put the tables at {source}")
    return import_into(workspace, source, key, families=Path(DATA / "signatures.csv"))


def _rows(cells: list[Cell]) -> tuple[BenchRow, ...]:
    """One row a cell: the ensemble's C-index, the age+sex Cox of the same cohort and folds beside it."""
    reference: Mapping[tuple[str, str], float] = {
        (c.spec.cohort, c.spec.folds): c.metrics.harrell_c.mean or float("nan")
        for c in cells
        if c.spec.estimator.name == "cox-clinical"
    }
    rows = []
    for cell in cells:
        value = cell.metrics.harrell_c.mean or float("nan")
        base = reference[cell.spec.cohort, cell.spec.folds]
        name = f"{cell.spec.label}:{cell.spec.cohort}:{cell.spec.folds}"
        rows.append(BenchRow(name, round(value, 4), "Harrell C", round(base, 4), round(value / base, 4)))
    return tuple(rows)
