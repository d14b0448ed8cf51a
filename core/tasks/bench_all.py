"""``bench all``: everything about speed in one run on one machine, so that all ratios were measured under one load.

It runs the benches of training, explanations, tiles and pages and adds what none of them measures
(:mod:`core.tasks.speed`): the three models at four bag sizes, stage by stage against the floor; how costs grow with
patients, patches and genes; the two large limits; imports and start-up; and an estimate of a pan-cancer training.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import partial

from core.results.workspace import Workspace
from core.tasks.bench import BenchResult, BenchRow, Progress, run_bench
from core.tasks.bench_gpu import no_gpu
from core.tasks.bench_training import threads_of_torch
from core.tasks.markdown import table_header, table_row
from core.tasks.provenance import code_version
from core.tasks.speed.estimate import FLEETS, assumptions, estimate_rows, measured_seconds
from core.tasks.speed.genes import explanation_growth, gene_import_rows
from core.tasks.speed.large_bag import large_bag, measure_here
from core.tasks.speed.machine import Machine, Rates, measured_rates, this_machine
from core.tasks.speed.patches import patch_rows
from core.tasks.speed.patients import patient_rows
from core.tasks.speed.stages import stage_rows
from core.tasks.speed.startup import startup_rows
from core.tasks.speed.steps import StepSizes, step_rows

THREADS = 2
BENCHES = ("training", "explain-speed", "tiles", "pages")


@dataclass(frozen=True)
class AllSizes:
    """What is measured; the defaults are those of the command.

    ``benches`` other benches to run · ``steps`` bag sizes of the training steps · ``stages`` those of the stages ·
    ``patients``, ``patches``, ``genes`` sizes of the growth · ``width`` of a patch's features · ``large`` patches of
    the slide that has to fit in memory · ``square`` side of the products that measure the machine · ``server`` whether
    the server is started · ``threads`` of torch · ``own_process`` whether a slide is scored in a new process, whose
    peak memory is then its own.
    """

    benches: tuple[str, ...] = BENCHES
    steps: StepSizes = field(default_factory=StepSizes)
    stages: tuple[int, ...] = (64, 1_000, 4_000, 10_000)
    patients: tuple[int, ...] = (100, 1_000, 10_000, 100_000)
    patches: tuple[int, ...] = (1_000, 10_000, 100_000, 1_000_000)
    genes: tuple[int, ...] = (1_000, 2_500, 5_000, 10_000, 20_000)
    width: int = 1024
    large: int = 200_000
    square: int = 2048
    server: bool = True
    threads: int = THREADS
    own_process: bool = True


_Part = Callable[[Progress], None]


@dataclass
class _Run:
    """The parts of one run; what they found, the seconds each took, and what was left out with its reason."""

    workspace: Workspace
    full: bool
    sizes: AllSizes
    machine: Machine
    rates: Rates
    rows: list[BenchRow] = field(default_factory=list)
    seconds: dict[str, float] = field(default_factory=dict)
    left_out: list[str] = field(default_factory=list)

    def parts(self) -> Sequence[tuple[str, _Part]]:
        """Every part by its name, in the order of the rows."""
        benches = (*self.sizes.benches, *(["gpu"] if self.machine.gpu else []))
        return (
            ("steps", self.steps), ("stages", self.stages), ("patients", self.patients), ("patches", self.patches),
            ("genes", self.genes), ("start-up", self.startup), *((name, partial(self.other, name)) for name in benches),
        )  # fmt: skip

    @property
    def rounds(self) -> int:
        """Timed turns of a step."""
        return self.sizes.steps.rounds * (3 if self.full else 1)

    def steps(self, progress: Progress) -> None:
        """Training steps of the three models."""
        bf16 = bool(self.machine.bf16)
        self.rows += step_rows(replace(self.sizes.steps, rounds=self.rounds), bf16, progress)
        if not bf16:
            self.left_out.append("bf16 rows: this processor has no bfloat16 instructions (avx512_bf16 or amx_bf16)")

    def stages(self, progress: Progress) -> None:
        """What the machine reaches, measured a second time, and the stages against the floor."""
        self.rates = self.rates.best(_rates(self.sizes))
        self.rows += rate_rows(self.rates, self.machine)
        self.rows += stage_rows(self.sizes.stages, self.rates, self.sizes.steps.case, self.rounds, progress)

    def patients(self, progress: Progress) -> None:
        """Growth with patients."""
        self.rows += patient_rows(self.sizes.patients, progress)

    def patches(self, progress: Progress) -> None:
        """Growth with patches, and the large slide."""
        measure = large_bag if self.sizes.own_process else measure_here
        found = patch_rows(self.sizes.patches, progress, self.sizes.width, self.sizes.large, measure)
        self.rows += found.rows
        self.left_out += found.left_out

    def genes(self, progress: Progress) -> None:
        """Growth with genes."""
        self.rows += gene_import_rows(self.sizes.genes, progress)

    def startup(self, progress: Progress) -> None:
        """Imports and start-up."""
        progress(0.0, "start-up and imports")
        self.rows += startup_rows(5 if self.full else 3, self.sizes.server)

    def other(self, bench: str, progress: Progress) -> None:
        """Another bench's rows."""
        result = run_bench(bench, self.workspace, self.full, progress)
        self.rows += result.rows
        if bench == "explain-speed":
            self.rows += explanation_growth(result)


