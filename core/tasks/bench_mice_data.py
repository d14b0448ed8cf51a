"""``bench mice-data``: how many patients of a cancer a model needs that was pre-trained on the other cancers.

The pre-training never saw the cancer: with its patients in it, ten per cent of them would not be ten per cent.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from core.cohort.cancer import cancers_of
from core.results.by_cancer import by_cancer, mean_difference
from core.results.files import new_folder
from core.results.prediction import Predictions
from core.results.workspace import Workspace
from core.tasks.bench import BenchResult, Progress
from core.tasks.bench_mice_left_out import QUICK_CANCERS
from core.tasks.mice_pretraining import (
    Pan,
    fine_tuned,
    from_scratch,
    joined,
    key_of,
    left_out_folder,
    left_out_models,
    predicted,
    share_of,
    unseen,
)  # fmt: skip
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
from core.training.neural import FittedNeural

SHARES = (0.1, 0.25, 0.5, 1.0)
TUNED, SCRATCH, SNN = "pre-trained on the other cancers, fine-tuned", "MICE from scratch", "SNN from scratch"


@dataclass(frozen=True)
class Task:
    """One small training: what, on which share of which cancer, for which fold and seed."""

    series: str
    share: float
    cancer: str
    fold: int
    seed: int


def bench_data(workspace: Workspace, full: bool, progress: Progress, evidence: Path | None = None) -> BenchResult:
    """Fine-tuning against training from scratch on growing shares of each cancer's training patients."""
    cohort = pan_cohort(workspace)
    pan, cancers = Pan.of(cohort, workspace), cancers_of(cohort)
    names = [cancer_name(n) for n in (CANCERS if full else QUICK_CANCERS)]
    folds, seeds = (5, FULL_SEEDS) if full else (QUICK_FOLDS, 1)
    done = sum(left_out_folder(pan, n, folds, seeds).is_dir() for n in names)
    progress(0.0, expected_words(len(names) * folds * seeds, done * folds * seeds) + ", then as many minutes again")
    for i, name in enumerate(names):
        left_out_models(pan, name, folds, seeds, PROCESSES, part_of(progress, i, 2 * len(names), f"without {name}"))
    tasks = [
        Task(series, share, cancer, fold, seed)
        for cancer in names
        for share in (0.0, *SHARES)
        for series in ((TUNED,) if share == 0 else (TUNED, SCRATCH, SNN))
        for fold in range(folds)
        for seed in range(seeds)
    ]
    found: dict[tuple[str, float], list[Predictions]] = {}
    for i, task in enumerate(tasks):
        found.setdefault((task.series, task.share), []).append(_kept(pan, task, folds, seeds))
        progress(0.5 + 0.5 * (i + 1) / len(tasks), f"{task.cancer}, {task.share:.0%}, {task.series}")
    together = {where: joined(parts) for where, parts in found.items()}
    study = Study(
        "mice-data",
        "MICE: how many patients of a cancer are needed",
        f"{size_words(full)}; {', '.join(n.removeprefix('tcga-').upper() for n in names)}",
        _rows(together, cancers),
        "from MICE trained from scratch on the same patients",
        ("Pre-training never saw the cancer; 0 % is the model before fine-tuning, the cancer as the average of the",
         "others. A smaller share lies within a larger one. Fine-tuning trains survival alone, ten epochs."),
        full,
    )  # fmt: skip
    return publish(study, workspace, evidence)


def _rows(found: dict[tuple[str, float], Predictions], cancers: dict[str, str]) -> list[StudyRow]:
    rows = []
    for (series, share), predictions in sorted(found.items(), key=lambda x: (x[0][1], x[0][0] != TUNED, x[0][0])):
        base = found.get((SCRATCH, share))
        own = series == SCRATCH or base is None
        difference = None if own or base is None else mean_difference(predictions, base, cancers)
        reference = None if own or base is None else by_cancer(base, cancers, 50).mean.mean
        rows.append(StudyRow(f"{share:.0%} of the patients", series, by_cancer(predictions, cancers).mean, difference,
                             reference))  # fmt: skip
    return rows


def _kept(pan: Pan, task: Task, folds: int, seeds: int) -> Predictions:
    """The predictions of one small training, from the cache or computed and kept."""
    folder = pan.workspace.cells / key_of(pan, "share", task, folds, seeds)
    if not folder.is_dir():
        with new_folder(folder) as new:
            fitted = _fit(pan, task, left_out_folder(pan, task.cancer, folds, seeds), new)
            test = pan.rows(task.cancer, task.fold, test=True)
            predicted(pan, fitted, test, task.fold, task.seed).write(new)
    return Predictions.read(folder)


def _fit(pan: Pan, task: Task, pretrained: Path, scratch: Path) -> FittedNeural:
    train = pan.rows(task.cancer, task.fold, test=False)
    if task.share == 0:
        return unseen(pretrained, task.cancer, task.fold, task.seed)
    rows = share_of(train, task.share, task.fold, task.seed)
    start = unseen(pretrained, task.cancer, task.fold, task.seed, borrow=False)
    makers: dict[str, Callable[[], FittedNeural]] = {
        TUNED: lambda: fine_tuned(pan, start, rows, task.seed, scratch),
        SCRATCH: lambda: from_scratch(pan, rows, start.bins, task.seed),
        SNN: lambda: from_scratch(pan, rows, start.bins, task.seed, "snn"),
    }
    return makers[task.series]()
