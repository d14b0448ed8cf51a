"""``bench evidence-eleven``: the three models on all eleven TCGA cancers, both families of folds, into EVIDENCE.md.

What a model is allowed to take from the outer folds: nothing. Which model "the best of the three" is, each outer fold
decides on its own training patients (:mod:`core.tasks.inner_choice`).
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from core.results.by_cancer import ByCancer, by_cancer, mean_difference
from core.results.workspace import Workspace
from core.tasks.bench import BenchResult, BenchRow, Progress
from core.tasks.bench_evidence import BOTH
from core.tasks.eleven_cancers import CANDIDATES, COX, HDMOE, SNN, Tables
from core.tasks.eleven_sites import site_audit
from core.tasks.eleven_tables import FamilyResult, eleven_lines
from core.tasks.evidence_tables import write_section
from core.tasks.fit_queue import Fit, run_fits
from core.tasks.inner_choice import as_chosen, choice_fits, choose, mean_c
from core.tasks.mice_study import PROCESSES
from core.tasks.provenance import ROOT

FAMILIES = ("published", "site")
OUTER, SEEDS, QUICK_SEEDS = 5, 3, 1
CHOSEN = "Best of the three, chosen inside each fold"
SECTION = "eleven-cancers"
AGAINST = (SNN, COX, HDMOE)
REFERENCES = (COX, "Cox, age + sex")


def bench_eleven(workspace: Workspace, full: bool, progress: Progress, evidence: Path | None = None) -> BenchResult:
    """Train seed by seed and write the table after each, so that whatever stops the run leaves a whole table.

    ``full``: three seeds, and the published MICE (one seed) as a row of its own; else one seed.
    """
    tables = Tables.of(workspace)
    seeds = SEEDS if full else QUICK_SEEDS
    progress(0.0, "about 75 min" if full else "about 35 min on 2 idle cores; stop and start again at any time")
    for seed in range(seeds):

        def tell(share: float, words: str, seed: int = seed) -> None:
            progress((seed + share) / seeds, words)

        run_fits(_fits(tables, seed, full and seed == seeds - 1), workspace, PROCESSES, tell)
        last = full and seed == seeds - 1
        found = [family_result(tables, family, seed + 1, last) for family in FAMILIES]
        lines = eleven_lines(found, tables, seed + 1, full)
        write_section(evidence or ROOT / "EVIDENCE.md", SECTION, lines)
    return BenchResult(tuple(_rows(found)), {"seeds": seeds, "full": full}, tuple(lines))


def _fits(tables: Tables, seed: int, last: bool) -> list[Fit]:
    """What one seed adds: every row on both families of folds; the first also what the choices are made by, the
    ``last`` of a full run also the published MICE."""
    rows = [row for row in CANDIDATES if not row.only_full]
    fits = [fit for family in FAMILIES for row in rows for fit in tables.fits(row, family, (seed,))]
    if seed == 0:
        fits += [fit for family in FAMILIES for fit in choice_fits(tables, family, OUTER)]
    if last:
        only = [row for row in CANDIDATES if row.only_full]
        fits += [fit for family in FAMILIES for row in only for fit in tables.fits(row, family, (0,))]
    return fits


def family_result(tables: Tables, family: str, seeds: int, full: bool) -> FamilyResult:
    """Every row of one family of folds from its finished fits: scores, the choice inside each fold, the paired
    differences, and the two audits (modalities permuted, sites)."""
    rows = [c for c in CANDIDATES if full or not c.only_full]
    predictions = {row.label: tables.predictions(row, family, seeds) for row in rows}
    permuted = {
        row.label: {m.value: mean_c(tables.predictions(row, family, seeds, m), tables.cancers) for m in BOTH}
        for row in rows
        if row.label not in REFERENCES[1:]
    }
    choice = choose(tables, family, OUTER)
    predictions[CHOSEN] = as_chosen(choice, predictions)
    cancers = tables.cancers
    scores: Mapping[str, ByCancer] = {label: by_cancer(p, cancers) for label, p in predictions.items()}
    differences = {
        (label, against): mean_difference(predictions[label], predictions[against], cancers)
        for label in predictions
        for against in AGAINST
        if label != against and label not in REFERENCES
    }
    sites = site_audit(tables, family, full)
    return FamilyResult(family, scores, differences, choice, predictions, permuted, sites)


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
