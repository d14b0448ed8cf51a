"""The training loop: one model, one training fold."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from core.arrays import IntArray
from core.features.batch import Batch, Tensors
from core.features.inputs import Outcome
from core.models.network import SurvivalNetwork
from core.models.output import SurvivalOutput
from core.training.bins import TimeBins
from core.training.buckets import bucketed
from core.training.compiled import Compiled, compiled
from core.training.config import TrainingConfig
from core.training.objectives import Objective, make_objective
from core.training.prediction_batches import prediction_batches
from core.training.ranks import current_ranks
from core.training.resident import BatchSource, ResidentTensors, make_resident

_RANK_STEP = 7_368_787
"""Ranks that share a training draw dropout masks of their own."""


@dataclass(frozen=True)
class EpochRecord:
    """What one epoch cost: mean survival loss and the auxiliary losses by name."""

    epoch: int
    survival_loss: float
    auxiliary: Mapping[str, float]


class Fitter:
    """Fits a model epoch by epoch.

    Every epoch reseeds torch from (seed, epoch), so a training resumed from a stored epoch draws the same patients,
    dropout masks and reorganisations as one that was never interrupted.
    """

    def __init__(
        self,
        model: SurvivalNetwork,
        tensors: Tensors | ResidentTensors,
        outcome: Outcome,
        bins: TimeBins,
        config: TrainingConfig,
        seed: int,
        device: torch.device | None = None,
    ) -> None:
        self.device = device or torch.device("cpu")
        self.model = model.to(self.device)
        self.config, self.seed = config, seed
        faster = config.acceleration
        self.tensors: BatchSource = tensors
        if faster.resident and isinstance(tensors, Tensors):
            self.tensors = make_resident(tensors, self.device, config.bfloat16)
        self.network = compiled(model, self.device, faster.length_buckets) if faster.compile else Compiled(model)
        self.objective: Objective = make_objective(model.objective, outcome, bins, config, self.device)
        self.patients = len(outcome)
        self.weights = _class_weights(outcome, bins) if config.balanced else None
        self.optimizer = self._optimizer()
        self.ranks = current_ranks()
        self.epoch = 0

    def run(self, after_epoch: Callable[[EpochRecord], None] | None = None) -> tuple[EpochRecord, ...]:
        """Train up to ``config.epochs``; ``after_epoch`` may look at the model or raise to stop."""
        records = []
        if self.epoch == 0:
            self._pretrain()
        while self.epoch < self.config.epochs:
            records.append(self._one_epoch())
            self.epoch += 1
            if after_epoch is not None:
                after_epoch(records[-1])
        return tuple(records)

    def _one_epoch(self) -> EpochRecord:
        generator = torch.Generator().manual_seed(1_000_003 * self.seed + self.epoch)
        torch.manual_seed(1_000_003 * self.seed + self.epoch + _RANK_STEP * self.ranks.rank)
        if self.config.decay:
            share = 1 - self.epoch / self.config.epochs
            for group in self.optimizer.param_groups:
                group["lr"] = self.config.learning_rate * share**0.9
        self.model.train()
        total, auxiliary, seen = 0.0, dict[str, float](), 0
        steps = [(len(rows), *self._step(rows, generator)) for rows in self._batches(generator)]
        for count, loss, parts in steps:  # read behind the last step: a GPU would wait for each number asked of it
            total += float(loss) * count
            for name, value in parts.items():
                auxiliary[name] = auxiliary.get(name, 0.0) + float(value) * count
            seen += count
        self.model.eval()
        return EpochRecord(self.epoch, total / seen, {k: v / seen for k, v in auxiliary.items()})

    def _pretrain(self) -> None:
        """The model's own pre-training, with an optimizer of its own, so that survival starts with fresh moments."""
        optimizer = self._optimizer()
        self.model.train()
        for epoch in range(self.config.pretrain_epochs):
            generator = torch.Generator().manual_seed(1_000_003 * self.seed + 500_009 + epoch)
            torch.manual_seed(1_000_003 * self.seed + 500_009 + epoch + _RANK_STEP * self.ranks.rank)
            order = torch.randperm(self.patients, generator=generator).numpy()
            for rows in np.array_split(order, max(1, round(self.patients / self.config.batch_size))):
                mine = rows[self.ranks.share(rows)]
                batch = self._batch(mine, generator)
                loss = self.model.pretraining_loss(batch)
                if loss is None:
                    return
                optimizer.zero_grad(set_to_none=True)
                torch.autograd.backward(loss * self.ranks.weight(len(mine), len(rows)))
                self.ranks.average(self.model)
                optimizer.step()

    def _optimizer(self) -> torch.optim.Optimizer:
        rate, decay = self.config.learning_rate, self.config.weight_decay
        return torch.optim.Adam(self.model.parameters(), lr=rate, weight_decay=decay, fused=True)

    def _batches(self, generator: torch.Generator) -> list[IntArray]:
        n, size = self.patients, self.config.batch_size
        if self.objective.full_batch:
            return [np.arange(n)]
        if self.weights is None:
            order = torch.randperm(n, generator=generator).numpy()
        else:
            order = torch.multinomial(self.weights, n, replacement=True, generator=generator).numpy()
        count = max(1, round(n / size))
        return [np.asarray(part) for part in np.array_split(order, count)]  # equal parts: no batch of one

    def _batch(self, rows: IntArray, generator: torch.Generator) -> Batch:
        sample = self.config.patch_sample
        batch = self.tensors.batch(rows, sample, generator).to(self.device)
        if not self.config.acceleration.length_buckets:
            return batch
        return bucketed(batch, () if sample is None else (sample,))

    def _step(self, rows: IntArray, generator: torch.Generator) -> tuple[Tensor, dict[str, Tensor]]:
        places = self.ranks.share(rows)
        batch = self._batch(rows[places], generator)
        with torch.autocast(self.device.type, dtype=torch.bfloat16, enabled=self.config.bfloat16):
            output: SurvivalOutput = self.network.call(batch)
        logits = self.ranks.gathered(output.logits, places, len(rows))
        survival = self.objective.loss(logits, rows)
        loss = survival + self.ranks.weight(len(places), len(rows)) * sum(output.auxiliary.values())
        self.optimizer.zero_grad(set_to_none=True)
        torch.autograd.backward(loss)
        self.ranks.average(self.model)
        self.optimizer.step()
        return survival.detach().clone(), {k: v.detach().clone() for k, v in output.auxiliary.items()}


def _class_weights(outcome: Outcome, bins: TimeBins) -> torch.Tensor:
    """(n,) inverse frequency of each patient's (bin, event) class."""
    classes = bins.index(outcome.time) * 2 + outcome.event
    counts = np.bincount(classes)
    return torch.from_numpy(1.0 / counts[classes])


def predict_logits(
    model: nn.Module, tensors: Tensors, n: int, batch_size: int = 64, device: torch.device | None = None
) -> torch.Tensor:
    """(n, bins) hazard logits of all patients, whole bags, no dropout."""
    device = device or torch.device("cpu")
    model.eval()
    parts = []
    with torch.no_grad():
        batches = prediction_batches(tensors, n, batch_size)
        for rows in batches:
            batch: Batch = tensors.batch(rows).to(device)
            output: SurvivalOutput = model(batch)
            parts.append(output.logits.float().cpu())
    place = torch.from_numpy(np.argsort(np.concatenate(batches)))
    return torch.cat(parts)[place]
