"""What a network is trained to: discrete hazards, or the Cox partial likelihood."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from core.arrays import IntArray
from core.features.inputs import Outcome
from core.training.bins import TimeBins
from core.training.config import TrainingConfig
from core.training.losses import HazardTarget, hazard_nll


class Objective(Protocol):
    """A survival loss over some rows of the training fold."""

    @property
    def full_batch(self) -> bool:
        """True where every step needs all patients (the risk sets of the partial likelihood)."""
        ...

    def loss(self, output: Tensor, rows: IntArray) -> Tensor:
        """Scalar loss of the network's output for these rows."""
        ...

    def targets(self) -> tuple[Tensor, ...]:
        """What is aimed at, to tell one training from another."""
        ...


@dataclass(frozen=True, eq=False)
class DiscreteHazards:
    """Negative log-likelihood of discrete hazards (:func:`core.training.losses.hazard_nll`)."""

    target: HazardTarget
    device: torch.device
    full_batch: bool = False

    def loss(self, output: Tensor, rows: IntArray) -> Tensor:
        return hazard_nll(output, self.target.take(rows).to(self.device))

    def targets(self) -> tuple[Tensor, ...]:
        return self.target.survived, self.target.died


@dataclass(frozen=True, eq=False)
class CoxLikelihood:
    """Negative log partial likelihood with Efron's ties, per event: torchsurv's, or our own under delayed entry."""

    event: Tensor
    time: Tensor
    entry: Tensor
    full_batch: bool = True

    def targets(self) -> tuple[Tensor, ...]:
        return self.event, self.time, self.entry

    def loss(self, output: Tensor, rows: IntArray) -> Tensor:
        from torchsurv.loss.cox import neg_partial_log_likelihood

        index = torch.from_numpy(rows).to(self.event.device)
        event, time, entry = self.event[index], self.time[index], self.entry[index]
        if bool((entry > 0).any()):
            return late_entry_nll(output[:, 0], event, time, entry)
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="Ties in `time`")  # they are handled as asked for
            total: Tensor = neg_partial_log_likelihood(output[:, 0], event, time, ties_method="efron", reduction="sum")
        return total / event.sum().clamp(min=1)


def make_objective(
    name: str, outcome: Outcome, bins: TimeBins, config: TrainingConfig, device: torch.device
) -> Objective:
    """The objective called ``name`` ("hazards" or "cox") for one training fold."""
    if name == "hazards":
        return DiscreteHazards(HazardTarget.of(outcome, bins, config.censoring), device)
    event = torch.from_numpy(outcome.event).to(device)
    time, entry = (torch.from_numpy(x).float().to(device) for x in (outcome.time, outcome.entry))
    return CoxLikelihood(event, time, entry)


def late_entry_nll(log_hazard: Tensor, event: Tensor, time: Tensor, entry: Tensor) -> Tensor:
    """Efron's negative log partial likelihood per event, with risk sets {j: entry_j < t ≤ time_j}.

    The l-th of d events tied at t meets Σ_risk e^η − (l/d)·Σ_tied e^η, l = 0 … d−1 (Efron, JASA 1977, 72:557).
    """
    at = time[event]
    shift = log_hazard.max().detach()
    weight = torch.exp(log_hazard - shift)
    at_risk = (time[None] >= at[:, None]) & (entry[None] < at[:, None])
    tied = (time[None] == at[:, None]) & event[None]
    same = at[None] == at[:, None]
    earlier = torch.tril(same, diagonal=-1).sum(dim=1)
    share = (earlier / same.sum(dim=1)).to(weight.dtype)
    denominator = at_risk.to(weight.dtype) @ weight - share * (tied.to(weight.dtype) @ weight)
    total = (torch.log(denominator) + shift - log_hazard[event]).sum()
    return total / event.sum().clamp(min=1)
