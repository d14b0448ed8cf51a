"""``bench sample``: does HDMoE gain from two modalities over each of them alone, where the truth is known?

The sample cohort, the patients who have both modalities of a pair, the same folds and seeds for the pair and for each
single modality. Slides and genomics is the pair of the paper's public cohorts, volumes and slides that of its liver
cohort. Nothing here is tuned on the result.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from core.cohort.cohort import Cohort
from core.cohort.modality import Modality
from core.cohort.sample import NAME
from core.cohort.storage import load_cohort
from core.results.comparing import Difference, compare_with_each
from core.results.run import Metric
from core.results.workspace import Workspace
from core.tasks.bench import BenchResult, BenchRow
from core.tasks.cells import Cell, CellSpec, run_cell
from core.tasks.complete_sample import complete_sample
from core.tasks.encode import EncodeRequest, encode
from core.tasks.evidence_tables import write_section
from core.tasks.markdown import table_header, table_row
from core.tasks.provenance import ROOT
from core.tasks.train import Progress
from core.training.estimators import EstimatorSpec, training_from

PAIRS = ((Modality.SLIDES, Modality.GENOMICS), (Modality.VOLUMES, Modality.SLIDES))
FOLDS, SEEDS, SEEDS_FULL = "5", 2, 5
SETTINGS = {
    "reorganise_rate": 0.25, "training.epochs": 20, "training.batch_size": 16, "training.patch_sample": 64,
}  # fmt: skip
"""Those of the first start; 64 of a slide's patches at a step, as attention over all of them is slow without a GPU."""
PROCESSES, SECTION = 2, "sample-pairs"


@dataclass(frozen=True, eq=False)
class PairResult:
    """A pair's cell, the cell of each of its modalities on the same patients, and the paired differences."""

    name: str
    pair: Cell
    singles: dict[str, Cell]
    differences: dict[str, Difference]
    patients: int

    @property
    def gains(self) -> bool:
        """Whether the pair ranks better than each single modality."""
        return all(d.mean > 0 for d in self.differences.values())


def bench_sample(workspace: Workspace, full: bool, progress: Progress, evidence: Path | None = None) -> BenchResult:
    """Make and encode what is missing, then run every cell; ``full`` takes five seeds for two."""
    complete_sample(workspace, lambda s, m: progress(0.1 * s, m))
    wanted = tuple(m for m in Modality if any(m in pair for pair in PAIRS) and m is not Modality.GENOMICS)
    encode(EncodeRequest(NAME, wanted), workspace, lambda s, m: progress(0.1 + 0.2 * s, m))
    cohort = load_cohort(NAME, workspace)
    seeds = SEEDS_FULL if full else SEEDS
    results = []
    for i, pair in enumerate(PAIRS):

        def tell(share: float, message: str, at: int = i) -> None:
            progress(0.3 + 0.7 * (at + share) / len(PAIRS), message)

        results.append(run_pair(pair, cohort, workspace, seeds, tell))
    extra = {"seeds": seeds, "gains": {r.name: r.gains for r in results}}
    lines = pair_lines(results, seeds)
    codes = ", ".join(sorted({c.code_version for r in results for c in (r.pair, *r.singles.values())}))
    head = [f"Command: `./run cli bench sample{' --full' if full else ''}`. Cells computed with code {codes}.", ""]
    write_section(evidence or ROOT / "EVIDENCE.md", SECTION, [*head, *lines])
    return BenchResult(tuple(row for r in results for row in _rows(r)), extra, tuple(lines))


def run_pair(
    pair: tuple[Modality, ...], cohort: Cohort, workspace: Workspace, seeds: int, progress: Progress
) -> PairResult:
    """One pair and each of its modalities, on the patients who have both."""
    both = cohort.availability[[m.value for m in pair]].all(axis=1).to_numpy(dtype=bool)
    patients = cohort.take(np.flatnonzero(both))
    settings, training = training_from(SETTINGS)
    estimator = EstimatorSpec("hdmoe", settings, training)
    plans = [pair, *((m,) for m in pair)]
    cells: list[Cell] = []
    for i, modalities in enumerate(plans):
        name = _name(modalities)
        spec = CellSpec(name, cohort.name, FOLDS, estimator, modalities, seeds)

        def tell(share: float, message: str, at: int = i, name: str = name) -> None:
            progress((at + share) / len(plans), f"{name}: {message}")

        cells.append(run_cell(spec, patients, workspace, PROCESSES, tell))
    singles = {c.spec.label: c for c in cells[1:]}
    differences = compare_with_each(cells[0].predictions, {k: c.predictions for k, c in singles.items()})
    return PairResult(_name(pair), cells[0], singles, differences, len(patients))


def _name(modalities: tuple[Modality, ...]) -> str:
    return " + ".join(m.value for m in modalities) + (" alone" if len(modalities) == 1 else "")


def _rows(result: PairResult) -> list[BenchRow]:
    together = _mean(result.pair.metrics.harrell_c)
    return [
        BenchRow(f"{result.name} against {name}: Harrell C", together, "C", alone, together / alone, 1.0)
        for name, cell in result.singles.items()
        for alone in (_mean(cell.metrics.harrell_c),)
    ]


def _mean(metric: Metric) -> float:
    return float("nan") if metric.mean is None else metric.mean


def pair_lines(results: list[PairResult], seeds: int) -> list[str]:
    """The table, and one sentence a pair."""
    lines = [
        f"HDMoE on the synthetic sample cohort, honest protocol, {FOLDS} folds × {seeds} seeds, patients with both.",
        "",
        table_header(("inputs", "patients", "Harrell C (95 %)", "IBS", "pair minus this (95 %)", "p (Holm)")),
    ]
    for r in results:
        lines.append(_line(r.pair, r.patients, None))
        lines += [_line(cell, r.patients, r.differences[name]) for name, cell in r.singles.items()]
    lines.append("")
    lines += [
        f"{r.name} {'ranks better than' if r.gains else 'does not beat'} each of its modalities alone." for r in results
    ]
    return lines


def _line(cell: Cell, patients: int, difference: Difference | None) -> str:
    c, ibs = cell.metrics.harrell_c, cell.metrics.ibs
    interval = "" if c.low is None or c.high is None else f" ({c.low:.3f} to {c.high:.3f})"
    gain = p = ""
    if difference is not None:
        gain = f"{difference.mean:+.3f} ({difference.low:+.3f} to {difference.high:+.3f})"
        p = f"{difference.p_adjusted:.3f}"
    return table_row((cell.spec.label, str(patients), f"{_mean(c):.3f}{interval}", f"{_mean(ibs):.3f}", gain, p))