def bench_all(workspace: Workspace, full: bool, progress: Progress, sizes: AllSizes | None = None) -> BenchResult:
    """All parts, about 8 minutes on two idle cores; ``full`` measures each more often and takes longer."""
    sizes, machine = sizes or AllSizes(), this_machine()
    load = os.getloadavg()[0]
    if load > THREADS / 2:
        progress(0.0, f"other programs are busy (load {load:.1f}): times and ratios will be off")
    with threads_of_torch(sizes.threads):
        run = _Run(workspace, full, sizes, machine, _rates(sizes))
        parts = run.parts()
        for i, (name, part) in enumerate(parts):

            def inner(share: float, message: str, at: int = i) -> None:
                progress((at + min(share, 1.0)) / len(parts), message)

            started = time.perf_counter()
            part(inner)
            run.seconds[name] = round(time.perf_counter() - started, 1)
    run.rows += _estimates(run.rows)
    if not machine.gpu:
        run.left_out.append(no_gpu())
    progress(1.0, "measured")
    extra = {
        "full": full, "machine": asdict(machine), "code_version": code_version(), "threads": sizes.threads,
        "load_before": round(load, 2), "seconds": run.seconds, "left_out": run.left_out, "assumptions": assumptions(),
    }  # fmt: skip
    return BenchResult(tuple(run.rows), extra, tuple(_lines(run, machine, load)))


def _rates(sizes: AllSizes) -> Rates:
    return measured_rates(sizes.square, max(1, sizes.square // 8))


def rate_rows(rates: Rates, machine: Machine) -> list[BenchRow]:
    """What the floors are computed with."""
    rows = [BenchRow("machine:fp32 products", rates.fp32 / 1e9, "GFLOP/s")]
    if machine.bf16:
        rows.append(
            BenchRow("machine:bf16 products", rates.bf16 / 1e9, "GFLOP/s", rates.fp32 / 1e9, rates.bf16 / rates.fp32)
        )
    return [*rows, BenchRow("machine:memory, read and written", rates.bandwidth / 1e9, "GB/s")]


def _estimates(rows: Sequence[BenchRow]) -> list[BenchRow]:
    """From the two largest bag sizes measured, in the fastest precision there is; a training draws 2,048 patches of a
    slide unless it is told otherwise."""
    endings = list(dict.fromkeys(r.name.rpartition(":")[2] for r in rows if r.name.startswith("patient:")))
    fastest = [e for e in endings if e.rpartition(", ")[2] == endings[-1].rpartition(", ")[2]]
    found = [(e, measured_seconds(rows, f":{e}")) for e in fastest[-2:]]
    return [row for e, seconds in found if seconds is not None for row in estimate_rows(seconds, e, FLEETS)]


def _lines(run: _Run, machine: Machine, load: float) -> list[str]:
    """Markdown that can stand in a report as it is."""
    header = ("row", "value", "unit", "reference", "ratio", "target")
    lines = [f"Machine: {machine.words()}; load before: {load:.1f}.", "", table_header(header)]
    lines += [table_row(cells(row)) for row in run.rows]
    lines += ["", f"Estimates assume: {assumptions()}."]
    return lines + [f"Left out: {words}." for words in run.left_out]


def cells(row: BenchRow) -> tuple[str, ...]:
    """A row as words."""
    ratio = "" if row.ratio is None else f"{row.ratio:.2f} ×"
    met = "" if row.target is None or row.ratio is None else "met" if row.ratio >= row.target else "missed"
    return row.name, number(row.value), row.unit, number(row.reference), ratio, met and f"≥ {row.target:g} ×: {met}"


def number(value: float | None) -> str:
    """Three digits that count."""
    if value is None:
        return ""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
