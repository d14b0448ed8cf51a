"""``bench gpu``: what training costs on a graphics card, and five folds of TCGA-BLCA-sized data on it.

HDMoE as published, in bfloat16, on generated features that lie on the card: its step against the floor of the card's
own measured rates, and against the plain loop over patients on the same card; then a whole cross-validation of 373
patients of 10,000 patches of 1,024 features. Without a card nothing is measured, and that is said.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field

import numpy as np
import torch

from core.arrays import IntArray
from core.cohort.modality import Modality
from core.features.inputs import Outcome
from core.features.preparation import InputShape
from core.models.hdmoe.config import PUBLISHED, HDMoEConfig
from core.models.hdmoe.model import HDMoE
from core.results.workspace import Workspace
from core.tasks.bench import BenchResult, BenchRow, Progress
from core.tasks.bench_training import BLCA_FAMILIES
from core.tasks.speed.cases import Case, CaseSizes, fast_step, make_case
from core.tasks.speed.estimate import GPU_FLEET, estimate_rows
from core.tasks.speed.machine import measured_rates, this_machine, wait_for
from core.tasks.speed.stages import case_rows, step_floor
from core.training.bins import make_bins
from core.training.compiled import Compiled, compiled
from core.training.config import AcceleratedTraining
from core.training.fit import Fitter
from core.training.resident import ResidentBags, ResidentTensors

SLIDES, GENES = Modality.SLIDES, Modality.GENOMICS
FOLDS_LIMIT_S, FLOOR_SHARE, LOOP_RATIO = 300.0, 0.2, 15.0
"""Five folds in five minutes; a step within five times its floor; fifteen times the loop over patients."""


@dataclass(frozen=True)
class GpuSizes:
    """The work; the defaults are TCGA-BLCA's. ``batch`` patients a step · ``looped`` patients of the plain loop ·
    ``square`` side of the products that measure the card · ``compile`` the network."""

    patients: int = 373
    patches: int = 10_000
    folds: int = 5
    epochs: int = 30
    batch: int = 8
    looped: int = 4
    rounds: int = 20
    square: int = 8192
    compile: bool = True
    families: tuple[int, ...] = BLCA_FAMILIES
    case: CaseSizes = field(default_factory=CaseSizes)


def no_gpu() -> str:
    """What a machine without a card says."""
    return "GPU rows (./run cli bench gpu): no CUDA device on this machine"


def bench_gpu(
    workspace: Workspace, full: bool, progress: Progress, sizes: GpuSizes | None = None, device: str | None = None
) -> BenchResult:
    """All rows; ``device`` another than the card is for tests."""
    chosen = device or ("cuda" if torch.cuda.is_available() else "")
    machine = asdict(this_machine())
    if not chosen:
        return BenchResult((), {"machine": machine, "left_out": [no_gpu()]}, (no_gpu(),))
    sizes = sizes or GpuSizes()
    progress(0.0, "steps of HDMoE")
    rows, note = step_rows(sizes, chosen, sizes.rounds * (3 if full else 1))
    progress(0.3, f"{sizes.folds} folds of {sizes.patients} patients")
    seconds, loss = folds_seconds(sizes, chosen, lambda share, words: progress(0.3 + 0.7 * share, words))
    name = f"gpu:{sizes.folds} folds of {sizes.patients} × {sizes.patches:,} × {sizes.case.patch_width}"
    rows.append(BenchRow(f"{name}, {sizes.epochs} epochs", seconds, "s", FOLDS_LIMIT_S, FOLDS_LIMIT_S / seconds, 1.0))
    seen = sizes.patients * (sizes.folds - 1) * sizes.epochs
    rows += estimate_rows(seconds / seen, f"{sizes.patches:,} patches, HDMoE on {chosen}", (GPU_FLEET,))
    extra = {"machine": machine, "device": chosen, "not_compiled": note, "last_loss": loss}
    return BenchResult(tuple(rows), extra)


def step_rows(sizes: GpuSizes, device: str, rounds: int) -> tuple[list[BenchRow], str]:
    """The step, compiled and not, beside floor and plain loop; then its stages. And why it is not compiled, or ""."""
    bf16 = True
    rates = measured_rates(sizes.square, max(1, sizes.square // 8), 5, device)
    case = make_case("hdmoe", sizes.patches, sizes.batch, sizes.looped, sizes.case, device)
    loop = _seconds(case.plain, max(1, rounds // 4), device) / sizes.looped
    floor = step_floor(case, rates, bf16, device) / sizes.batch
    place = torch.device(device)
    found = compiled(case.network, place, static=True) if sizes.compile else Compiled(case.network, "not asked for")
    rows = [
        BenchRow("gpu:fp32 products", rates.fp32 / 1e12, "TFLOP/s"),
        BenchRow("gpu:bf16 products", rates.bf16 / 1e12, "TFLOP/s"),
        BenchRow("gpu:memory, read and written", rates.bandwidth / 1e12, "TB/s"),
        BenchRow(f"gpu:plain loop, fp32, {sizes.patches:,} patches", 1000 * loop, "ms/patient"),
    ]
    ways = {"as it is": None} if found.note else {"as it is": None, "compiled": found.call}
    for words, call in ways.items():
        step = fast_step(case, call, bf16)
        each = _seconds(step, rounds, device) / sizes.batch
        name = f"gpu:step, bf16, {words}, {sizes.patches:,} patches, {sizes.batch} patients"
        rows.append(
            BenchRow(f"{name} (reference: loop)", 1000 * each, "ms/patient", 1000 * loop, loop / each, LOOP_RATIO)
        )
        rows.append(
            BenchRow(f"{name} (reference: floor)", 1000 * each, "ms/patient", 1000 * floor, floor / each, FLOOR_SHARE)
        )
    return rows + _stages(case, sizes, device), found.note


def _stages(case: Case, sizes: GpuSizes, device: str) -> list[BenchRow]:
    rates = measured_rates(sizes.square, max(1, sizes.square // 8), 3, device)
    return case_rows(f"gpu:stage:hdmoe:{sizes.patches:,} patches", case, rates, 3, bfloat16=True, device=device)


def _seconds(step: Callable[[], None], rounds: int, device: str) -> float:
    """Mean seconds of a step among ``rounds`` given at once, behind three that warm up."""
    for _ in range(3):
        step()
    wait_for(device)
    started = time.perf_counter()
    for _ in range(rounds):
        step()
    wait_for(device)
    return (time.perf_counter() - started) / rounds


def folds_seconds(sizes: GpuSizes, device: str, progress: Progress) -> tuple[float, float]:
    """Seconds to train every fold and predict its test patients, features on the device; and the last epoch's loss."""
    place = torch.device(device)
    tensors, outcome = _cohort(sizes, place)
    shape = InputShape(_columns(sizes.families), sum(sizes.families), 0, {SLIDES: sizes.case.patch_width})
    config = AcceleratedTraining(
        epochs=sizes.epochs, batch_size=sizes.batch, patch_sample=None, bfloat16=True, compile=sizes.compile,
        length_buckets=True, resident=True,
    )  # fmt: skip
    fold_of = np.arange(sizes.patients) % sizes.folds
    wait_for(device)
    started, loss = time.perf_counter(), float("nan")
    for fold in range(sizes.folds):
        progress(fold / sizes.folds, f"fold {fold + 1} of {sizes.folds}")
        train, test = np.flatnonzero(fold_of != fold), np.flatnonzero(fold_of == fold)
        bins = make_bins(outcome.take(train), (12.0, 24.0))
        torch.manual_seed(fold)
        model = HDMoE(shape, (SLIDES, GENES), len(bins), HDMoEConfig(**{**PUBLISHED, **sizes.case.hdmoe}))
        fitter = Fitter(model, tensors.take(train), outcome.take(train), bins, config, fold, place)
        loss = fitter.run()[-1].survival_loss
        predicted(model, tensors, test, sizes.batch)
    wait_for(device)
    return time.perf_counter() - started, loss


