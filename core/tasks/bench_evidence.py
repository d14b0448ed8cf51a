"""``bench evidence``: HDMoE against the baselines on TCGA, on folds that choose nothing, written into EVIDENCE.md."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from core.cohort.cohort import Cohort
from core.cohort.importing import import_into
from core.cohort.modality import Modality
from core.cohort.storage import load_cohort
from core.errors import PrognoscopeError
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
BOTH = (Modality.GENOMICS, Modality.CLINICAL)
GENES = (Modality.GENOMICS,)
DATA = ROOT.parent / "shared" / "data" / "tcga"

ROWS: tuple[tuple[str, str, tuple[Modality, ...], int], ...] = (
    ("Kaplan-Meier null", "kaplan-meier", BOTH, 1),
    ("Cox, age + sex", "cox-clinical", (Modality.CLINICAL,), 1),
    ("Penalised Cox", "cox-penalised", BOTH, 3),
    ("Random survival forest", "forest", BOTH, 3),
    ("SNN", "snn", BOTH, 3),
    ("Late fusion of SNNs", "late-fusion", BOTH, 3),
    ("HDMoE", "hdmoe", BOTH, 3),
    ("HDMoE, genomics alone", "hdmoe", GENES, 3),
)
UPSTREAM = TrainingConfig(epochs=30, protocol="upstream")


def bench_evidence(workspace: Workspace, full: bool, progress: Progress) -> BenchResult:
    """Every cell of the table, cached; stop it at any time and start it again."""
    cohorts = {name: _cohort(name, workspace) for name in COHORTS}
    specs = all_specs()
    cells: list[Cell] = []
    for i, spec in enumerate(specs):
        words = f"{spec.label}, {spec.cohort}, {spec.folds} folds"

        def inner(share: float, message: str, at: int = i, words: str = words) -> None:
            progress((at + share) / len(specs), f"{words}: {message}")

        cells.append(run_cell(spec, cohorts[spec.cohort], workspace, 2, inner))
        progress((i + 1) / len(specs), words)
    tables = EvidenceTables(cells, cohorts)
    lines = tables.markdown()
    write_section(ROOT / "EVIDENCE.md", "four-cohorts", lines)
    return BenchResult(_rows(cells), {"cells": len(cells)}, tuple(lines))


def all_specs() -> list[CellSpec]:
    """Honest rows on both fold families, then the optimistic protocol on the published folds."""
    honest = [
        CellSpec(label, cohort, folds, EstimatorSpec(name), modalities, seeds)
        for folds in FAMILIES
        for label, name, modalities, seeds in ROWS
        for cohort in COHORTS
    ]
    optimistic = [
        CellSpec(
            "HDMoE, genomics alone, upstream protocol", c, "published", EstimatorSpec("hdmoe", {}, UPSTREAM), GENES, 3
        )
        for c in COHORTS
    ]
    return honest + optimistic


def _cohort(name: str, workspace: Workspace) -> Cohort:
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
