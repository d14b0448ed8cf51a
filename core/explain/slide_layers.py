"""The layers over a patient's patches, from what each model that never saw the patient makes of them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import numpy as np

from core.arrays import Float32Array
from core.explain.patch_evidence import PatchEvidence
from core.results.slide_maps import LayerKind, MapLayer

ATTENTION, UNCERTAINTY, BY_WEIGHT, RELEVANCE = "attention", "uncertainty", "gradient-attention", "relevance"
NO_ATTENTION = "this model has no attention over patches"


def whole_layers(found: Sequence[PatchEvidence], month: float) -> tuple[MapLayer, ...]:
    """Attention, its spread over the models, gradient × attention, and relevance through the whole model."""
    patches = len(found[0].relevance)
    weights = [e.attention for e in found if e.attention is not None]
    by_weight = [e.gradient_attention for e in found if e.gradient_attention is not None]
    points = points_unit(month)
    alone = "one model alone has no spread" if len(weights) == 1 else NO_ATTENTION
    return (
        _layer(ATTENTION, "attention", LayerKind.ATTENTION, _mean(weights), patches, "share of the attention", False),
        _layer(
            UNCERTAINTY, "uncertainty of the attention", LayerKind.UNCERTAINTY,
            np.std(weights, axis=0) if len(weights) > 1 else None, patches,
            "standard deviation over the models", False, alone,
        ),
        _layer(
            BY_WEIGHT, "gradient × attention", LayerKind.GRADIENT_ATTENTION, _mean(by_weight), patches, points, True
        ),
        _layer(
            RELEVANCE, "relevance through the whole model", LayerKind.RELEVANCE,
            _mean([e.relevance for e in found]), patches, points, True,
        ),
    )  # fmt: skip


def expert_layers(
    found: Sequence[PatchEvidence], names: Mapping[str, tuple[str, ...]], seeds: Sequence[int], month: float
) -> tuple[MapLayer, ...]:
    """One layer an expert of every level that the slides pass.

    Where experts have names (``names`` level → names) a layer is the mean over the models in which the expert is used.
    Elsewhere expert 3 of one model has nothing to do with expert 3 of another: the layer is that of the first model.
    """
    layers: list[MapLayer] = []
    for level, there in found[0].used.items():
        called = names.get(level, ())
        shared = len(there) - 1
        for k in range(len(there)):
            if k == shared and not any(e.used[level][k] for e in found):
                continue  # a level without a shared expert
            asked = list(found) if called else [found[0]]
            who = called[k] if k < len(called) else "the shared expert" if k == shared else f"expert {k + 1}"
            which = "" if called or len(found) == 1 else f", model {seeds[0] + 1}"
            values = [e.through[level, k] for e in asked if (level, k) in e.through]
            others = sum(bool(e.used[level][k]) for e in found)
            layers.append(_layer(
                expert_key(level, called[k] if k < len(called) else "shared" if k == shared else str(k + 1)),
                f"relevance through {'expert ' if k < len(called) else ''}{who} ({level}{which})",
                LayerKind.RELEVANCE, _mean(values), len(found[0].relevance), points_unit(month), True,
                _unused(others, len(found), bool(called)),
            ))  # fmt: skip
    return tuple(layers)


def points_unit(month: float) -> str:
    """The unit of every signed layer."""
    return f"percentage points of survival at month {month:g}; below 0 lowers it"


def expert_key(level: str, expert: str) -> str:
    """``expert-level-2-3``: letters, digits and dashes alone."""
    return "expert-" + re.sub(r"[^a-z0-9]+", "-", f"{level} {expert}".lower()).strip("-")


def _unused(others: int, models: int, named: bool) -> str:
    if others == 0:
        return "not used for this patient in any model"
    return "" if named else f"not used for this patient in this model ({others} of {models} use theirs of this number)"


def _mean(values: Sequence[Float32Array]) -> Float32Array | None:
    return np.mean(values, axis=0).astype(np.float32) if values else None


def _layer(
    key: str, title: str, kind: LayerKind, values: Float32Array | None, patches: int, unit: str, signed: bool,
    absent: str = NO_ATTENTION,
) -> MapLayer:  # fmt: skip
    if values is None:
        return MapLayer(key, title, kind, np.full(patches, np.nan, dtype=np.float32), signed, unit, absent)
    return MapLayer(key, title, kind, np.asarray(values, dtype=np.float32), signed, unit)
