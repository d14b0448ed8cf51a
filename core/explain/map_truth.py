"""Maps against planted regions: how well each layer finds them, and which layer to show, chosen on other slides."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from core.arrays import BoolArray, FloatArray
from core.results.slide_maps import MapLayer
from core.statistics.auroc import auroc

FEWEST = 3
"""Patches of either kind that a slide must have to be scored."""


@dataclass(frozen=True)
class MapScore:
    """One layer on one patient's slide: AUROC against the planted patches, whether the highest patch is planted, and
    how often a patch chosen blindly would be."""

    patient: str
    layer: str
    auroc: float
    pointed: bool
    share: float


def high_risk_score(layer: MapLayer) -> FloatArray:
    """A layer as "more is worse": signed layers speak of survival, so their sign is turned."""
    values = np.asarray(layer.values, dtype=np.float64)
    return -values if layer.signed else values


def scorable(truth: BoolArray) -> bool:
    """Whether a slide shows enough of both kinds of tissue."""
    return min(int(truth.sum()), int((~truth).sum())) >= FEWEST


def map_scores(patient: str, layers: Sequence[MapLayer], truth: BoolArray) -> tuple[MapScore, ...]:
    """Score every layer that is there; (n,) ``truth`` True at planted patches."""
    found = []
    for layer in layers:
        if not layer.absent:
            score = high_risk_score(layer)
            found.append(MapScore(
                patient, layer.key, auroc(score, truth), bool(truth[int(np.argmax(score))]), float(truth.mean())
            ))  # fmt: skip
    return tuple(found)


def halves(patients: Sequence[str], seed: int = 0) -> tuple[frozenset[str], frozenset[str]]:
    """Two halves of the patients, the same for the same patients: one to choose on, one to score on."""
    ordered = sorted(set(patients))
    order = np.random.default_rng(seed).permutation(len(ordered))
    first = frozenset(ordered[i] for i in order[: len(ordered) // 2])
    return first, frozenset(ordered) - first


def mean_auroc(scores: Sequence[MapScore], patients: frozenset[str]) -> Mapping[str, float]:
    """Layer → mean AUROC over these patients' slides; layers that some of them lack are left out."""
    found: dict[str, list[float]] = {}
    for s in scores:
        if s.patient in patients:
            found.setdefault(s.layer, []).append(s.auroc)
    most = max((len(v) for v in found.values()), default=0)
    return {layer: float(np.mean(v)) for layer, v in found.items() if len(v) == most}


def interval(values: Sequence[float], repeats: int = 2000, seed: int = 0) -> tuple[float, float]:
    """95 % bootstrap interval of a mean over slides."""
    array = np.asarray(values, dtype=np.float64)
    drawn = np.random.default_rng(seed).integers(0, len(array), (repeats, len(array)))
    low, high = np.quantile(array[drawn].mean(axis=1), [0.025, 0.975])
    return float(low), float(high)
