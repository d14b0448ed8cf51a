"""What the experts of trained HDMoE models did with their test patients: redundancy and allocation of the tokens."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from core.cohort.cohort import Cohort
from core.models.hdmoe.model import LEVEL2
from core.results.routing_trace import LevelTrace
from core.statistics.allocation import Allocation, allocation
from core.statistics.self_correlation import Measure, SelfCorrelation, self_correlation
from core.tasks.cell_models import kept_models
from core.tasks.cells import Cell
from core.tasks.routing_traces import routing_of

MEASURES: tuple[Measure, ...] = ("correlation", "cosine")


@dataclass(frozen=True, eq=False)
class Redundancy:
    """Self-correlation of the tokens of a level 1 before and after its shared expert."""

    before: SelfCorrelation
    after: SelfCorrelation


@dataclass(frozen=True, eq=False)
class Inside:
    """All test patients of a cell.

    ``redundancy`` (level 1, measure) → redundancy over the patients of all its models · ``allocations`` level → one
    allocation a model, since experts of different models have nothing to do with each other.
    """

    redundancy: Mapping[tuple[str, Measure], Redundancy]
    allocations: Mapping[str, tuple[Allocation, ...]]


def look_inside(cell: Cell, cohort: Cohort) -> Inside:
    """Read the routing of every test patient of every model of a cell."""
    traces = [routing_of(tested) for tested in kept_models(cell, cohort)]
    levels = tuple(traces[0])
    redundancy = {
        (level, measure): _redundancy([t[level] for t in traces], measure)
        for level in levels
        if level != LEVEL2
        for measure in MEASURES
    }
    shares = {
        level: tuple(allocation(_wide(t[level].assigned), _wide(t[level].gate_mass)) for t in traces)
        for level in levels
    }
    return Inside(redundancy, shares)


def _redundancy(levels: list[LevelTrace], measure: Measure) -> Redundancy:
    before, after = (
        self_correlation(_wide(np.concatenate([getattr(x, name) for x in levels])), measure)
        for name in ("tokens_in", "shared_out")
    )
    return Redundancy(before, after)


def _wide(x: np.ndarray[tuple[int, ...], np.dtype[np.float32]]) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    return x.astype(np.float64)
