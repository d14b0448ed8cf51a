"""Negative log-likelihood of discrete hazards.

With h_j the hazard of bin j, a patient contributes Σ_j a_j·log(1 − h_j) + Σ_j d_j·log h_j, where a_j is the share of
bin j survived under observation (from entry on) and d_j marks the bin of the event. The published form counts the
bin of censoring as survived whole (MODELS.md 1.1.1, NLL); the exact form for a hazard that is constant within a bin
counts the share that was observed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812

from core.arrays import IntArray
from core.features.inputs import Outcome
from core.training.bins import TimeBins

Censoring = Literal["exact", "published"]


@dataclass(frozen=True, eq=False)
class HazardTarget:
    """``survived`` and ``died``, both (n, bins): the a_j and d_j of the likelihood."""

    survived: Tensor
    died: Tensor

    @classmethod
    def of(cls, outcome: Outcome, bins: TimeBins, censoring: Censoring = "exact") -> HazardTarget:
        """Targets of patients; an event at or beyond the last edge counts as surviving to it."""
        event = outcome.event & (outcome.time < bins.limit)
        bin_of = bins.index(outcome.time)
        rows = np.arange(len(outcome))
        survived = bins.fraction(outcome.time)
        if censoring == "published":
            survived[rows, bin_of] = 1.0
        survived = survived - np.minimum(bins.fraction(outcome.entry), survived)
        survived[rows[event], bin_of[event]] = 0.0
        died = np.zeros_like(survived)
        died[rows[event], bin_of[event]] = 1.0
        return cls(torch.from_numpy(survived).float(), torch.from_numpy(died).float())

    def mean_log_odds(self) -> Tensor:
        """(bins,) log-odds of the hazard of the average patient; a bin without events gets that of half an event."""
        died, survived = self.died.sum(dim=0), self.survived.sum(dim=0)
        return torch.log(died.clamp(min=0.5)) - torch.log(survived.clamp(min=0.5))

    def group_log_odds(self, group: Tensor, groups: int) -> Tensor:
        """(groups, bins) as :meth:`mean_log_odds`, of each group (n,), drawn to that of all by the weight of five
        patients: a cancer without events in a bin has no hazard of its own there."""
        overall, prior = torch.sigmoid(self.mean_log_odds()), 5.0
        found = []
        for number in range(groups):
            died, survived = (x[group == number].sum(dim=0) for x in (self.died, self.survived))
            found.append(torch.log(died + prior * overall) - torch.log(survived + prior * (1 - overall)))
        return torch.stack(found)

    def take(self, rows: IntArray) -> HazardTarget:
        index = torch.from_numpy(np.asarray(rows))
        return HazardTarget(self.survived[index], self.died[index])

    def to(self, device: torch.device) -> HazardTarget:
        return HazardTarget(self.survived.to(device), self.died.to(device))


def hazard_nll(logits: Tensor, target: HazardTarget) -> Tensor:
    """Mean over patients of the negative log-likelihood, from (n, bins) log-odds by stable log-sigmoids."""
    loss = -(target.survived * F.logsigmoid(-logits) + target.died * F.logsigmoid(logits))
    return loss.sum(dim=1).mean()
