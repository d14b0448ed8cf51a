"""The layers over a sample of the run's patients: how a patient's patches compare with those of the cohort, and how
far the models agree."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from scipy.stats import rankdata

from core.arrays import Float32Array, FloatArray
from core.explain.run_models import RunModels, UnseenModel
from core.explain.slide_layers import expert_layers, whole_layers
from core.explain.slide_maps import SLIDES, Progress, evidence_of
from core.results.slide_maps import MapLayer

PATIENTS, PATCHES, QUANTILES = 12, 40_000, 101


@dataclass(frozen=True, eq=False)
class SampledMaps:
    """One patient of the sample: the layers that mean the same in every model of the run, and the mean Spearman
    correlation between the models' maps of relevance (None with one model)."""

    patient: str
    layers: tuple[MapLayer, ...]
    agreement: float | None


def sample_maps(models: RunModels, month: float, progress: Progress) -> tuple[SampledMaps, ...]:
    """Maps of up to 12 patients, each judged by the models that never saw them. Experts without a name are left out."""
    found: list[SampledMaps] = []
    known: dict[int, tuple[UnseenModel, ...]] = {}
    chosen = sampled(models)
    for place, patient in enumerate(chosen):
        progress(place / len(chosen), f"cohort scale: patient {place + 1} of {len(chosen)}")
        fold = int(models.fold[models.row(patient)])
        if fold not in known:
            known[fold] = models.of_fold(fold)
        unseen = known[fold]
        if any(month > u.fitted.bins.limit for u in unseen):
            continue  # models of a fold whose training patients do not allow this month say nothing of it
        names: Mapping[str, tuple[str, ...]] = unseen[0].fitted.network.expert_names()
        evidence = evidence_of(models, patient, unseen, month, tuple(names), lambda s, m: None)
        layers = [*whole_layers(evidence, month), *expert_layers(evidence, names, [u.seed for u in unseen], month)]
        kept = tuple(x for x in layers if not x.absent)
        found.append(SampledMaps(patient, kept, agreement([e.relevance for e in evidence])))
    return tuple(found)


def cohort_quantiles(sample: Sequence[SampledMaps]) -> dict[str, tuple[float, ...]]:
    """Layer key → 101 quantiles over the patches of the sample, every patient counted alike however large the slide.

    Attention is taken times the number of patches of its patient (1 = as much as the average patch), for the shares of
    a large slide are small ones.
    """
    ranks = np.linspace(0, 1, QUANTILES)
    points: dict[str, list[FloatArray]] = {}
    for maps in sample:
        for layer in maps.layers:
            scale = 1 if layer.signed else len(layer.values)
            points.setdefault(layer.key, []).append(np.quantile(layer.values.astype(np.float64), ranks) * scale)
    return {key: tuple(np.quantile(np.concatenate(found), ranks).tolist()) for key, found in points.items()}


def agreement(maps: Sequence[Float32Array]) -> float | None:
    """Mean Spearman correlation between every two of the maps; None with fewer than two, or maps without a change."""
    ranked = [rankdata(m) for m in maps if np.ptp(m) > 0]
    pairs = [float(np.corrcoef(a, b)[0, 1]) for a, b in combinations(ranked, 2)]
    return float(np.mean(pairs)) if pairs else None


def sampled(models: RunModels) -> tuple[str, ...]:
    """Patients with slides, evenly through the run's order, until their patches are many enough."""
    bags = models.inputs.bags[SLIDES]
    with_slides = [row for row, bag in enumerate(bags) if bag is not None and models.inputs.present[SLIDES][row]]
    spread = np.unique(np.linspace(0, len(with_slides) - 1, PATIENTS if with_slides else 0).astype(np.int64))
    chosen: list[str] = []
    patches = 0
    for place in spread:
        bag = bags[with_slides[int(place)]]
        assert bag is not None  # noqa: S101  chosen so
        if chosen and patches + len(bag) > PATCHES:
            continue
        chosen.append(models.inputs.ids[with_slides[int(place)]])
        patches += len(bag)
    return tuple(chosen)
