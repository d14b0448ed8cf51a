"""``bench mice-left-out``: a cancer that no model has trained on, predicted as the average of the others."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from core.cohort.cancer import cancers_of
from core.results.by_cancer import by_cancer, mean_difference, rows_of
from core.results.prediction import Predictions
from core.results.workspace import Workspace
from core.tasks.bench import BenchResult, Progress
from core.tasks.bench_mice_sweeps import mice_cell
from core.tasks.cells import run_cell
from core.tasks.mice_pretraining import Pan, joined, left_out_folder, left_out_models, predicted, unseen
from core.tasks.mice_study import (
    CANCERS,
    FULL_SEEDS,
    PROCESSES,
    QUICK_FOLDS,
    Study,
    StudyRow,
    cancer_name,
    expected_words,
    pan_cohort,
    part_of,
    publish,
    size_words,
)  # fmt: skip

QUICK_CANCERS = ("blca", "kirc", "lihc")
WITH, WITHOUT = "trained with the cancer", "never saw the cancer"


def bench_left_out(workspace: Workspace, full: bool, progress: Progress, evidence: Path | None = None) -> BenchResult:
    """Every cancer of the study left out in turn, beside the model that was trained with it."""
    cohort = pan_cohort(workspace)
    pan, cancers = Pan.of(cohort, workspace), cancers_of(cohort)
    names = CANCERS if full else QUICK_CANCERS
    folds, seeds = (5, FULL_SEEDS) if full else (QUICK_FOLDS, 1)
    base = mice_cell("all three groups", {}, full)
    done = sum(left_out_folder(pan, cancer_name(n), folds, seeds).is_dir() for n in names)
    done += (workspace.cells / base.key(cohort)).is_dir()
    progress(0.0, expected_words((len(names) + 1) * folds * seeds, done * folds * seeds))
    parts = len(names) + 1
    seen = run_cell(base, cohort, workspace, PROCESSES, part_of(progress, 0, parts, "all cancers")).predictions
    found: list[Predictions] = []
    for i, name in enumerate(names):
        cancer, words = cancer_name(name), f"without {name.upper()}"
        folder = left_out_models(pan, cancer, folds, seeds, PROCESSES, part_of(progress, i + 1, parts, words))
        found += [
            predicted(pan, unseen(folder, cancer, fold, seed), pan.rows(cancer, fold, test=True), fold, seed)
            for fold in range(folds)
            for seed in range(seeds)
        ]
    unknown = joined(found)
    chosen = {cancer_name(n) for n in names}
    shared = rows_of(seen, seen.table["id"].map(cancers).isin(chosen).to_numpy())
    rows = _rows(shared, unknown, cancers)
    study = Study(
        "mice-left-out",
        "MICE: a cancer left out of the training",
        size_words(full),
        rows,
        "of the model that never saw the cancer from the one that was trained with it",
        ("The unseen cancer's token, router and norm are the means of the trained ones, and its specialised expert's",
         "answer is the mean of theirs; it is predicted so only where that is asked for."),
        full,
    )  # fmt: skip
    progress(1.0, "measured")
    return publish(study, workspace, evidence)


def _rows(seen: Predictions, unknown: Predictions, cancers: dict[str, str]) -> list[StudyRow]:
    """Both models on every cancer and on average."""
    first, second = by_cancer(seen, cancers), by_cancer(unknown, cancers)
    rows = []
    for a, b in zip(first.rows, second.rows, strict=True):
        label = a.cancer.removeprefix("tcga-").upper()
        own = {i: c for i, c in cancers.items() if c == a.cancer}
        rows.append(StudyRow(label, WITH, a.harrell_c))
        difference = mean_difference(unknown, seen, own)
        rows.append(StudyRow(label, WITHOUT, b.harrell_c, difference, a.harrell_c.mean))
    rows.append(StudyRow("mean", WITH, replace(first.mean, note="")))
    rows.append(StudyRow("mean", WITHOUT, second.mean, mean_difference(unknown, seen, cancers), first.mean.mean))
    return rows
