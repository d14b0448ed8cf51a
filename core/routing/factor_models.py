"""The experts' embeddings and gates of a cohort's patients under every model of a cross-validation."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from core.arrays import FloatArray
from core.errors import PrognoscopeError
from core.features.inputs import Dataset, Inputs
from core.statistics.selectivity import FoldEmbedding
from core.training.cross_validation import Plan
from core.training.neural import FittedNeural, restore_neural
from core.training.state_files import read_state
from core.training.units import unit_name

BATCH = 64


@dataclass(frozen=True, eq=False)
class FactorModel:
    """One fold and seed: ``embedding`` of all its patients, and their ``gate`` (n, k) in the order of ``names``."""

    fold: int
    seed: int
    names: tuple[str, ...]
    embedding: FoldEmbedding
    gate: FloatArray


def factor_models(plan: Plan, folder: Path) -> Iterator[FactorModel]:
    """Every model of a cross-validation whose checkpoints lie in ``folder``.

    Raises
    ------
    PrognoscopeError
        For a model whose experts have no meaning of their own to be audited.
    """
    for seed in plan.seeds:
        for fold in range(plan.folds.k):
            train, test = plan.split(fold)
            rows = np.concatenate([train, test])
            fitted = restore_neural(read_state(folder / unit_name(fold, seed)))
            values = embed(fitted, plan.dataset.inputs.take(rows))
            gate = values.pop("gate")
            tested = np.arange(len(rows)) >= len(train)
            yield FactorModel(fold, seed, tuple(values), FoldEmbedding(rows, tested, values), gate)


def embed(fitted: FittedNeural, inputs: Inputs) -> dict[str, FloatArray]:
    """Factor → (n, d) embedding, and ``gate`` → (n, k)."""
    tensors = fitted.preparation.tensors(inputs)
    parts: dict[str, list[FloatArray]] = {}
    network = fitted.network.eval()
    with torch.no_grad():
        for start in range(0, len(inputs), BATCH):
            batch = tensors.batch(np.arange(start, min(len(inputs), start + BATCH)))
            found = network.factor_embeddings(batch)
            if found is None:
                raise PrognoscopeError(
                    f"{fitted.model} names no factors", "the run to audit", "audit a run of a model with named experts"
                )
            for name, value in found.items():
                parts.setdefault(name, []).append(value.double().cpu().numpy())
    return {name: np.concatenate(values) for name, values in parts.items()}


def dataset_rows(dataset: Dataset, values: FloatArray) -> FloatArray:
    """Values of the cohort's patients → those of the dataset's, row for row."""
    return np.asarray(values[dataset.rows])
