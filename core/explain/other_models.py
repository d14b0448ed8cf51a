"""A run with other models in the place of its own: untrained ones, or ones trained on shuffled outcomes.

What an explanation shows of them is what it shows of nothing learned (Adebayo et al., 2018: sanity checks).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import torch

from core.arrays import IntArray
from core.cohort.modality import Modality
from core.explain.handed import bag_encoder
from core.explain.run_models import RunModels
from core.features.inputs import Inputs, Outcome
from core.models.registry import model_spec
from core.training.config import training_config
from core.training.neural import FittedNeural, NeuralEstimator

Progress = Callable[[float, str], None]
_SEED = 91_000


@dataclass(frozen=True, eq=False)
class OtherModels(RunModels):
    """The run's patients and folds, with the models of ``held`` (fold, seed)."""

    held: Mapping[tuple[int, int], FittedNeural] = field(default_factory=dict)

    def model(self, fold: int, seed: int) -> FittedNeural:
        """One of the models held."""
        return self.held[fold, seed]


def untrained(models: RunModels, draw: int = 0) -> OtherModels:
    """Networks of the same shape and preparation with random weights, as they are before the first step.

    ``draw`` gives others: what one random network points at is chance, and it points at all slides alike.
    """
    held = {}
    for fold in np.unique(models.fold):
        for seed in models.run.seeds:
            fitted = models.model(int(fold), seed)
            spec = model_spec(fitted.model)
            torch.manual_seed(_SEED + 10_000 * draw + 100 * int(fold) + seed)
            shape, modalities = fitted.preparation.shape, fitted.preparation.modalities
            network = spec.build(shape, modalities, len(fitted.bins), fitted.config)
            held[int(fold), seed] = replace(fitted, network=network.eval())
    return OtherModels(models.run, models.inputs, models.fold, models.folder, held=held)


def trained_on_permuted(models: RunModels, outcome: Outcome, progress: Progress) -> OtherModels:
    """Networks trained as the run's were, on labels dealt anew among the training patients of each fold.

    ``outcome`` that of the run's patients, row for row. Bags that only teach and that no estimate reads (the reports
    of BioFact-MoE) are labels too: each patient is given those of the patient whose outcome they are given.
    """
    run = models.run
    estimator = NeuralEstimator(run.model, dict(run.config["model"]), training_config(run.config["training"]))
    folds = [int(f) for f in np.unique(models.fold)]
    held = {}
    for i, fold in enumerate(folds):
        rows = np.flatnonzero(models.fold != fold)
        for j, seed in enumerate(run.seeds):
            progress((i + j / len(run.seeds)) / len(folds), f"shuffled outcomes: fold {i + 1}, model {j + 1}")
            dealt = np.random.default_rng([_SEED, fold, seed]).permutation(rows)
            inputs = with_labels_of(models.inputs, rows, dealt, teaching(models.model(fold, seed)))
            fitted = estimator.fit(inputs, outcome.take(dealt), run.horizons, seed)
            held[fold, seed] = fitted
    return OtherModels(run, models.inputs, models.fold, models.folder, held=held)


def teaching(fitted: FittedNeural) -> tuple[Modality, ...]:
    """Bag modalities that are used in training alone: those without an encoder on the way to the estimate.

    Only where the network has encoders by modality; elsewhere none can be told apart.
    """
    if not hasattr(fitted.network, "encoders"):
        return ()
    bags = tuple(fitted.preparation.bag_width)
    return tuple(m for m in bags if bag_encoder(fitted.network, m) is None)


def with_labels_of(inputs: Inputs, rows: IntArray, dealt: IntArray, modalities: tuple[Modality, ...]) -> Inputs:
    """The inputs of ``rows``, with the bags of ``modalities`` of the patients ``dealt``."""
    own, other = inputs.take(rows), inputs.take(dealt)
    return replace(
        own,
        present={**own.present, **{m: other.present[m] for m in modalities}},
        bags={**own.bags, **{m: other.bags[m] for m in modalities}},
    )