def predicted(model: HDMoE, tensors: ResidentTensors, rows: IntArray, batch: int) -> torch.Tensor:
    """(n, bins) logits of some patients, from features on the device."""
    parts = np.array_split(rows, max(1, -(-len(rows) // batch)))
    kind = tensors.device.type
    with torch.no_grad(), torch.autocast(kind, dtype=torch.bfloat16):
        return torch.cat([model.eval()(tensors.batch(part)).logits for part in parts])


def _cohort(sizes: GpuSizes, device: torch.device) -> tuple[ResidentTensors, Outcome]:
    """Generated features, made where they stay, and outcomes that hang on the first gene."""
    random = np.random.default_rng(0)
    n, width = sizes.patients, sizes.case.patch_width
    rows = torch.empty(n * sizes.patches, width, dtype=torch.bfloat16, device=device)
    for part in torch.split(rows, max(1, 2**28 // width)):
        part.uniform_()
    lengths = np.full(n, sizes.patches, dtype=np.int64)
    genes = random.standard_normal((n, sum(sizes.families)), dtype=np.float32)
    months = random.exponential(30 * np.exp(-0.5 * genes[:, 0])).clip(1, 120)
    present = torch.ones(n, dtype=torch.bool, device=device)
    tensors = ResidentTensors(
        {SLIDES: present, GENES: present},
        torch.from_numpy(genes).to(device),
        bags={SLIDES: ResidentBags(rows, np.arange(n, dtype=np.int64) * sizes.patches, lengths)},
    )
    return tensors, Outcome(np.zeros(n), months, (random.random(n) < 0.6).astype(np.int64))


def _columns(families: tuple[int, ...]) -> tuple[tuple[int, ...], ...]:
    ends = np.cumsum(families).tolist()
    return tuple(tuple(range(end - size, end)) for size, end in zip(families, ends, strict=True))
