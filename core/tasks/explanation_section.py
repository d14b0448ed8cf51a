"""The section of EVIDENCE.md on explanations, made from what ``bench explanations`` measured and from nothing typed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from core.explain.map_truth import halves, interval, mean_auroc
from core.tasks.explanation_genes import GeneTruth
from core.tasks.explanation_slides import LAYERS
from core.tasks.markdown import table_header, table_row
from core.tasks.provenance import code_version

if TYPE_CHECKING:
    from core.tasks.bench_explanations import SlideTruth


def explanation_section(slides: SlideTruth, genes: GeneTruth, command: str) -> list[str]:
    """Everything, with what does not reach its target said as plainly as what does."""
    return [
        f"Command: `{command}`. Synthetic sample cohort, whose truth is planted; out of fold; code {code_version()}.",
        "",
        *_candidates(slides),
        "",
        *_checks(slides, genes),
        "",
        *_words(slides, genes),
    ]


def _candidates(found: SlideTruth) -> list[str]:
    first, second = halves(sorted(frozenset.intersection(*(m.patients for m in found.scored))))
    lines = [
        f"Mean AUROC of each layer against the planted high-risk region: {len(first)} slides to choose on, "
        f"{len(second)} held out.",
        "",
        table_header(["trained on", "models a patient", *(f"{x}, choosing / held out" for x in LAYERS)]),
    ]
    for i, run in enumerate(found.scored):
        here, there = mean_auroc(run.scores, first), mean_auroc(run.scores, second)
        cells = []
        for layer in LAYERS:
            text = f"{here[layer]:.3f} / {there[layer]:.3f}" if layer in here and layer in there else "none"
            cells.append(f"**{text}**" if (i, layer) == (found.chosen.run, found.chosen.layer) else text)
        lines.append(table_row([run.words, str(run.seeds), *cells]))
    return lines


def _checks(slides: SlideTruth, genes: GeneTruth) -> list[str]:
    held = slides.chosen.held_out
    low, high = interval(slides.aurocs)
    deletion = [c.deletion_gain for c in slides.curves]
    insertion = [c.insertion_gain for c in slides.curves]
    rows = [
        ("chosen layer against the planted region, held out", f"{np.mean(slides.aurocs):.3f} ({low:.3f} to {high:.3f})",
         "≥ .80"),
        ("the same layer of untrained networks", f"{slides.untrained.auroc:.3f}", "≤ .60"),
        ("pointing game: the highest patch is planted (by chance)",
         f"{np.mean([s.pointed for s in held]):.2f} ({np.mean([s.share for s in held]):.2f})", "above chance"),
        ("deletion: points of survival gained beyond chance", _gain(deletion), "> 0"),
        ("insertion: points of survival lost beyond chance", _gain(insertion), "> 0"),
        ("map, randomised weights: rank correlation (mean size)",
         f"{slides.untrained.correlation:+.3f} ({slides.untrained.size:.2f})", "within ±.20"),
        ("map, shuffled outcomes: rank correlation (mean size)",
         f"{slides.permuted.correlation:+.3f} ({slides.permuted.size:.2f})", "within ±.20"),
        (f"planted genes among the first 30 of {genes.genes} (univariate Cox)",
         f"{genes.recall:.2f} ({genes.ceiling:.2f})", "≥ .60"),
        ("gene ranking, randomised weights: rank correlation", f"{genes.untrained:+.3f}", "within ±.20"),
        ("gene ranking, shuffled outcomes: rank correlation", f"{genes.permuted:+.3f}", "within ±.20"),
        (f"sum to prediction, largest error of {genes.explained} patients, points", f"{genes.sum_error:.1e}", "≤ 1e-6"),
        ("largest residual, points", f"{genes.residual:.3f}", "≤ .5"),
    ]  # fmt: skip
    return [table_header(["check", "measured", "asked for"]), *(table_row(row) for row in rows)]


def _gain(values: list[float]) -> str:
    low, high = interval(values)
    better = np.mean(np.asarray(values) > 0)
    return f"{np.mean(values):+.2f} ({low:+.2f} to {high:+.2f}), {better:.0%} of slides"


def _words(slides: SlideTruth, genes: GeneTruth) -> list[str]:
    """What the table says, in sentences that follow the numbers."""
    chosen, auroc = slides.chosen, float(np.mean(slides.aurocs))
    lines = [
        f"Chosen on the first half: {chosen.layer} of {slides.run.words} ({chosen.on_choosing:.3f} there). On the "
        f"half that chose nothing it {'reaches' if auroc >= 0.8 else 'does not reach'} .80.",
    ]
    attention = [mean_auroc(m.scores, m.patients).get("attention") for m in slides.scored]
    weak = [m.words for m, a in zip(slides.scored, attention, strict=True) if a is not None and a < 0.7]
    if weak:
        lines.append(
            f"Attention alone is no map of risk: below .70 with {', '.join(weak)}. A patch is attended to because it "
            "tells something, which may be that nothing is wrong."
        )
    if genes.recall < 0.6:
        lines.append(
            f"The genes' ranking falls short of .60; univariate Cox on all patients finds {genes.ceiling:.2f}."
        )
    return lines
