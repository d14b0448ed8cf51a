"""How a patient's patches compare with those of the cohort: quantiles of each layer over a sample of patients."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from core.explain.run_models import RunModels, UnseenModel
from core.explain.slide_layers import expert_layers, whole_layers
from core.explain.slide_maps import SLIDES, Progress, evidence_of

PATIENTS, PATCHES, QUANTILES = 12, 40_000, 101


def cohort_quantiles(models: RunModels, month: float, progress: Progress) -> dict[str, tuple[float, ...]]:
    """Layer key → 101 quantiles over the patches of up to 12 patients, each patient judged by models that never saw
    them and counted alike however large the slide is.

    Only layers that mean the same in every model of the run: experts without a name have no cohort scale. Attention is
    taken times the number of patches of its patient (1 = as much as the average patch), for the shares of a large
    slide are small ones.
    """
    found: dict[str, list[np.ndarray]] = {}
    known: dict[int, tuple[UnseenModel, ...]] = {}
    chosen = sampled(models)
    for place, patient in enumerate(chosen):
        progress(place / len(chosen), f"cohort scale: patient {place + 1} of {len(chosen)}")
        fold = int(models.fold[models.row(patient)])
        if fold not in known:
            known[fold] = models.of_fold(fold)
        unseen = known[fold]
        names: Mapping[str, tuple[str, ...]] = unseen[0].fitted.network.expert_names()
        evidence = evidence_of(models, patient, unseen, month, tuple(names), lambda s, m: None)
        layers = [*whole_layers(evidence, month), *expert_layers(evidence, names, [u.seed for u in unseen], month)]
        for layer in layers:
            if not layer.absent:
                points = np.quantile(layer.values, np.linspace(0, 1, QUANTILES))
                found.setdefault(layer.key, []).append(points * (1 if layer.signed else len(layer.values)))
    ranks = np.linspace(0, 1, QUANTILES)
    return {key: tuple(np.quantile(np.concatenate(points), ranks).tolist()) for key, points in found.items()}


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
