"""How a neural model is trained."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from core.training.losses import Censoring

Protocol = Literal["honest", "upstream"]


@dataclass(frozen=True)
class TrainingConfig:
    """Settings of one fit.

    Parameters
    ----------
    epochs : int
        Fixed budget; the last epoch is used. Nothing outside the training fold chooses it.
    pretrain_epochs : int
        Epochs of the model's own pre-training on the training fold, before these; only for models that have one.
    learning_rate, weight_decay : float
    decay : bool
        Polynomial decay lr·(1 − epoch/epochs)^0.9, as the released HDMoE code does.
    batch_size : int
        Patients per step; at least 8 for the load-balance loss to mean anything (MODELS.md 1.1.4). With a Cox head
        it is that of the pre-training alone: survival then takes all patients at once.
    balanced : bool
        Draw patients with weights that make the bin × event classes equally frequent (released code).
    gene_scale : "rank" or "z-score"
    censoring : "exact" or "published"
    patch_sample : int or None
        Train on at most so many random patches a bag and step; evaluation always uses whole bags.
    bfloat16 : bool
        Autocast the forward pass.
    protocol : "honest" or "upstream"
        ``"upstream"`` reports the best epoch on the test fold, with bin edges of the whole cohort: optimistic, kept
        to show by how much (MODELS.md 2.2).
    """

    epochs: int = 10
    pretrain_epochs: int = 0
    learning_rate: float = 5e-4
    weight_decay: float = 1e-5
    decay: bool = True
    batch_size: int = 32
    balanced: bool = False
    gene_scale: Literal["rank", "z-score"] = "rank"
    censoring: Censoring = "exact"
    patch_sample: int | None = 2048
    bfloat16: bool = False
    protocol: Protocol = "honest"
