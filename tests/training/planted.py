"""Generated patients with a planted signal, and every estimator in a size that trains in a second."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from core.arrays import IntArray
from core.cohort.folds import Folds
from core.cohort.modality import Modality
from core.features.inputs import Dataset, Inputs, Outcome
from core.models.estimator import Estimator
from core.training.config import TrainingConfig
from core.training.estimators import EstimatorSpec, make_estimator

GENOMICS, CLINICAL, SLIDES = Modality.GENOMICS, Modality.CLINICAL, Modality.SLIDES
HORIZONS = (12.0, 24.0, 36.0)
FAMILIES = {"first": tuple(range(5)), "second": tuple(range(4, 9)), "third": tuple(range(9, 14))}
SMALL: dict[str, dict[str, Any]] = {
    "hdmoe": {"width": 32, "token_dim": 8, "family_hidden": 16, "expert_hidden": 16},
    "biofact": {"width": 32, "hidden": 32, "rank": 8},
    "mice": {"width": 32, "gene_hidden": 16, "clinical_hidden": 16, "rank": 16, "overlapping": 6, "keep": 4},
    "snn": {"family_hidden": 16, "width": 32},
    "late-fusion": {"family_hidden": 16, "width": 32},
    "forest": {"trees": 15},
}
FAST = TrainingConfig(epochs=3, learning_rate=3e-3)
LEARNS = TrainingConfig(epochs=12, learning_rate=6e-3, batch_size=16)
QUICK_LEARNER: dict[str, dict[str, Any]] = {
    **SMALL,
    "hdmoe": {**SMALL["hdmoe"], "token_dim": 16, "n_experts": 4, "alpha": 0.1, "gene_dropout": 0.0},
    "mice": {**SMALL["mice"], "alpha": 0.0, "dropout": 0.05},
}
"""With three families of five genes, dropping a quarter of them and α = 1 would need far more steps than a test has."""


def planted_dataset(
    n: int = 160, seed: int = 0, missing: float = 0.0, signal: float = 1.3, delayed: bool = False, bags: bool = False
) -> Dataset:
    """Patients whose hazard depends on two genes and on age; about two thirds die.

    With ``missing`` that share of the patients lacks the genes, and another share of the same size the clinic.
    """
    random = np.random.default_rng(seed)
    genes = random.normal(size=(n, 14)).astype(np.float32)
    age, sex = random.normal(62, 10, n), random.choice(["female", "male"], n)
    log_hazard = signal * (genes[:, 0] + 0.7 * genes[:, 10] + 0.04 * (age - 62))
    time = random.exponential(np.exp(3.2 - log_hazard))
    censored = random.uniform(5, 110, n)
    entry = random.uniform(0, 3, n) * (random.random(n) < 0.5) if delayed else np.zeros(n)
    draw = random.random(n)
    present = {GENOMICS: draw >= missing, CLINICAL: draw < 1 - missing}
    genes[~present[GENOMICS]] = np.nan
    clinical = pd.DataFrame({"age": age, "sex": sex}).astype({"sex": "object"})
    clinical.loc[~present[CLINICAL], :] = np.nan
    slides = tuple(random.normal(size=(int(k), 6)).astype(np.float32) for k in random.integers(1, 30, n))
    modalities = (SLIDES, GENOMICS, CLINICAL) if bags else (GENOMICS, CLINICAL)
    inputs = Inputs(
        ids=tuple(f"P{i:04d}" for i in range(n)),
        modalities=modalities,
        present={SLIDES: np.ones(n, dtype=bool), **present} if bags else present,
        genes=genes,
        columns=tuple(f"G{i}_rnaseq" for i in range(14)),
        families=FAMILIES,
        clinical=clinical,
        bags={SLIDES: slides} if bags else {},
    )
    observed = np.maximum(np.minimum(time, censored), entry + 0.1)
    outcome = Outcome(entry, observed, (time <= censored).astype(np.int64))
    return Dataset(inputs, outcome, np.arange(n), ())


def permuted_labels(dataset: Dataset, seed: int) -> Dataset:
    """The same patients with somebody else's outcome."""
    order = np.random.default_rng(seed).permutation(len(dataset.outcome))
    return replace(dataset, outcome=dataset.outcome.take(order))


def k_folds(n: int, k: int, seed: int = 0) -> Folds:
    """A random partition."""
    return Folds(f"{k}-fold", np.random.default_rng(seed).permutation(n) % k)


def small_estimator(name: str, training: TrainingConfig = FAST, device: str = "cpu") -> Estimator:
    """An estimator by name, in a small size."""
    return make_estimator(EstimatorSpec(name, SMALL.get(name, {}), training, device))


def learning_estimator(name: str) -> Estimator:
    """An estimator by name that finds a planted signal within seconds."""
    training = replace(LEARNS, learning_rate=2e-3) if name == "mice" else LEARNS  # transformers without a warm-up
    return make_estimator(EstimatorSpec(name, QUICK_LEARNER.get(name, {}), training))


def altered(dataset: Dataset, rows: IntArray) -> Dataset:
    """The dataset with wildly other inputs and outcomes for ``rows``, nobody else touched."""
    inputs, outcome = dataset.inputs, dataset.outcome
    assert inputs.genes is not None
    assert inputs.clinical is not None
    genes, clinical = inputs.genes.copy(), inputs.clinical.copy()
    genes[rows] = 1e6 * np.random.default_rng(0).normal(size=(len(rows), genes.shape[1]))
    clinical.iloc[rows, 0] = 1e5
    clinical.iloc[rows, 1] = "a level nobody had"
    time, codes = outcome.time.copy(), outcome.codes.copy()
    time[rows] = outcome.entry[rows] + np.linspace(0.001, 9000, len(rows))
    codes[rows] = 1 - codes[rows]
    return replace(
        dataset,
        inputs=replace(inputs, genes=genes, clinical=clinical),
        outcome=Outcome(outcome.entry, time, codes),
    )
