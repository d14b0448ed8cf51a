"""Small models of every kind over generated genes, clinical columns and bags; nothing is read from disk."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from core.cohort.modality import Modality
from core.explain.run_models import RunModels, UnseenModel
from core.features.inputs import Inputs, Outcome
from core.models.registry import MODELS
from core.results.run import Metric, Metrics, Run
from core.training.config import TrainingConfig
from core.training.neural import FittedNeural, NeuralEstimator

GENES, PATIENTS = 14, 90
NAMES = ("slides", "genomics", "reports", "clinical")
SMALL: dict[str, dict[str, Any]] = {
    "snn": {"width": 16, "family_hidden": 8},
    "hdmoe": {"width": 32, "token_dim": 16, "family_hidden": 16, "n_experts": 4, "expert_hidden": 16},
    "biofact": {"width": 16},
    "mice": {"width": 16, "rank": 8, "gene_hidden": 16, "clinical_hidden": 16},
}


def make_inputs(seed: int = 0) -> tuple[Inputs, Outcome]:
    """Risk rises with gene 0, falls with gene 1 and rises with age; G13 stands in both families."""
    random = np.random.default_rng(seed)
    genes = random.normal(size=(PATIENTS, GENES)).astype(np.float32)
    clinical = pd.DataFrame(
        {"age": random.normal(60, 10, PATIENTS).round(), "stage": random.choice(["I", "II", "III"], PATIENTS)}
    )
    clinical.loc[3, "age"] = np.nan
    present = {Modality(m): random.random(PATIENTS) < 0.85 for m in NAMES}
    present = {m: present[m] for m in Modality if m in present}
    present[Modality.CLINICAL][:] = True
    for here in present.values():
        here[:2] = True
    genes[~present[Modality.GENOMICS]] = np.nan
    widths = {Modality.SLIDES: 6, Modality.REPORTS: 7}
    bags: dict[Modality, tuple[Any, ...]] = {
        m: tuple(
            random.normal(size=(random.integers(3, 9), w)).astype(np.float32) if there else None for there in present[m]
        )
        for m, w in widths.items()
    }
    signal = 1.2 * np.nan_to_num(genes[:, 0]) - 1.2 * np.nan_to_num(genes[:, 1])
    risk = signal + 0.05 * (clinical["age"].fillna(60).to_numpy() - 60)
    time = random.exponential(np.exp(3.3 - risk)).clip(1, 90)
    inputs = Inputs(
        tuple(f"P{i:03d}" for i in range(PATIENTS)),
        tuple(present),
        present,
        genes,
        tuple(f"G{i}" for i in range(GENES)),
        {"first": tuple(range(7)), "second": tuple(range(7, GENES)), "third": (13,)},
        clinical,
        bags,
    )
    return inputs, Outcome(np.zeros(PATIENTS), time, (random.random(PATIENTS) < 0.8).astype(np.int64))


class FittedModels(RunModels):
    """A run of two seeds and one split whose models are at hand: the patients of fold 0 were not trained on."""

    fitted: tuple[FittedNeural, ...] = ()

    def model(self, fold: int, seed: int) -> FittedNeural:
        return self.fitted[seed]


def fit_models(
    name: str, epochs: int = 2, modalities: tuple[str, ...] = NAMES, seeds: int = 2, seed: int = 0
) -> FittedModels:
    """Train ``name`` on the patients of fold 1 for two seeds."""
    inputs, outcome = make_inputs(seed)
    keep = tuple(m for m in inputs.modalities if m.value in modalities)
    inputs = Inputs(
        inputs.ids, keep, {m: inputs.present[m] for m in keep}, inputs.genes, inputs.columns, inputs.families,
        inputs.clinical, {m: b for m, b in inputs.bags.items() if m in keep},
    )  # fmt: skip
    fold = np.where(np.arange(PATIENTS) < 20, 0, 1)
    train = np.flatnonzero(fold == 1)
    config = TrainingConfig(**{**MODELS[name].training, "epochs": epochs, "pretrain_epochs": 0, "learning_rate": 5e-3})
    estimator = NeuralEstimator(name, SMALL[name], config)
    taken, known = inputs.take(train), outcome.take(train)
    fitted = tuple(estimator.fit(taken, known, (12.0, 24.0), s) for s in range(seeds))
    found = FittedModels(_run(name, modalities, seeds), inputs, fold, Path())
    object.__setattr__(found, "fitted", fitted)
    return found


def _run(name: str, modalities: tuple[str, ...], seeds: int) -> Run:
    nothing = Metrics(Metric(None), Metric(None), Metric(None), Metric(None))
    return Run(
        f"{name}-run", "one", "", True, name, {}, modalities, "OS", "honest", "2", 2, tuple(range(seeds)),
        (12.0, 24.0), PATIENTS, 0, (), "", "", 0.0, "", "", nothing, {},
    )  # fmt: skip


__all__ = ["FittedModels", "UnseenModel", "fit_models", "make_inputs"]
