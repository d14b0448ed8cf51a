"""``bench explanations``: are the explanations true? Measured on the sample cohort, whose truth is planted.

Slides: models are trained on slides, one of them taught by reports as well. Model and layer are chosen on one half of
the slides by how well the layer finds the planted high-risk region, and scored on the other half, which chose nothing.
Genes: the run of the first start. Sanity checks: the same explanations of models with random weights and of models
trained on shuffled outcomes.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np

from core.cohort.modality import Modality
from core.cohort.sample import NAME
from core.cohort.storage import load_cohort
from core.explain.cohort_values import CohortSettings
from core.explain.faithfulness import Curves
from core.explain.map_truth import interval
from core.results.explained import Kind
from core.results.explanation_trust import ExplanationTrust, TrustNumber, save_trust
from core.results.files import read_json, write_json
from core.results.workspace import Workspace
from core.tasks.bench import BenchResult, BenchRow
from core.tasks.complete_sample import complete_sample
from core.tasks.encode import EncodeRequest, encode
from core.tasks.evidence_tables import write_section
from core.tasks.explanation_genes import GeneTruth, gene_truth
from core.tasks.explanation_runs import GENES, SLIDE_CANDIDATES, run_of
from core.tasks.explanation_section import explanation_section
from core.tasks.explanation_slides import (
    Chosen,
    MeasuredRun,
    Sanity,
    ScoredRun,
    choose,
    curves_of,
    measure,
    on_permuted,
    outcome_of,
    planted_slides,
    scored_run,
    without_training,
)
from core.tasks.planted_truth import planted_genes
from core.tasks.provenance import ROOT, code_version
from core.tasks.run_models import open_run
from core.tasks.train import Progress

COMMAND = "./run cli bench explanations"
SEEDS, SEEDS_FULL = 2, 5
GENE_SEEDS = 3
GENES_VERSION = 1
"""Raised whenever a change of the code changes what is measured of genes."""
AUROC, UNTRAINED, RECALL, CORRELATION, SUM, RESIDUAL = 0.80, 0.60, 0.60, 0.20, 1e-6, 0.5


@dataclass(frozen=True, eq=False)
class SlideTruth:
    """Everything measured of maps: the candidates, what was chosen, and the checks of what was chosen."""

    scored: tuple[ScoredRun, ...]
    chosen: Chosen
    run: MeasuredRun
    untrained: Sanity
    permuted: Sanity
    curves: tuple[Curves, ...]

    @property
    def aurocs(self) -> list[float]:
        """One a slide of the half that chose nothing."""
        return [s.auroc for s in self.chosen.held_out]


def bench_explanations(workspace: Workspace, full: bool, progress: Progress) -> BenchResult:
    """Train what is missing and measure; ``full`` takes five models of each patient for two, and more patients."""
    complete_sample(workspace, lambda s, m: progress(0.05 * s, m))
    encode(EncodeRequest(NAME, (Modality.SLIDES,)), workspace, lambda s, m: progress(0.05 + 0.05 * s, m))
    slides = slide_truth(workspace, SEEDS_FULL if full else SEEDS, lambda s, m: progress(0.1 + 0.6 * s, m))
    genes = genes_of(workspace, full, lambda s, m: progress(0.7 + 0.3 * s, m))
    lines = explanation_section(slides, genes, COMMAND)
    write_section(ROOT / "EVIDENCE.md", "explanations", lines)
    extra = {"layer": slides.chosen.layer, "model": slides.run.words, "run": slides.run.models.run.id}
    return BenchResult((*slide_rows(slides), *gene_rows(genes)), extra, tuple(lines))


def slide_truth(workspace: Workspace, seeds: int, progress: Progress) -> SlideTruth:
    """Train the candidates, measure their maps, choose, and check what was chosen."""
    cohort = load_cohort(NAME, workspace)
    scored: list[ScoredRun] = []
    count = len(SLIDE_CANDIDATES)
    for i, candidate in enumerate(SLIDE_CANDIDATES):

        def tell(share: float, message: str, at: int = i) -> None:
            progress(0.7 * (at + share) / count, message)

        run = run_of(candidate, cohort, seeds, workspace, lambda s, m, tell=tell: tell(0.7 * s, m))  # type: ignore[misc]
        scored.append(
            scored_run(candidate.words, run.id, workspace, lambda s, m, tell=tell: tell(0.7 + 0.3 * s, m))  # type: ignore[misc]
        )
    chosen = choose(scored)
    held = [s.patient for s in chosen.held_out]
    models = open_run(scored[chosen.run].run, workspace)
    truth = {p: t for p, t in planted_slides(models, workspace).items() if p in held}
    best = measure(scored[chosen.run].words, models, truth, lambda s, m: progress(0.7 + 0.03 * s, m))
    bare = without_training(best, chosen.layer, held, lambda s, m: progress(0.73 + 0.02 * s, m))
    dealt = on_permuted(best, chosen.layer, held, workspace, lambda s, m: progress(0.75 + 0.15 * s, m))
    curves = curves_of(best, chosen.layer, held, lambda s, m: progress(0.9 + 0.1 * s, m))
    found = SlideTruth(tuple(scored), chosen, best, bare, dealt, curves)
    save_trust(_slide_trust(found), workspace)
    return found


def genes_of(workspace: Workspace, full: bool, progress: Progress) -> GeneTruth:
    """The run of the first start, on genes and the clinical table."""
    cohort = load_cohort(NAME, workspace)
    run = run_of(GENES, cohort, GENE_SEEDS, workspace, lambda s, m: progress(0.3 * s, m))
    settings = CohortSettings(patients=100 if full else 48, background=20 if full else 10)
    path = workspace.cells / f"genes-{GENES_VERSION}-{run.id}-{settings.patients}-{settings.background}.json"
    if not path.is_file():
        models, planted = open_run(run.id, workspace), planted_genes(NAME, workspace)
        outcome = outcome_of(models, workspace)
        measured = gene_truth(
            models, planted, outcome, settings, lambda s, m: progress(0.3 + 0.7 * s, m), None if full else 1
        )
        write_json(path, asdict(measured))
    found = GeneTruth(**read_json(path))
    numbers = (
        TrustNumber("planted genes found", found.recall, RECALL, True, 30 / found.genes,
                    f"share of the {found.planted} planted genes among the first 30 of the run's ranking."),
        TrustNumber("the sum adds up", found.sum_error, SUM, False, None,
                    "largest difference between baseline + values + residual and the estimate, percentage points."),
        TrustNumber("the residual is small", found.residual, RESIDUAL, False, None,
                    "largest part that no value explains, percentage points."),
        TrustNumber("nothing is shown that was not learned", abs(found.permuted), CORRELATION, False, 0.0,
                    "rank correlation with the ranking of models trained on shuffled outcomes."),
    )  # fmt: skip
    save_trust(
        ExplanationTrust(run.id, Kind.VALUES, found.patients, len(run.seeds), run.synthetic, True, numbers, COMMAND,
                         code_version()),
        workspace,
    )  # fmt: skip
    return found


def slide_rows(found: SlideTruth) -> list[BenchRow]:
    """The rows about maps."""
    held = found.chosen.held_out
    pointed, blind = float(np.mean([s.pointed for s in held])), float(np.mean([s.share for s in held]))
    deletion = float(np.mean([c.deletion_gain for c in found.curves]))
    insertion = float(np.mean([c.insertion_gain for c in found.curves]))
    auroc = float(np.mean(found.aurocs))
    return [
        BenchRow("attention_auroc_heldout", auroc, "AUROC", AUROC, auroc / AUROC, 1.0),
        BenchRow("attention_auroc_untrained", found.untrained.auroc, "AUROC", UNTRAINED,
                 UNTRAINED / found.untrained.auroc, 1.0),
        BenchRow("pointing_game", pointed, "share", blind, pointed / blind, 1.0),
        BenchRow("deletion_gain", deletion, "percentage points"),
        BenchRow("insertion_gain", insertion, "percentage points"),
        _sanity_row("map_correlation_randomised", found.untrained.correlation),
        _sanity_row("map_correlation_permuted", found.permuted.correlation),
    ]  # fmt: skip


def gene_rows(found: GeneTruth) -> list[BenchRow]:
    """The rows about genes and sums."""
    return [
        BenchRow("planted_gene_recall30", found.recall, "share", RECALL, found.recall / RECALL, 1.0),
        BenchRow("planted_gene_recall30_cox_ceiling", found.ceiling, "share"),
        _sanity_row("gene_correlation_randomised", found.untrained),
        _sanity_row("gene_correlation_permuted", found.permuted),
        BenchRow("sum_to_prediction_error", found.sum_error, "percentage points", SUM),
        BenchRow("largest_residual", found.residual, "percentage points", RESIDUAL),
    ]


def _sanity_row(name: str, value: float) -> BenchRow:
    return BenchRow(name, value, "rank correlation", CORRELATION, CORRELATION / max(abs(value), 1e-9), 1.0)


def _slide_trust(found: SlideTruth) -> ExplanationTrust:
    """The numbers of the chosen run, for its patients' maps."""
    held, run = found.chosen.held_out, found.run.models.run
    low, high = interval(found.aurocs)
    gain = float(np.mean([c.deletion_gain for c in found.curves]))
    numbers = (
        TrustNumber(
            f"{found.chosen.layer} finds the planted region", float(np.mean(found.aurocs)), AUROC, True, 0.5,
            f"AUROC on {len(held)} slides that chose nothing, 95 % interval {low:.2f} to {high:.2f}.",
        ),
        TrustNumber(
            "the highest patch is planted", float(np.mean([s.pointed for s in held])), 0.8, True,
            float(np.mean([s.share for s in held])), "share of slides (pointing game).",
        ),
        TrustNumber(
            "removing what is marked matters", gain, 0.0, True, 0.0,
            "percentage points of survival gained beyond chance when the highest patches are taken out.",
        ),
        TrustNumber(
            "nothing is shown that was not learned", abs(found.permuted.correlation), CORRELATION, False, 0.0,
            "rank correlation with the maps of models trained on shuffled outcomes.",
        ),
    )  # fmt: skip
    return ExplanationTrust(
        run.id, Kind.SLIDE, len(held), len(run.seeds), run.synthetic, True, numbers, COMMAND, code_version()
    )
