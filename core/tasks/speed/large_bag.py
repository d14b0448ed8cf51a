"""One slide of very many patches, scored and mapped in a process of its own, whose peak memory is what it needed.

``python -m core.tasks.speed.large_bag PATCHES WIDTH MAP`` prints one JSON object. The model is an HDMoE with its
default settings, hardly trained: neither time nor memory depend on what it learned.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch

from core.arrays import Float32Array, IntArray
from core.cohort.modality import Modality
from core.explain.patch_evidence import patch_evidence
from core.features.inputs import Inputs, Outcome
from core.media.heat_raster import rasterise
from core.media.heat_scale import Over, Shown, scale_over
from core.tasks.provenance import ROOT
from core.training.config import TrainingConfig
from core.training.neural import FittedNeural, NeuralEstimator

MONTH, THREADS, TRAINED, SMALL_BAG, SIDE = 12.0, 2, 24, 64, 256


@dataclass(frozen=True)
class LargeBag:
    """Seconds to ``score`` a patient, to ``map`` attention and relevance (NaN where not asked), to ``draw`` a map, and
    the process's ``peak`` memory in GB (10⁹ bytes), with ``before`` of it in use when the features were there."""

    patches: int
    score: float
    map: float
    draw: float
    peak: float
    before: float


def large_bag(patches: int, width: int, mapped: bool) -> LargeBag:
    """Measure in a new process.

    Raises
    ------
    subprocess.CalledProcessError
        When the process fails, such as for want of memory.
    """
    words = [str(patches), str(width), "map" if mapped else "score"]
    done = subprocess.run(
        [sys.executable, "-m", "core.tasks.speed.large_bag", *words], cwd=ROOT, capture_output=True, text=True,
        check=True,
    )  # fmt: skip
    return LargeBag(**json.loads(done.stdout.strip().splitlines()[-1]))


def measure_here(patches: int, width: int, mapped: bool) -> LargeBag:
    """Score the patient, then make both maps, then draw them."""
    fitted = _fitted(width)
    patient = _patients(1, patches, width, 1)
    before = _peak()
    started = time.perf_counter()
    fitted.predict(patient, np.array([MONTH]))
    stamps = [started, time.perf_counter()]
    attention, relevance = np.zeros(patches, np.float32), np.zeros(patches, np.float32)
    if mapped:
        batch = fitted.preparation.tensors(patient).batch(np.array([0]))
        evidence = patch_evidence(fitted, batch, MONTH, levels=())
        relevance = evidence.relevance
        attention = attention if evidence.attention is None else evidence.attention
    stamps.append(time.perf_counter())
    for values, signed in ((attention, False), (relevance, True)):
        draw(values, signed)
    stamps.append(time.perf_counter())
    score, map_seconds, drawn = np.diff(stamps).tolist()
    return LargeBag(patches, score, map_seconds if mapped else float("nan"), drawn / 2, _peak(), before)


def draw(values: Float32Array, signed: bool) -> None:
    """One map as the pixels of a picture, on a square slide."""
    corners, dimensions = places(len(values))
    scale = scale_over(values.astype(float), signed, Shown.PERCENTILE, Over.SLIDE)
    rasterise(corners, float(SIDE), values.astype(float), dimensions, scale)


def places(patches: int) -> tuple[IntArray, tuple[int, int]]:
    """(n, 2) corners of patches on a square grid, and the slide's dimensions."""
    side = int(np.ceil(np.sqrt(patches)))
    number = np.arange(patches)
    return np.stack([number % side, number // side], axis=1) * SIDE, (side * SIDE, side * SIDE)


def _peak() -> float:
    """GB, by the kernel's own account: ``getrusage`` also counts what the process that started this one used."""
    status = Path("/proc/self/status")
    if status.is_file():
        found = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM:"))
        return int(found.split()[1]) * 1024 / 1e9
    used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return used * (1 if sys.platform == "darwin" else 1024) / 1e9


def _fitted(width: int) -> FittedNeural:
    inputs = _patients(TRAINED, SMALL_BAG, width, 0)
    outcome = Outcome(np.zeros(TRAINED), np.linspace(3, 60, TRAINED), (np.arange(TRAINED) % 3 > 0).astype(np.int64))
    return NeuralEstimator("hdmoe", {}, TrainingConfig(epochs=1)).fit(inputs, outcome, (MONTH, 2 * MONTH), 0)


def _patients(count: int, patches: int, width: int, seed: int) -> Inputs:
    random = np.random.default_rng(seed)
    bags = tuple(random.random((patches, width), dtype=np.float32) for _ in range(count))
    everyone = {Modality.SLIDES: np.ones(count, dtype=bool)}
    return Inputs(tuple(f"P{i}" for i in range(count)), (Modality.SLIDES,), everyone, bags={Modality.SLIDES: bags})


if __name__ == "__main__":
    torch.set_num_threads(THREADS)
    found = measure_here(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3] == "map")
    sys.stdout.write(json.dumps(asdict(found)) + "\n")
