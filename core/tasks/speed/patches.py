"""How scoring a slide, drawing its map and reading its features grow with the number of patches."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from core.features.encoders import Encoded
from core.features.store import FeatureStore
from core.results.workspace import Workspace
from core.tasks.bench import BenchRow
from core.tasks.speed.growth import Growth, timed
from core.tasks.speed.large_bag import LargeBag, draw, large_bag
from core.tasks.speed.machine import free_memory

LARGE, MOST_GB = 200_000, 8.0
"""A slide that can still be scored and mapped, and the memory of the whole process for it."""
NEEDED_BYTES, STARTED_BYTES = 17_500, 1e9
"""A patch of 1,024 features in a scoring process (its features twice, and the encoder's tokens), and the process."""


@dataclass(frozen=True)
class PatchRows:
    """``rows``, and in words what was ``left_out`` for want of memory."""

    rows: list[BenchRow]
    left_out: tuple[str, ...]


def patch_rows(
    sizes: Sequence[int],
    progress: Callable[[float, str], None],
    width: int = 1024,
    large: int = LARGE,
    measure: Callable[[int, int, bool], LargeBag] = large_bag,
) -> PatchRows:
    """Scoring in a process of its own, drawing and reading, at each size; then the large slide scored and mapped.

    ``measure`` scores a slide; another than the default takes less to start and measures its own process's memory.
    """
    free = 2**30 * free_memory()
    fitting = [s for s in sizes if s * NEEDED_BYTES * width / 1024 + STARTED_BYTES < free]
    left = tuple(f"{s:,} patches: {free / 2**30:.0f} GiB are free" for s in sizes if s not in fitting)
    scored, drawn, read = [], [], []
    for i, size in enumerate(fitting):
        progress(0.8 * i / len(fitting), f"a slide of {size:,} patches")
        scored.append(measure(size, width, False))
        values = np.random.default_rng(0).random(size).astype(np.float32)
        drawn.append(timed(lambda v=values: draw(v, signed=True)))  # type: ignore[misc]
        read.append(reading_seconds(size, width))
    at = tuple(fitting)
    rows = [
        *Growth("forward of a slide (HDMoE)", "patches", at, tuple(s.score for s in scored)).rows(),
        *Growth("drawing a heat map", "patches", at, tuple(drawn)).rows(),
        *Growth("reading features", "patches", at, tuple(read)).rows(),
        *(BenchRow(f"forward of a slide (HDMoE), peak memory:{s.patches:,} patches", s.peak, "GB") for s in scored),
    ]
    progress(0.8, f"a slide of {large:,} patches, scored and mapped")
    return PatchRows([*rows, *large_rows(measure(large, width, True))], left)


def large_rows(found: LargeBag) -> list[BenchRow]:
    """One slide scored, both its maps made and drawn; the peak memory against the limit."""
    name = f"slide of {found.patches:,} patches"
    return [
        BenchRow(f"{name}:scored", found.score, "s"),
        BenchRow(f"{name}:attention and relevance", found.map, "s"),
        BenchRow(f"{name}:a map drawn", found.draw, "s"),
        BenchRow(f"{name}:peak memory", found.peak, "GB", MOST_GB, MOST_GB / found.peak, 1.0),
    ]


def reading_seconds(patches: int, width: int) -> float:
    """Seconds to read one patient's stored features, checked against their hash as always."""
    with tempfile.TemporaryDirectory(prefix="prognoscope-bench-") as folder:
        store = FeatureStore(Workspace(Path(folder)))
        features = np.random.default_rng(0).random((patches, width), dtype=np.float32)
        store.write("bench", Encoded(features))
        del features
        return timed(lambda: store.read("bench"), 1)
