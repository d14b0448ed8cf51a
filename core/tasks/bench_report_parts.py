"""``bench report-parts``: the lexicon's parts against sentences labelled by hand, and what it finds in real reports."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from core.errors import PrognoscopeError
from core.features.report_parts import Part, decompose
from core.results.workspace import Workspace
from core.tasks.bench import BenchResult, BenchRow
from core.tasks.evidence_tables import write_section
from core.tasks.markdown import table_header, table_row
from core.tasks.provenance import ROOT
from core.tasks.train import Progress

LABELLED = ROOT / "tests" / "features" / "labelled_sentences.csv"
REPORTS = ROOT.parent / "shared" / "data" / "reports"
SOURCES: tuple[tuple[str, str, str], ...] = (
    ("TCGA liver pathology reports (OCR)", "tcga_liver_path_reports.csv", "ocr_text"),
    ("RadGPT free-text reports", "radgpt_free_text_reports.csv", "Report Text"),
    ("RadGPT report examples", "radgpt_report_examples.csv", "Findings"),
    ("AbdomenAtlas radiologists' notes", "abdomenatlas_radiologist_notes.csv", "Notes"),
)
"""Words, file and the column with the text."""


@dataclass(frozen=True)
class PartScore:
    """Precision and recall of one part over the labelled sentences."""

    part: str
    sentences: int
    precision: float
    recall: float


@dataclass(frozen=True)
class Counted:
    """Sentences found in the reports of one source: median and quartiles per report, and reports without any."""

    source: str
    reports: int
    quartiles: dict[str, tuple[float, float, float]]
    without: dict[str, int]


def bench_report_parts(workspace: Workspace, full: bool, progress: Progress) -> BenchResult:
    """Score, count, and write the section of EVIDENCE.md; sources that are not here are left out and said."""
    table = labelled_sentences(LABELLED)
    scores, assertions = part_scores(table), assertion_accuracy(table)
    counted, missing = [], []
    for i, (words, file, column) in enumerate(SOURCES):
        progress((i + 0.5) / len(SOURCES), words)
        path = REPORTS / file
        if not path.is_file():
            missing.append(words)
            continue
        counted.append(count_parts(words, pd.read_csv(path)[column].dropna().astype(str)))
    lines = _lines(scores, assertions, counted, missing, len(table))
    write_section(ROOT / "EVIDENCE.md", "report-parts", lines)
    rows = [BenchRow(f"{s.part} {w}", round(v, 4), "share") for s in scores for w, v in _both(s)]
    extra = {"sentences": len(table), "assertion_accuracy": round(assertions, 4), "missing": missing}
    return BenchResult((*rows,), extra, tuple(lines))


def labelled_sentences(path: Path) -> pd.DataFrame:
    """Columns text, part, assertion."""
    if not path.is_file():
        raise PrognoscopeError("no labelled sentences", path.name, "run this from a copy of the whole project")
    return pd.read_csv(path, sep="|", quoting=csv.QUOTE_NONE)


def part_scores(table: pd.DataFrame) -> tuple[PartScore, ...]:
    """Precision and recall of every part; a sentence that is cut in two counts by its first piece."""
    said = table["text"].map(lambda text: decompose(text)[0].part.value)
    scores = []
    for part in Part:
        found, there = said == part.value, table["part"] == part.value
        hit = int((found & there).sum())
        scores.append(PartScore(part.value, int(there.sum()), hit / max(1, found.sum()), hit / max(1, there.sum())))
    return tuple(scores)


def assertion_accuracy(table: pd.DataFrame) -> float:
    """Share of the liver and tumour sentences whose finding is affirmed, doubted or denied as labelled."""
    own = table[table["part"] != Part.OTHER.value]
    said = own["text"].map(lambda text: decompose(text)[0].assertion.value)
    return float((said == own["assertion"]).mean())


def count_parts(source: str, texts: Iterable[str]) -> Counted:
    """Decompose every report of a source."""
    counts = np.array([[sum(s.part is p for s in spans) for p in Part] for spans in map(decompose, texts)])
    quartiles = {}
    for i, part in enumerate(Part):
        low, median, high = (float(q) for q in np.percentile(counts[:, i], [25, 50, 75]))
        quartiles[part.value] = (low, median, high)
    without = {p.value: int((counts[:, i] == 0).sum()) for i, p in enumerate(Part)}
    return Counted(source, len(counts), quartiles, without)


def _both(score: PartScore) -> tuple[tuple[str, float], tuple[str, float]]:
    return ("precision", score.precision), ("recall", score.recall)


def _lines(
    scores: tuple[PartScore, ...], assertions: float, counted: list[Counted], missing: list[str], sentences: int
) -> list[str]:
    lines = [
        f"Command: `./run cli bench report-parts`. {sentences} sentences written and labelled by hand, rules and",
        "labels by the same author: real reports are harder than this, and no one has labelled those.",
        "",
        table_header(["part", "sentences", "precision", "recall"]),
        *(table_row([s.part, str(s.sentences), f"{s.precision:.3f}", f"{s.recall:.3f}"]) for s in scores),
        "",
        f"Affirmed, doubted or denied as labelled: {assertions:.1%} of the liver and tumour sentences.",
        "",
        "What it finds in real reports, sentences a report (median, quartiles) and reports without any:",
        "",
        table_header(["reports", "n", *(p.value for p in Part)]),
    ]
    for c in counted:
        cells = [
            f"{median:g} ({low:g} to {high:g}), none in {c.without[part]:,}"
            for part, (low, median, high) in c.quartiles.items()
        ]
        lines.append(table_row([c.source, f"{c.reports:,}", *cells]))
    return [*lines, *(f"Not on this machine: {words}." for words in missing)]
