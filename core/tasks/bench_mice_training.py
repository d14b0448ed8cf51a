"""``bench mice-training``: MICE with all experts batched, against one expert and one patient at a time, in one run.

Both sides take the same optimiser step on the same patients: forward, survival and contrastive loss, backward, Adam.
They are timed in turns and compared by their medians, so that a busy machine slows both. Then a pan-cancer
pre-training: one outer fold of the eleven TCGA tables, in one process of two threads.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from statistics import median
from typing import Any

import numpy as np
import torch

from core.features.batch import Batch, Tensors
from core.features.preparation import InputShape
from core.models.layers.contrastive import multi_positive_loss
from core.models.mice.config import RELEASED_SIZES, MICEConfig
from core.models.mice.model import MICE
from core.results.workspace import Workspace
from core.tasks.bench import BenchResult, BenchRow, Progress
from core.tasks.mice_pretraining import Pan, settings
from core.tasks.mice_reference import PlainMICE
from core.tasks.mice_study import BOTH, mice_training, pan_cohort
from core.training.bins import make_bins
from core.training.fit import EpochRecord
from core.training.losses import HazardTarget, hazard_nll
from core.training.neural import FittedNeural, NeuralEstimator

THREADS, PATIENTS, BINS, TARGET = 2, 32, 6, 5.0
FAMILIES, GENES, CLINICAL = (126, 416, 654, 554, 462, 531), 2331, 2  # the pan-cancer cohort's
EPOCHS, TIMED_EPOCHS, MOST_MINUTES = 20, 1, 6.0


def bench_mice_training(workspace: Workspace, full: bool, progress: Progress) -> BenchResult:
    """Steps of both implementations, and the time of a pan-cancer pre-training (``full``: all of its epochs)."""
    load = os.getloadavg()[0]
    progress(0.0, "about 3 min" + (" and two whole pre-trainings, about 10 min" if full else ""))
    if load > THREADS / 2:
        progress(0.0, f"other programs are busy (load {load:.1f}): times and ratios will be off")
    before = torch.get_num_threads()
    torch.set_num_threads(THREADS)
    try:
        rows = step_rows(7 if full else 3)
        progress(0.4, "pan-cancer pre-training")
        epochs = EPOCHS if full else TIMED_EPOCHS
        rows.append(pretraining_row(workspace, epochs, {}, "default sizes", progress))
        rows.append(pretraining_row(workspace, epochs, RELEASED_SIZES, "released sizes", progress))
    finally:
        torch.set_num_threads(before)
    progress(1.0, "measured")
    return BenchResult(tuple(rows), {"threads": THREADS, "load_before": round(load, 2), "torch": torch.__version__})


def step_rows(rounds: int, config: MICEConfig | None = None, cancers: int = 11) -> list[BenchRow]:
    """max |Δ logit| on the same weights, then the time a patient of each implementation."""
    torch.manual_seed(1)
    columns = tuple(tuple(range(size)) for size in FAMILIES)
    shape = InputShape(columns, GENES, CLINICAL, None, tuple(f"c{i:02d}" for i in range(cancers)))
    model = MICE(shape, BOTH, BINS, config or MICEConfig(**RELEASED_SIZES, alpha=0.1))
    tensors = _inputs(cancers)
    batch = tensors.batch(np.arange(PATIENTS))
    patients = [tensors.batch(np.array([i])) for i in range(PATIENTS)]
    plain = PlainMICE(model)
    difference, largest = _difference(model, plain, batch, patients)
    rows = [BenchRow(f"fp32: max |Δ| of logits up to {largest:.2f}", difference, "log-odds")]
    steps = {
        "plain": plain_step(plain, patients),
        "fp32": fast_step(model, batch, bfloat16=False),
        "bf16": fast_step(_copy(model, shape), batch, bfloat16=True),
    }
    times = _measure(steps, rounds)
    reference = 1000 * times.pop("plain") / PATIENTS
    for name, seconds in times.items():
        value = 1000 * seconds / PATIENTS
        words = f"genomics + clinical, {name}, {PATIENTS} patients a step"
        rows.append(BenchRow(words, value, "ms/patient", reference, reference / value, TARGET))
    return rows


def _inputs(cancers: int) -> Tensors:
    random = np.random.default_rng(2)
    genes, clinical = (torch.from_numpy(random.standard_normal((PATIENTS, k))).float() for k in (GENES, CLINICAL))
    present = {m: torch.ones(PATIENTS, dtype=torch.bool) for m in BOTH}
    return Tensors(present, genes, clinical, groups=torch.from_numpy(random.integers(0, cancers, PATIENTS)))


def _copy(model: MICE, shape: InputShape) -> MICE:
    other = MICE(shape, model.modalities, model.bins, model.config)
    other.load_state_dict(model.state_dict())
    return other


def _difference(model: MICE, plain: PlainMICE, batch: Batch, patients: list[Batch]) -> tuple[float, float]:
    model.eval()
    plain.eval()
    with torch.no_grad():
        expected = plain.patients(patients)[0]
        return float((model(batch).logits - expected).abs().max()), float(expected.abs().max())


def _target() -> HazardTarget:
    """An outcome for every patient: bin, and whether the event happened."""
    survived, died = torch.zeros(PATIENTS, BINS), torch.zeros(PATIENTS, BINS)
    for i in range(PATIENTS):
        survived[i, : i % BINS] = 1.0
        died[i, i % BINS] = float(i % 3 != 0)
    return HazardTarget(survived, died)


def plain_step(plain: PlainMICE, patients: list[Batch]) -> Callable[[], None]:
    """One optimiser step over all patients, one patient and one expert at a time."""
    plain.train()
    config, target = plain.config, _target()
    optimiser = torch.optim.Adam(plain.parameters(), lr=1e-4, weight_decay=1e-5)
    present = torch.ones(len(patients), len(plain.modalities), dtype=torch.bool)

    def step() -> None:
        logits, real = plain.patients(patients)
        loss = hazard_nll(logits, target) + config.alpha * multi_positive_loss(real, present, config.temperature)
        optimiser.zero_grad()
        torch.autograd.backward(loss)
        optimiser.step()

    return step


def fast_step(model: MICE, batch: Batch, bfloat16: bool) -> Callable[[], None]:
    """The same step with everything batched."""
    model.train()
    target = _target()
    optimiser = torch.optim.Adam(model.parameters(), lr=1e-4, weight_decay=1e-5, fused=True)

    def step() -> None:
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=bfloat16):
            output = model(batch)
        loss = hazard_nll(output.logits, target) + sum(output.auxiliary.values())
        optimiser.zero_grad(set_to_none=True)
        torch.autograd.backward(loss)
        optimiser.step()

    return step


def _measure(steps: dict[str, Callable[[], None]], rounds: int) -> dict[str, float]:
    """Median seconds of each step; they take turns, and the first turn only warms up."""
    seconds: dict[str, list[float]] = {name: [] for name in steps}
    for turn in range(rounds + 1):
        for name, step in steps.items():
            started = time.perf_counter()
            step()
            if turn:
                seconds[name].append(time.perf_counter() - started)
    return {name: median(each) for name, each in seconds.items()}


def pretraining_row(
    workspace: Workspace, epochs: int, sizes: Mapping[str, Any], words: str, progress: Progress
) -> BenchRow:
    """Minutes of twenty epochs of pre-training on the training patients of fold 0, bfloat16, measured on ``epochs``."""
    pan = Pan.of(pan_cohort(workspace), workspace)
    train = np.flatnonzero(pan.test_fold > 0)
    inputs, outcome = pan.dataset.inputs.take(train), pan.dataset.outcome.take(train)
    training = replace(mice_training(), epochs=epochs, bfloat16=True)
    estimator = NeuralEstimator("mice", {**settings(), **sizes}, training)
    stamps = [time.perf_counter()]

    def watch(current: FittedNeural, record: EpochRecord) -> None:
        del current
        stamps.append(time.perf_counter())
        progress(0.4 + 0.6 * (record.epoch + 1) / epochs, f"epoch {record.epoch + 1}")

    estimator.fit_watched(inputs, outcome, make_bins(outcome, (12.0, 24.0, 36.0, 60.0)), 0, watch)
    whole = stamps[-1] - stamps[0]
    an_epoch = median(np.diff(stamps[1:])) if epochs > 1 else whole  # one alone has the preparation in it
    minutes = whole / 60 if epochs == EPOCHS else (whole + (EPOCHS - epochs) * an_epoch) / 60
    measured = "measured" if epochs == EPOCHS else f"from {epochs}"
    name = f"pan-cancer pre-training, {words}, {len(train):,} patients, {EPOCHS} epochs ({measured}), bf16"
    return BenchRow(name, minutes, "min", MOST_MINUTES, MOST_MINUTES / minutes, 1.0)
