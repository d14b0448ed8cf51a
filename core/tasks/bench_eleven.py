"""``bench evidence-eleven``: the three models on all eleven TCGA cancers, both families of folds, into EVIDENCE.md.

What a model is allowed to take from the outer folds: nothing. Which model "the best of the three" is, each outer fold
decides on its own training patients (:mod:`core.tasks.inner_choice`).
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from core.results.by_cancer import ByCancer, by_cancer, mean_difference
from core.results.prediction import Predictions
from core.results.workspace import Workspace
from core.tasks.bench import BenchResult, BenchRow, Progress
from core.tasks.eleven_cancers import CANDIDATES, COX, HDMOE, SNN, Candidate, Tables
from core.tasks.eleven_tables import FamilyResult, eleven_lines
from core.tasks.evidence_tables import write_section
from core.tasks.inner_choice import as_chosen, choose
from core.tasks.provenance import ROOT

FAMILIES = ("published", "site")
OUTER, SEEDS, QUICK_SEEDS = 5, 3, 1
CHOSEN = "Best of the three, chosen inside each fold"
SECTION = "eleven-cancers"
AGAINST = (SNN, COX, HDMOE)


def bench_eleven(workspace: Workspace, full: bool, progress: Progress, evidence: Path | None = None) -> BenchResult:
    """Published folds first, then whole sites; the table is written after each family. ``full``: three seeds, and the
    published MICE as a row of its own; else one seed."""
    tables = Tables.of(workspace)
    seeds = SEEDS if full else QUICK_SEEDS
    progress(0.0, "about 3 h" if full else "about 75 min on 2 idle cores; stop and start again at any time")
    found: list[FamilyResult] = []
    for i, family in enumerate(FAMILIES):

        def tell(share: float, words: str, at: int = i, family: str = family) -> None:
            progress((at + share) / len(FAMILIES), f"{family} folds, {words}")

        found.append(family_result(tables, family, seeds, full, tell))
        lines = eleven_lines(found, tables, seeds, full)
        write_section(evidence or ROOT / "EVIDENCE.md", SECTION, lines)
    return BenchResult(tuple(_rows(found)), {"seeds": seeds, "full": full}, tuple(lines))


def family_result(tables: Tables, family: str, seeds: int, full: bool, progress: Progress) -> FamilyResult:
    """Every row of one family of folds, the choice inside each fold, and the paired differences."""
    rows = [c for c in CANDIDATES if full or not c.only_full]
    predictions: dict[str, Predictions] = {}
    for i, row in enumerate(rows):

        def tell(share: float, words: str, at: int = i, row: Candidate = row) -> None:
            progress(0.6 * (at + share) / len(rows), f"{row.label}: {words}")

        predictions[row.label] = tables.predictions(row, family, seeds, tell)
    choice = choose(tables, family, OUTER, lambda s, w: progress(0.6 + 0.4 * s, w))
    predictions[CHOSEN] = as_chosen(choice, predictions)
    cancers = tables.cancers
    scores: Mapping[str, ByCancer] = {label: by_cancer(p, cancers) for label, p in predictions.items()}
    differences = {
        (label, against): mean_difference(predictions[label], predictions[against], cancers)
        for label in predictions
        for against in AGAINST
        if label != against and label not in (COX, "Cox, age + sex")
    }
    return FamilyResult(family, scores, differences, choice, predictions)


def _rows(found: list[FamilyResult]) -> list[BenchRow]:
    """One row a model and family: the mean of the eleven, the SNN's beside it."""
    rows = []
    for family in found:
        base = family.scores[SNN].mean.mean or float("nan")
        for label, score in family.scores.items():
            value = score.mean.mean or float("nan")
            rows.append(
                BenchRow(f"{label}:{family.name}", round(value, 4), "Harrell C", round(base, 4), round(value / base, 4))
            )
    return rows
