"""What the studies of MICE share: the pan-cancer cohort, their rows, and how a study is printed, drawn and kept."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from core.cohort.cohort import Cohort
from core.cohort.combining import combine_into
from core.cohort.modality import Modality
from core.cohort.storage import load_cohort
from core.figures.dot_rows import Dot, dot_rows
from core.results.run import Metric
from core.results.workspace import Workspace
from core.statistics.comparison import Interval
from core.tasks.bench import BenchResult, BenchRow, Progress
from core.tasks.bench_evidence import evidence_cohort
from core.tasks.evidence_tables import write_section
from core.tasks.figure_files import FOLDER, write_svg
from core.tasks.markdown import table_header, table_row
from core.tasks.provenance import ROOT
from core.training.config import TrainingConfig
from core.training.estimators import training_from

CANCERS = ("blca", "brca", "coadread", "gbmlgg", "hnsc", "kirc", "kirp", "lihc", "luad", "lusc", "stad")
COHORT, FOLDS = "tcga-pancancer", "published"
BOTH = (Modality.GENOMICS, Modality.CLINICAL)
QUICK_FOLDS, FULL_SEEDS, PROCESSES = 2, 3, 2
FIT_MINUTES = 1.0
"""One pan-cancer fit of the default sizes on one core, for the time that is said before a study starts."""
PAN_EPOCHS = 5
"""Of the pan-cancer cohort; chosen like the model's defaults (:class:`core.models.mice.config.MICEConfig`)."""
DATA_WORDS = (
    "The eleven TCGA gene tables with age and sex, overall survival, published folds; the last of a fixed number of",
    "epochs. C: Harrell's, over pairs within a fold and a cancer, mean over the cancers, of the seed ensemble, with",
    "its 95 % bootstrap interval over patients.",
)


@dataclass(frozen=True)
class StudyRow:
    """One line: ``row`` and ``series`` name it · ``difference`` from the study's base on the same patients."""

    row: str
    series: str
    value: Metric
    difference: Interval | None = None
    reference: float | None = None


@dataclass(frozen=True)
class Study:
    """A finished study, ready to be printed. ``size`` says which folds and seeds it stands on."""

    name: str
    title: str
    size: str
    rows: Sequence[StudyRow]
    against: str
    notes: Sequence[str] = ()
    full: bool = False


def pan_cohort(workspace: Workspace) -> Cohort:
    """The eleven tables as one cohort, made when the workspace has none."""
    if COHORT in workspace.names(workspace.cohorts):
        return load_cohort(COHORT, workspace)
    for name in CANCERS:
        evidence_cohort(name, workspace)
    return combine_into(workspace, [f"tcga-{name}" for name in CANCERS], COHORT, "Eleven TCGA cohorts")


def cancer_name(short: str) -> str:
    """What the pan-cancer cohort calls a cancer."""
    return f"tcga-{short}"


def mice_training(**changes: object) -> TrainingConfig:
    """MICE's own defaults of the training, with changes."""
    return training_from({f"training.{k}": v for k, v in changes.items()}, "mice")[1]


def pan_training() -> TrainingConfig:
    """How the pan-cancer cohort is trained."""
    return mice_training(epochs=PAN_EPOCHS)


def size_words(full: bool) -> str:
    """Folds and seeds of a study."""
    return f"5 folds, {FULL_SEEDS} seeds" if full else f"{QUICK_FOLDS} of 5 folds, 1 seed"


def expected_words(fits: int, finished: int, minutes: float = FIT_MINUTES) -> str:
    """How long what is left will take, said before it starts."""
    left = (fits - finished) * minutes / PROCESSES
    took = f"about {left / 60:.1f} h" if left >= 90 else f"about {math.ceil(left)} min"
    return (
        f"{fits} trainings, {finished} finished before: {took} on {PROCESSES} cores; stop and start again at any time"
    )


def publish(study: Study, workspace: Workspace, evidence: Path | None = None) -> BenchResult:
    """Write the section of EVIDENCE.md and the figure, and answer with the rows."""
    lines = study_lines(study)
    folder = ROOT / FOLDER if evidence is None else workspace.root / "figures"
    files = write_svg({study.name: _figure(study)}, folder)
    write_section(evidence or ROOT / "EVIDENCE.md", study.name, lines)
    rows = tuple(_bench_row(row) for row in study.rows if row.value.mean is not None)
    return BenchResult(rows, {"full": study.full, "figures": [str(f) for f in files]}, tuple(lines))


def study_lines(study: Study) -> list[str]:
    """The study as Markdown."""
    series = len({row.series for row in study.rows}) > 1
    lines = [
        f"### {study.title}",
        "",
        f"Command: `./run cli bench {study.name}{' --full' if study.full else ''}`. {study.size}.",
        *DATA_WORDS,
        f"Difference: {study.against}, on the same patients, with its 95 % paired bootstrap interval.",
        "",
        table_header(["", *(["model"] if series else []), "C (95 % interval)", "difference"]),
    ]
    for row in study.rows:
        cells = [row.row, *([row.series] if series else []), _with_interval(row.value), _signed(row.difference)]
        lines.append(table_row(cells))
    notes = ["", *study.notes] if study.notes else []
    return [*lines, *notes, "", f"![{study.title}]({FOLDER}/{study.name}.svg)"]


def _with_interval(metric: Metric) -> str:
    if metric.mean is None:
        return metric.note or "–"
    if metric.low is None or metric.high is None:
        return f"{metric.mean:.3f}"
    return f"{metric.mean:.3f} ({metric.low:.3f} to {metric.high:.3f})"


def part_of(progress: Progress, i: int, of: int, words: str) -> Progress:
    """The progress of part ``i`` of ``of``."""
    return lambda share, message: progress((i + share) / of, f"{words}: {message}" if message else words)


def _signed(difference: Interval | None) -> str:
    if difference is None:
        return "–"
    mean, low, high = (0.0 + round(v, 3) for v in (difference.mean, difference.low, difference.high))
    return f"{mean:+.3f} ({low:+.3f} to {high:+.3f})"


def _bench_row(row: StudyRow) -> BenchRow:
    value = float("nan") if row.value.mean is None else row.value.mean
    ratio = None if row.reference is None else round(value / row.reference, 4)
    reference = None if row.reference is None else round(row.reference, 4)
    return BenchRow(f"{row.row}, {row.series}", round(value, 4), "Harrell C", reference, ratio)


def _figure(study: Study) -> object:
    known = [r for r in study.rows if r.value.mean is not None]
    dots = [Dot(r.row, r.series, r.value.mean, r.value.low, r.value.high) for r in known if r.value.mean is not None]
    return dot_rows(dots, study.title, f"eleven TCGA cohorts, genomics + clinical · {study.size}", "C within cancers")
