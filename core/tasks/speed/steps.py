"""Training steps of the three models at several bag sizes, beside the plain implementations: a patient and an epoch."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median

from core.tasks.bench import BenchRow
from core.tasks.speed.cases import MODELS, CaseSizes, Step, fast_step, make_case

EPOCH_PATIENTS = 298
"""Training patients of one of the five published folds of TCGA-BLCA (373 in all)."""


@dataclass(frozen=True)
class StepSizes:
    """``patches`` bag size → (patients of a fast step, patients of the plain step, asked-for ratio of HDMoE in fp32 and
    in bf16, or None) · ``rounds`` timed turns of each."""

    patches: Mapping[int, tuple[int, int, float | None, float | None]] = field(
        default_factory=lambda: {
            64: (32, 4, None, None),
            1_000: (8, 4, 1.8, 4.0),
            4_000: (3, 3, None, None),
            10_000: (2, 2, 1.7, 2.5),
        }
    )
    rounds: int = 3
    case: CaseSizes = field(default_factory=CaseSizes)


def step_rows(sizes: StepSizes, bfloat16: bool, progress: Callable[[float, str], None]) -> list[BenchRow]:
    """A patient and an epoch of every model and size, fp32 and, where there are instructions for it, bf16."""
    rows = []
    planned = [(name, patches) for name in MODELS for patches in sizes.patches]
    for i, (name, patches) in enumerate(planned):
        progress(i / len(planned), f"training steps: {name}, {patches:,} patches")
        rows += _case_rows(name, patches, sizes, bfloat16)
    return rows


def _case_rows(name: str, patches: int, sizes: StepSizes, bfloat16: bool) -> list[BenchRow]:
    patients, plain, *targets = sizes.patches[patches]
    case = make_case(name, patches, patients, plain, sizes.case)
    precisions = ("fp32", "bf16") if bfloat16 else ("fp32",)
    steps = [case.plain, *(fast_step(case, bfloat16=p == "bf16") for p in precisions)]
    reference, *taken = measure(steps, sizes.rounds)
    reference /= plain
    rows = []
    for precision, target, seconds in zip(precisions, targets, taken, strict=False):
        each = seconds / patients
        words, asked = f"{name}:{patches:,} patches, {precision}", target if name == "hdmoe" else None
        rows.append(BenchRow(f"patient:{words}", 1000 * each, "ms/patient", 1000 * reference, reference / each, asked))
        rows.append(
            BenchRow(
                f"epoch:{words}", EPOCH_PATIENTS * each, f"s/epoch of {EPOCH_PATIENTS} patients",
                EPOCH_PATIENTS * reference, reference / each,
            )
        )  # fmt: skip
    return rows


def measure(steps: Sequence[Step], rounds: int) -> list[float]:
    """Median seconds of each step; they take turns, and the first turn only warms up."""
    seconds: list[list[float]] = [[] for _ in steps]
    for turn in range(rounds + 1):
        for step, found in zip(steps, seconds, strict=True):
            started = time.perf_counter()
            step()
            if turn:
                found.append(time.perf_counter() - started)
    return [median(found) for found in seconds]
