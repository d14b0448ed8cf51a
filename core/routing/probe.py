"""What one trained model does with its patients: gates, and the estimate with an expert or a modality switched off."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from core.arrays import FloatArray, IntArray
from core.cohort.modality import Modality
from core.features.batch import Batch
from core.models.network import Muted, SurvivalNetwork
from core.models.output import SurvivalOutput, Trace
from core.results.routing_trace import LevelTrace

BATCH = 128
_FIELDS = ("gate_mass", "assigned", "output_norm", "tokens_in", "shared_out")
Batches = Callable[[IntArray], Batch]
"""Rows → the batch of these patients."""


@dataclass(frozen=True, eq=False)
class Traced:
    """``levels`` traces of all ``n`` patients by level · ``representation`` (n, d) what the estimate is read from ·
    ``logits`` (n, bins)."""

    levels: Mapping[str, LevelTrace]
    representation: FloatArray
    logits: Tensor


@torch.no_grad()
def trace_model(network: SurvivalNetwork, batches: Batches, rows: IntArray) -> Traced:
    """Read the routing of the patients ``rows``. Reading it changes nothing in the output."""
    parts: dict[str, list[LevelTrace]] = {}
    seen: list[Tensor] = []
    logits = []
    for start in range(0, len(rows), BATCH):
        batch = batches(rows[start : start + BATCH])
        output: SurvivalOutput = network(batch, Trace.ROUTING)
        assert output.routing is not None  # noqa: S101  asked for with Trace.ROUTING
        for name, level in output.routing.levels.items():
            parts.setdefault(name, []).append(level)
        logits.append(output.logits)
        seen.append(network.embedding(batch))
    levels = {
        name: LevelTrace(*(np.concatenate([getattr(x, f) for x in levels]) for f in _FIELDS))
        for name, levels in parts.items()
    }
    return Traced(levels, torch.cat(seen).double().numpy(), torch.cat(logits))


@torch.no_grad()
def inertness(network: SurvivalNetwork, batches: Batches, rows: IntArray) -> tuple[float, float]:
    """What reading the gates does to a model: largest change of a logit (must be 0), and the share of time it adds."""
    spent = {Trace.NONE: 0.0, Trace.ROUTING: 0.0}
    apart = 0.0
    for start in range(0, len(rows), BATCH):
        batch = batches(rows[start : start + BATCH])
        network(batch)  # the first pass of a shape also pays for memory
        found = {}
        for trace in spent:
            began = time.process_time()
            found[trace] = network(batch, trace).logits
            spent[trace] += time.process_time() - began
        apart = max(apart, float((found[Trace.NONE] - found[Trace.ROUTING]).abs().max()))
    return apart, spent[Trace.ROUTING] / max(spent[Trace.NONE], 1e-9) - 1


@torch.no_grad()
def logits_without(
    network: SurvivalNetwork, batches: Batches, rows: IntArray, muted: Muted, hidden: Modality | None = None
) -> tuple[Tensor, Mapping[str, FloatArray]]:
    """Logits (r, bins) of the patients ``rows`` with experts ``muted`` or one modality ``hidden``, and the gate weight
    (r, e) of every level then (empty with experts muted: a gate knows nothing of it)."""
    logits: list[Tensor] = []
    gates: dict[str, list[FloatArray]] = {}
    for start in range(0, len(rows), BATCH):
        batch = batches(rows[start : start + BATCH])
        if hidden is not None:
            none = torch.zeros_like(batch.present[hidden])
            batch = replace(batch, present={**batch.present, hidden: none})
        output: SurvivalOutput = network(batch, Trace.NONE if hidden is None else Trace.ROUTING, muted)
        logits.append(output.logits)
        if output.routing is not None:
            for name, level in output.routing.levels.items():
                gates.setdefault(name, []).append(level.gate_mass.mean(axis=1).astype(np.float64))
    return torch.cat(logits), {name: np.concatenate(values) for name, values in gates.items()}


def experts_of(level: LevelTrace) -> tuple[int, bool]:
    """How many routed experts a level has, and whether it has a shared one beside them."""
    return level.gate_mass.shape[2], bool(np.any(level.output_norm[:, -1] > 0))
