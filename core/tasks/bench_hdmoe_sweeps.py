"""``bench hdmoe-ablation``, ``-distance``, ``-tokens``, ``-experts``, ``-alpha-beta``: one study, both protocols."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

from core.cohort.cohort import Cohort
from core.figures.study_dots import StudyRow, study_dots
from core.results.comparing import Difference, compare_with_each
from core.results.run import Metric
from core.results.workspace import Workspace
from core.tasks.bench import BenchResult, BenchRow
from core.tasks.bench_evidence import evidence_cohort
from core.tasks.cells import Cell, run_cell
from core.tasks.evidence_tables import write_section
from core.tasks.figure_files import FOLDER, write_svg
from core.tasks.hdmoe_sweeps import ABLATION, ALPHA_BETA, COHORT, DISTANCE, EXPERTS, PROTOCOLS, TOKENS, Sweep, Variant
from core.tasks.markdown import table_header, table_row
from core.tasks.provenance import ROOT
from core.tasks.train import Progress

EVIDENCE = ROOT / "EVIDENCE.md"
PROCESSES = 2
INPUTS = (
    "TCGA-BLCA, overall survival, published folds. The paper's inputs are slides and genomics, ours are the gene",
    "table, age and sex: its values stand beside ours for their pattern only.",
)


def run_sweep(
    sweep: Sweep, workspace: Workspace, full: bool, progress: Progress, evidence: Path | None = None
) -> BenchResult:
    """Every cell of one study (cached: stop it at any time and start it again), written into ``evidence``."""
    cells = sweep_cells(sweep, evidence_cohort(COHORT, workspace), workspace, full, progress)
    lines = sweep_lines(sweep, cells, full)
    files = write_svg({sweep.name: _figure(sweep, cells)}, workspace.root / "figures")
    write_section(evidence or EVIDENCE, sweep.name, lines)
    return BenchResult(
        _rows(sweep, cells), {"full": full, "cells": len(cells), "figures": [str(f) for f in files]}, tuple(lines)
    )


def sweep_cells(
    sweep: Sweep, cohort: Cohort, workspace: Workspace, full: bool, progress: Progress
) -> dict[tuple[str, str], Cell]:
    """(row's label, protocol) → finished cell."""
    planned = [(v, p) for v in sweep.rows(full) for p in PROTOCOLS]
    cells: dict[tuple[str, str], Cell] = {}
    for i, (variant, protocol) in enumerate(planned):
        words = f"{variant.label}, {protocol}"

        def inner(share: float, message: str, at: int = i, words: str = words) -> None:
            progress((at + share) / len(planned), f"{words}: {message}")

        cells[variant.label, protocol] = run_cell(variant.spec(protocol, full), cohort, workspace, PROCESSES, inner)
        progress((i + 1) / len(planned), words)
    return cells


def _shown(sweep: Sweep, cells: Mapping[tuple[str, str], Cell]) -> list[Variant]:
    """The rows that were computed, in the study's order."""
    return [v for v in sweep.variants if (v.label, PROTOCOLS[0]) in cells]


def _rows(sweep: Sweep, cells: Mapping[tuple[str, str], Cell]) -> tuple[BenchRow, ...]:
    """Mean over folds and seeds, as the paper prints it, with the paper's value as the reference."""
    rows = []
    for variant in _shown(sweep, cells):
        for protocol in PROTOCOLS:
            value = _fold_mean(cells[variant.label, protocol])
            ratio = None if variant.paper is None else round(value / variant.paper, 4)
            words = "honest" if protocol == "honest" else "upstream (optimistic)"
            rows.append(BenchRow(f"{variant.label}, {words}", round(value, 4), "Harrell C", variant.paper, ratio))
    return tuple(rows)


def _fold_mean(cell: Cell) -> float:
    mean = cell.metrics.harrell_c.seed_fold_mean
    return float("nan") if mean is None else mean


def sweep_lines(sweep: Sweep, cells: Mapping[tuple[str, str], Cell], full: bool) -> list[str]:
    """The section of one study as Markdown."""
    found = list(cells.values())
    first = found[0].predictions
    size = f"{len(first.folds)} of 5 folds, {len(first.seeds)} seed{'s' if len(first.seeds) > 1 else ''}"
    differences = {p: _differences(sweep, cells, p) for p in PROTOCOLS}
    lines = [
        f"### {sweep.title}",
        "",
        f"Command: `./run cli bench {sweep.name}{' --full' if full else ''}`. {INPUTS[0]}",
        f"{INPUTS[1]} {size}, {len(set(first.table['id']))} test patients. C: mean ± sd over folds and seeds.",
        f"Difference: from “{sweep.base}”, of the seed ensembles, with its 95 % paired bootstrap interval. Optimistic:",
        "best of 30 epochs on the test fold, as released; honest: the last of 10 epochs, chosen by nobody.",
        f"Code {', '.join(sorted({c.code_version for c in found}))}; {sum(c.seconds for c in found) / 60:.0f} min.",
        "",
        table_header(["", "honest C", "difference", "optimistic C", "difference", "paper (optimistic, other inputs)"]),
    ]
    for variant in _shown(sweep, cells):
        entries = [f"**{variant.label}**" if variant.label == sweep.base else variant.label]
        for protocol in PROTOCOLS:
            cell = cells[variant.label, protocol]
            entries += [_spread(cell.metrics.harrell_c), _signed(differences[protocol].get(variant.label))]
        lines.append(table_row([*entries, "–" if variant.paper is None else f"{variant.paper:.3f}"]))
    picture = f"![{sweep.title}]({FOLDER}/{sweep.name}.svg)"
    return [*lines, "", *_reading(sweep, cells, differences["honest"]), *sweep.notes, "", picture]


def _differences(sweep: Sweep, cells: Mapping[tuple[str, str], Cell], protocol: str) -> dict[str, Difference]:
    """Each row minus the base row, on the same patients."""
    base = cells[sweep.base, protocol].predictions
    others = {v.label: cells[v.label, protocol].predictions for v in _shown(sweep, cells) if v.label != sweep.base}
    return compare_with_each(base, others)


def _reading(sweep: Sweep, cells: Mapping[tuple[str, str], Cell], differences: Mapping[str, Difference]) -> list[str]:
    """What the table says, computed: the range, the gain of the optimistic rule, which rows differ from the base."""
    means = {p: [_fold_mean(cells[v.label, p]) for v in _shown(sweep, cells)] for p in PROTOCOLS}
    low, high = ({p: pick(m) for p, m in means.items()} for pick in (min, max))
    gain = (sum(means["upstream"]) - sum(means["honest"])) / len(means["honest"])
    apart = [label for label, d in differences.items() if d.low > 0 or d.high < 0]
    words = f"Intervals that exclude 0 under the honest protocol, uncorrected: {', '.join(apart) if apart else 'none'}."
    return [
        f"Range over the rows: honest {low['honest']:.3f} to {high['honest']:.3f}, optimistic {low['upstream']:.3f} to",
        f"{high['upstream']:.3f}; the optimistic rule adds {gain:.3f} on average.",
        words,
    ]


def _spread(metric: Metric) -> str:
    return f"{metric.seed_fold_mean:.3f} ± {metric.std:.3f}"


def _figure(sweep: Sweep, cells: Mapping[tuple[str, str], Cell]) -> Any:
    def of(label: str, protocol: str) -> tuple[float, float]:
        return _fold_mean(cells[label, protocol]), cells[label, protocol].metrics.harrell_c.std or 0.0

    rows = [StudyRow(v.label, of(v.label, "honest"), of(v.label, "upstream"), v.paper) for v in _shown(sweep, cells)]
    first = next(iter(cells.values())).predictions
    words = f"{len(first.folds)} folds, {len(first.seeds)} seed(s), {first.table['id'].nunique()} test patients"
    return study_dots(rows, sweep.title, f"TCGA-BLCA, genomics + clinical · mean ± sd over folds · {words}")


def _signed(difference: Difference | None) -> str:
    """Row minus base: the comparison was made the other way round."""
    if difference is None:
        return "–"
    mean, low, high = (0.0 - round(v, 3) for v in (difference.mean, difference.high, difference.low))
    return f"{mean:+.3f} ({low:+.3f} to {high:+.3f})"


bench_ablation = partial(run_sweep, ABLATION)
bench_distance = partial(run_sweep, DISTANCE)
bench_tokens = partial(run_sweep, TOKENS)
bench_experts = partial(run_sweep, EXPERTS)
bench_alpha_beta = partial(run_sweep, ALPHA_BETA)
