"""How fast HDMoE trains, against the plain implementation of the same equations, in one run on the same bags.

Both sides are timed in turns (plain, fast, plain, fast …) and compared by their medians, so that a busy machine slows
both. A step is forward, loss, backward and optimiser; the inputs lie ready, except where a step draws its own patches.
The plain side takes an optimiser step per patient, as the released code does.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from statistics import median

import numpy as np
import torch
from torch import nn

from core.cohort.modality import Modality
from core.features.batch import Batch, Tensors
from core.features.preparation import InputShape
from core.models.hdmoe.config import PUBLISHED, HDMoEConfig
from core.models.hdmoe.model import HDMoE
from core.results.workspace import Workspace
from core.tasks.bench import BenchResult, BenchRow, Progress
from core.tasks.bench_cross_validation import cross_validation_rows
from core.tasks.bench_reference import PlainHDMoE
from core.training.losses import HazardTarget, hazard_nll

BLCA_FAMILIES = (102, 336, 518, 434, 199, 444)  # genes of the six families on TCGA-BLCA (MODELS.md 1.1.1)
PATCH_WIDTH, CLINICAL, BINS, THREADS = 1024, 4, 4, 2
RATE, DECAY = 5e-4, 1e-5


@dataclass(frozen=True)
class Variant:
    """One way to train fast: patients a step, bfloat16, patches drawn a step, and the ratio asked for."""

    name: str
    batch: int
    target: float
    bfloat16: bool = False
    sample: int | None = None


@dataclass(frozen=True)
class Contest:
    """One size of input, trained plainly and in every variant.

    ``patients`` prepared · ``plain`` of them trained plainly in each of ``rounds`` turns.
    """

    name: str
    modalities: tuple[Modality, ...]
    patches: int
    patients: int
    plain: int
    rounds: int
    variants: tuple[Variant, ...]


SLIDES_GENES = (Modality.SLIDES, Modality.GENOMICS)
CONTESTS = (
    Contest("genomics + clinical", (Modality.GENOMICS, Modality.CLINICAL), 0, 32, 4, 15, (Variant("fp32", 32, 20.0),)),
    Contest("1,000 patches", SLIDES_GENES, 1000, 8, 2, 9, (Variant("fp32", 8, 1.8), Variant("bf16", 8, 4.0, True))),
    Contest(
        "10,000 patches",
        SLIDES_GENES,
        10_000,
        2,
        1,
        7,
        (
            Variant("fp32", 1, 1.7),
            Variant("bf16", 1, 2.5, True),
            Variant("2,048 of them sampled, bf16", 2, 8.0, True, 2048),
        ),
    ),
)


def bench_training(workspace: Workspace, full: bool, progress: Progress) -> BenchResult:
    """All contests and, where the public tables are at hand, a whole cross-validation on TCGA-BLCA."""
    rows: list[BenchRow] = []
    load = os.getloadavg()[0]
    if load > THREADS / 2:
        progress(0.0, f"other programs are busy (load {load:.1f}): times and ratios will be off")
    with threads_of_torch(THREADS):
        for i, contest in enumerate(CONTESTS):
            progress(0.2 * i, f"training steps, {contest.name}")
            rows += contest_rows(contest, contest.rounds * (3 if full else 1))
    progress(0.6, "cross-validation on TCGA-BLCA")
    rows += cross_validation_rows()
    progress(1.0, "measured")
    return BenchResult(tuple(rows), {"threads": THREADS, "load_before": round(load, 2), "torch": torch.__version__})


@contextmanager
def threads_of_torch(count: int) -> Iterator[None]:
    """So many threads inside the block, as many as before after it."""
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def contest_rows(
    contest: Contest, rounds: int, config: HDMoEConfig | None = None, families: Sequence[int] = BLCA_FAMILIES
) -> list[BenchRow]:
    """Differences of the two implementations on the same weights, then the times of every variant."""
    torch.manual_seed(1)
    ends = np.cumsum(families)
    columns = tuple(tuple(range(end - size, end)) for size, end in zip(families, ends.tolist(), strict=True))
    shape = InputShape(columns, int(ends[-1]), CLINICAL, {Modality.SLIDES: PATCH_WIDTH})
    model = HDMoE(shape, contest.modalities, BINS, config or HDMoEConfig(**PUBLISHED))
    tensors = make_inputs(contest, shape)
    rows = difference_rows(contest, model, shape, tensors)
    plain = plain_step(PlainHDMoE(model, shape), tensors, contest.plain)
    steps = [fast_step(_copy(model, shape), tensors, contest, variant) for variant in contest.variants]
    times = _measure([plain, *steps], rounds)
    reference = 1000 * times[0] / contest.plain
    for variant, seconds in zip(contest.variants, times[1:], strict=True):
        value = 1000 * seconds / variant.batch
        patients = f"{variant.batch} patient{'s' if variant.batch > 1 else ''} a step"
        name = f"{contest.name}, {variant.name}, {patients}"
        rows.append(BenchRow(name, value, "ms/patient", reference, reference / value, variant.target))
    return rows


def _copy(model: HDMoE, shape: InputShape) -> HDMoE:
    other = HDMoE(shape, model.modalities, model.bins, model.config)
    other.load_state_dict(model.state_dict())
    return other


def make_inputs(contest: Contest, shape: InputShape) -> Tensors:
    """Random inputs; patch features are not negative, like those of a ResNet."""
    random = np.random.default_rng(2)
    n = contest.patients
    width = (shape.bags or {})[Modality.SLIDES]
    bags = [np.abs(random.standard_normal((contest.patches, width), dtype=np.float32)) for _ in range(n)]
    genes, clinical = (torch.from_numpy(random.standard_normal((n, k))).float() for k in (shape.genes, shape.clinical))
    slides = {Modality.SLIDES: bags} if Modality.SLIDES in contest.modalities else {}
    present = {m: torch.ones(n, dtype=torch.bool) for m in contest.modalities}
    return Tensors(present, genes, clinical, slides, {Modality.SLIDES: width})


def difference_rows(contest: Contest, model: HDMoE, shape: InputShape, tensors: Tensors) -> list[BenchRow]:
    """max |Δ logit| between the implementations, reorganisation averaged, per precision in use."""
    plain = PlainHDMoE(model, shape).eval()
    model.eval()
    count = contest.plain
    rows = []
    with torch.no_grad():
        expected = torch.stack([plain.averaged(tensors.batch(np.array([i]))) for i in range(count)])
        for bfloat16 in sorted({v.bfloat16 for v in contest.variants}):
            with torch.autocast("cpu", dtype=torch.bfloat16, enabled=bfloat16):
                logits = model(tensors.batch(np.arange(count))).logits
            precision = "bf16" if bfloat16 else "fp32"
            name = f"{contest.name}, {precision}: max |Δ| of logits up to {expected.abs().max():.2f}"
            rows.append(BenchRow(name, float((logits - expected).abs().max()), "log-odds"))
    return rows


def _optimiser(model: nn.Module, fused: bool) -> torch.optim.Optimizer:
    return torch.optim.Adam(model.parameters(), lr=RATE, weight_decay=DECAY, fused=fused or None)


def plain_step(plain: PlainHDMoE, tensors: Tensors, count: int) -> Callable[[], None]:
    """``count`` patients, one optimiser step each."""
    plain.train()
    optimiser = _optimiser(plain, fused=False)
    patients = [tensors.batch(np.array([i])) for i in range(count)]
    random = np.random.default_rng(4)

    def step() -> None:
        for i, patient in enumerate(patients):
            segments = int(random.choice(plain.segments1)), int(random.choice(plain.segments2))
            optimiser.zero_grad()
            torch.autograd.backward(plain.loss([patient], [_target(i)], [segments]))
            optimiser.step()

    return step


def fast_step(model: HDMoE, tensors: Tensors, contest: Contest, variant: Variant) -> Callable[[], None]:
    """One step of the variant's batch."""
    model.train()
    optimiser = _optimiser(model, fused=True)
    rows = np.arange(variant.batch) % contest.patients
    ready = tensors.batch(rows) if variant.sample is None else None
    generator = torch.Generator().manual_seed(4)
    target = HazardTarget(*_masks(rows.tolist()))

    def step() -> None:
        batch: Batch = ready if ready is not None else tensors.batch(rows, variant.sample, generator)
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=variant.bfloat16):
            output = model(batch)
        loss = hazard_nll(output.logits, target) + sum(output.auxiliary.values())
        optimiser.zero_grad(set_to_none=True)
        torch.autograd.backward(loss)
        optimiser.step()

    return step


def _target(i: int) -> tuple[int, bool]:
    """An outcome for patient ``i``: bin, and whether the event happened."""
    return i % BINS, i % 3 != 0


def _masks(rows: list[int]) -> tuple[torch.Tensor, torch.Tensor]:
    """The same outcomes as (n, bins) survived and died."""
    survived, died = torch.zeros(len(rows), BINS), torch.zeros(len(rows), BINS)
    for row, i in enumerate(rows):
        bin_of, event = _target(i)
        survived[row, : bin_of if event else bin_of + 1] = 1.0
        died[row, bin_of] = float(event)
    return survived, died


def _measure(steps: Sequence[Callable[[], None]], rounds: int) -> list[float]:
    """Median seconds of each step; they take turns, and the first turn only warms up."""
    seconds: list[list[float]] = [[] for _ in steps]
    for turn in range(rounds + 1):
        for step, measured in zip(steps, seconds, strict=True):
            started = time.perf_counter()
            step()
            if turn:
                measured.append(time.perf_counter() - started)
    return [median(m) for m in seconds]
