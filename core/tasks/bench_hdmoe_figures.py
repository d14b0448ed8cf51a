"""``bench hdmoe-figures``: the HDMoE paper's Figures 5 to 8 on four TCGA cohorts, numbers and drawings."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

from core.results.workspace import Workspace
from core.tasks.bench import BenchResult, BenchRow
from core.tasks.bench_evidence import COHORTS, evidence_cohort
from core.tasks.bench_hdmoe_sweeps import EVIDENCE, PROCESSES
from core.tasks.cells import CellSpec, run_cell
from core.tasks.evidence_tables import write_section
from core.tasks.figure_files import write_svg
from core.tasks.hdmoe_figure_record import Found
from core.tasks.hdmoe_figures import hdmoe_figures
from core.tasks.hdmoe_inside import look_inside
from core.tasks.hdmoe_inside_tables import allocation_lines, combined, redundancy_lines
from core.tasks.hdmoe_risk_groups import risk_groups_of
from core.tasks.hdmoe_risk_tables import risk_group_lines
from core.tasks.hdmoe_sweeps import BOTH, FOLDS, FULL_SEEDS, studied
from core.tasks.train import Progress
from core.training.config import TrainingConfig
from core.training.estimators import EstimatorSpec

NAME = "hdmoe-figures"


def bench_figures(
    workspace: Workspace,
    full: bool,
    progress: Progress,
    evidence: Path | None = None,
    cohorts: tuple[str, ...] = COHORTS,
) -> BenchResult:
    """Train on all five folds of every cohort (one seed, three with ``full``; cached), look inside, write and draw."""
    found = {}
    for i, name in enumerate(cohorts):
        cohort = evidence_cohort(name, workspace)
        cells = []
        for j, epochs in enumerate((TrainingConfig().epochs, 0)):
            words = f"{name}, {'trained' if epochs else 'untrained'}"

            def inner(share: float, message: str, at: float = i + j / 2, words: str = words) -> None:
                progress((at + share / 2) / len(cohorts), f"{words}: {message}")

            cells.append(run_cell(figure_spec(name, full, epochs), cohort, workspace, PROCESSES, inner))
        inside = [look_inside(cell, cohort) for cell in cells]
        found[name] = Found(cohort, cells[0], inside[0], inside[1], risk_groups_of(cells[0], cohort))
    files = write_svg(hdmoe_figures(found), workspace.root / "figures")
    command = f"`./run cli bench {NAME}{' --full' if full else ''}`"
    sections = {
        "hdmoe-redundancy": redundancy_lines(found, command),
        "hdmoe-allocation": allocation_lines(found, command),
        "hdmoe-risk-groups": risk_group_lines(found, command),
    }
    for section, lines in sections.items():
        write_section(evidence or EVIDENCE, section, lines)
    drawn = [f"Drawn: {path}" for path in files] or ["No figure drawn: no Chromium on this machine."]
    printed = [line for lines in sections.values() for line in [*lines, ""]]
    return BenchResult(_rows(found), {"full": full, "figures": [str(p) for p in files]}, (*printed, *drawn))


def figure_spec(cohort: str, full: bool, epochs: int) -> CellSpec:
    """All five published folds with the models kept; 0 epochs is the control before training."""
    estimator = EstimatorSpec("hdmoe", asdict(studied({})), TrainingConfig(epochs=epochs))
    seeds = FULL_SEEDS if full and epochs else 1
    return CellSpec(f"HDMoE, {epochs} epochs", cohort, FOLDS, estimator, BOTH, seeds, models=True)


def _rows(found: dict[str, Found]) -> tuple[BenchRow, ...]:
    rows = []
    for name, f in found.items():
        for (level, measure), r in f.trained.redundancy.items():
            before, after = r.before.redundancy, r.after.redundancy
            words = f"{name}, {level}: |{measure}| of tokens after the shared expert (reference: before)"
            rows.append(BenchRow(words, round(after, 4), "mean |r|", round(before, 4), round(before / after, 4)))
        for level, allocations in f.trained.allocations.items():
            value = combined(allocations).entropy
            rows.append(
                BenchRow(
                    f"{name}, {level}: entropy of the load", round(value, 4), "of its largest", 1.0, round(value, 4)
                )
            )
        test = f.groups.survival.logrank
        if test is not None and test.p is not None:
            rows.append(BenchRow(f"{name}: log-rank, high against low predicted risk", test.p, "p"))
        rows.append(BenchRow(f"{name}: risk of the dead against the living", f.groups.by_status.p_welch, "p, Welch t"))
    return tuple(rows)
