"""``bench mice-missing``: a modality that is missing at test time, with both ways to stand in for it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from core.cohort.cancer import cancers_of
from core.cohort.cohort import Cohort
from core.cohort.modality import Modality
from core.features.inputs import Inputs
from core.results.by_cancer import by_cancer, mean_difference
from core.results.prediction import Predictions
from core.results.workspace import Workspace
from core.tasks.bench import BenchResult, Progress
from core.tasks.bench_mice_sweeps import mice_cell
from core.tasks.cell_models import kept_models
from core.tasks.cells import Cell, CellSpec, run_cell
from core.tasks.mice_pretraining import TIMES, Pan, joined, table_of
from core.tasks.mice_study import (
    BOTH,
    COHORT,
    FOLDS,
    FULL_SEEDS,
    PROCESSES,
    QUICK_FOLDS,
    Study,
    StudyRow,
    expected_words,
    pan_cohort,
    part_of,
    publish,
    size_words,
)  # fmt: skip
from core.training.estimators import EstimatorSpec

SHARES = (0.0, 0.2, 0.4, 0.6, 0.8)
VARIANTS = {
    "stand-in of the cancer (published)": {"synthesis": "cancer"},
    "stand-in by reconstruction": {"synthesis": "reconstruction"},
}
ZEROS = "SNN, zeros"


def bench_missing(workspace: Workspace, full: bool, progress: Progress, evidence: Path | None = None) -> BenchResult:
    """Genes, or clinical inputs, hidden from a growing share of the test patients."""
    cohort = pan_cohort(workspace)
    seeds, tested = (FULL_SEEDS, 0) if full else (1, QUICK_FOLDS)
    specs = {name: mice_cell(name, changes, full) for name, changes in VARIANTS.items()}
    specs[ZEROS] = CellSpec(ZEROS, COHORT, FOLDS, EstimatorSpec("snn"), BOTH, seeds, tested, models=True)
    done = sum((workspace.cells / s.key(cohort)).is_dir() for s in specs.values())
    each = 5 * FULL_SEEDS if full else QUICK_FOLDS
    progress(0.0, expected_words(len(specs) * each, done * each))
    pan = Pan.of(cohort, workspace)
    found: dict[tuple[Modality, float, str], Predictions] = {}
    for i, (name, spec) in enumerate(specs.items()):
        cell = run_cell(spec, cohort, workspace, PROCESSES, part_of(progress, i, len(specs), name))
        found |= {(m, share, name): with_missing(cell, cohort, pan, m, share) for m in BOTH for share in SHARES}
    study = Study(
        "mice-missing",
        "MICE: modalities that go missing at test time",
        size_words(full),
        _rows(found, cancers_of(cohort)),
        "from the published stand-in",
        ("The hidden patients are the same for every model and share; a smaller share lies within a larger one. All",
         "patients of these tables have both modalities, so that the published stand-in is never trained on one that",
         "lacks it; the reconstruction learns from modalities hidden while training."),
        full,
    )  # fmt: skip
    progress(1.0, "measured")
    return publish(study, workspace, evidence)


def with_missing(cell: Cell, cohort: Cohort, pan: Pan, modality: Modality, share: float) -> Predictions:
    """The cell's models on their test patients, ``modality`` hidden from a share of them."""
    place = {name: row for row, name in enumerate(pan.dataset.inputs.ids)}
    parts = []
    for kept in kept_models(cell, cohort):
        estimates = kept.model.predict(hide(kept.inputs, modality, share, kept.fold), TIMES)
        rows = np.array([place[i] for i in kept.inputs.ids])
        parts.append(table_of(pan, rows, kept.fold, kept.seed, estimates.risk, estimates.survival))
    return joined(parts)


def hide(inputs: Inputs, modality: Modality, share: float, seed: int) -> Inputs:
    """``modality`` hidden from a random share of the patients, never from one who has nothing else."""
    others = np.stack([inputs.present[m] for m in inputs.modalities if m is not modality]).any(axis=0)
    could = np.flatnonzero(inputs.present[modality] & others)
    hidden = np.random.default_rng(seed).permutation(could)[: round(share * len(could))]
    present = inputs.present[modality].copy()
    present[hidden] = False
    return replace(inputs, present={**inputs.present, modality: present})


def _rows(found: dict[tuple[Modality, float, str], Predictions], cancers: dict[str, str]) -> list[StudyRow]:
    published = next(iter(VARIANTS))
    rows = []
    for (modality, share, name), predictions in sorted(found.items(), key=lambda x: (x[0][0] is not BOTH[0], x[0][1])):
        base = None if name == published else found[modality, share, published]
        difference = None if base is None else mean_difference(predictions, base, cancers)
        reference = None if base is None else by_cancer(base, cancers, 50).mean.mean
        label = f"{modality.value} missing in {share:.0%}"
        rows.append(StudyRow(label, name, by_cancer(predictions, cancers).mean, difference, reference))
    return rows
