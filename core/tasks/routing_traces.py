"""The routing of a trained model's test patients, level by level."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch

from core.cohort.modality import Modality
from core.models.hdmoe.model import level1
from core.models.output import SurvivalOutput, Trace
from core.results.routing_trace import LevelTrace
from core.tasks.cell_models import KeptModel

BATCH = 64


def routing_of(tested: KeptModel) -> Mapping[str, LevelTrace]:
    """Traces of all test patients by level; a level 1 holds only those who have its modality."""
    tensors = tested.model.preparation.tensors(tested.inputs)
    network = tested.model.network.eval()
    parts: dict[str, list[LevelTrace]] = {}
    with torch.no_grad():
        for start in range(0, len(tested.inputs), BATCH):
            rows = np.arange(start, min(len(tested.inputs), start + BATCH))
            output: SurvivalOutput = network(tensors.batch(rows), Trace.ROUTING)
            assert output.routing is not None  # noqa: S101  asked for with Trace.ROUTING
            for name, level in output.routing.levels.items():
                parts.setdefault(name, []).append(level)
    joined = {name: _joined(levels) for name, levels in parts.items()}
    for modality in tested.inputs.modalities:
        if level1(Modality(modality)) in joined:
            joined[level1(modality)] = _take(joined[level1(modality)], np.asarray(tested.inputs.present[modality]))
    return joined


def _joined(levels: list[LevelTrace]) -> LevelTrace:
    return LevelTrace(*(np.concatenate([getattr(x, name) for x in levels]) for name in _FIELDS))


def _take(level: LevelTrace, keep: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> LevelTrace:
    return LevelTrace(*(getattr(level, name)[keep] for name in _FIELDS))


_FIELDS = ("gate_mass", "assigned", "output_norm", "tokens_in", "shared_out")
