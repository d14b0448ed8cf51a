"""How a neural model is trained."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Literal

from core.training.losses import Censoring

Protocol = Literal["honest", "upstream"]


@dataclass(frozen=True)
class Acceleration:
    """How the same training is run faster, mostly on a GPU; see :class:`AcceleratedTraining`."""

    compile: bool = False
    length_buckets: bool = False
    resident: bool = False


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

    @property
    def acceleration(self) -> Acceleration:
        """None of it."""
        return Acceleration()


@dataclass(frozen=True)
class AcceleratedTraining(TrainingConfig):
    """A training that is run faster where a GPU waits for its orders rather than computes. The same training within
    rounding, but not bit for bit; so its settings are part of what a run is told apart by, and a training that asks for
    none of them is a plain :class:`TrainingConfig`.

    Parameters
    ----------
    compile : bool
        ``torch.compile`` the network (on a GPU with CUDA graphs); where there is no compiler it is said and left out.
    length_buckets : bool
        Pad bags to one of few lengths (:mod:`core.training.buckets`), so that few shapes are compiled and recorded.
    resident : bool
        Keep every training patient's scaled features on the device, in bfloat16 with ``bfloat16``.
    """

    compile: bool = False
    length_buckets: bool = False
    resident: bool = False

    @property
    def acceleration(self) -> Acceleration:
        """What is asked for."""
        return Acceleration(self.compile, self.length_buckets, self.resident)


ACCELERATIONS = tuple(f.name for f in fields(Acceleration))


def training_config(values: Mapping[str, Any]) -> TrainingConfig:
    """The training of plain settings, such as a run's ``config["training"]``."""
    if any(values.get(name) for name in ACCELERATIONS):
        return AcceleratedTraining(**values)
    return TrainingConfig(**{k: v for k, v in values.items() if k not in ACCELERATIONS})
