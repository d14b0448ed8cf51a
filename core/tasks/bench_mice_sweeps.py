"""``bench mice-ablation`` and ``mice-alpha``: MICE on the pan-cancer cohort with one thing changed at a time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from core.cohort.cancer import cancers_of
from core.cohort.cohort import Cohort
from core.models.mice.config import MICEConfig
from core.results.by_cancer import by_cancer, mean_difference
from core.results.workspace import Workspace
from core.tasks.bench import BenchResult, Progress
from core.tasks.cells import Cell, CellSpec, run_cell
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
    pan_training,
    part_of,
    publish,
    size_words,
)  # fmt: skip
from core.training.estimators import EstimatorSpec


@dataclass(frozen=True)
class Variant:
    """One row: settings that differ from the defaults."""

    label: str
    changes: Mapping[str, Any] = field(default_factory=dict)


def mice_cell(label: str, changes: Mapping[str, Any], full: bool) -> CellSpec:
    """A pan-cancer MICE with its models kept: every setting by value, so that a changed default is another cell."""
    estimator = EstimatorSpec("mice", asdict(MICEConfig(**changes)), pan_training())
    seeds, tested = (FULL_SEEDS, 0) if full else (1, QUICK_FOLDS)
    return CellSpec(label, COHORT, FOLDS, estimator, BOTH, seeds, tested, models=True)


@dataclass(frozen=True)
class Sweep:
    """One study: its rows, the first of which the others are compared with."""

    name: str
    title: str
    variants: tuple[Variant, ...]
    notes: tuple[str, ...] = ()


ABLATION = Sweep(
    "mice-ablation",
    "MICE: expert groups left out",
    (
        Variant("all three groups"),
        Variant("without the consensual expert", {"use_consensual": False}),
        Variant("without the specialised experts", {"use_specialised": False}),
        Variant("without the overlapping experts", {"use_overlapping": False}),
        Variant("consensual expert alone", {"use_specialised": False, "use_overlapping": False}),
        Variant("specialised experts alone", {"use_consensual": False, "use_overlapping": False}),
        Variant("overlapping experts alone", {"use_consensual": False, "use_specialised": False}),
    ),
    ("The paper's texts at hand give no ablation of the groups.",),
)


def _alphas() -> tuple[Variant, ...]:
    default = MICEConfig().alpha
    values = (default, *(v for v in (0.0, 0.5, 1.0, 2.0, 5.0) if v != default))
    return tuple(Variant(f"alpha {v:g}", {"alpha": v}) for v in values)


ALPHA = Sweep(
    "mice-alpha",
    "MICE: weight of the contrastive loss",
    _alphas(),
    (f"The released code trains with alpha 2; ours is {MICEConfig().alpha:g}, and is the row compared with.",),
)


def run_sweep(
    sweep: Sweep, workspace: Workspace, full: bool, progress: Progress, evidence: Path | None = None
) -> BenchResult:
    """Every cell of one study; cached, so that it can be stopped and taken up again."""
    cohort = pan_cohort(workspace)
    specs = {v.label: mice_cell(v.label, v.changes, full) for v in sweep.variants}
    finished = sum((workspace.cells / s.key(cohort)).is_dir() for s in specs.values())
    each = 5 * FULL_SEEDS if full else QUICK_FOLDS
    progress(0.0, expected_words(len(specs) * each, finished * each))
    cells: dict[str, Cell] = {}
    for i, (label, spec) in enumerate(specs.items()):
        cells[label] = run_cell(spec, cohort, workspace, PROCESSES, part_of(progress, i, len(specs), label))
    study = Study(
        sweep.name,
        sweep.title,
        size_words(full),
        sweep_rows(cells, cohort),
        f"from “{sweep.variants[0].label}”",
        sweep.notes,
        full,
    )
    progress(1.0, "measured")
    return publish(study, workspace, evidence)


def sweep_rows(cells: Mapping[str, Cell], cohort: Cohort) -> list[StudyRow]:
    """Mean C of the cancers of every cell, and its paired difference from the first."""
    cancers = cancers_of(cohort)
    base, *_ = cells.values()
    reference = by_cancer(base.predictions, cancers).mean
    rows = []
    for label, cell in cells.items():
        if cell is base:
            rows.append(StudyRow(label, "MICE", reference))
            continue
        difference = mean_difference(cell.predictions, base.predictions, cancers)
        rows.append(StudyRow(label, "MICE", by_cancer(cell.predictions, cancers).mean, difference, reference.mean))
    return rows


bench_ablation = partial(run_sweep, ABLATION)
bench_alpha = partial(run_sweep, ALPHA)
