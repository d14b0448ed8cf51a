"""What a survival model returns: one record, whatever the model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

import torch
from torch import Tensor

from core.cohort.modality import Modality
from core.results.routing_trace import RoutingTrace


class Trace(StrEnum):
    """How much of its inner workings a forward pass reports. Asking for more changes nothing in the output."""

    NONE = "none"
    ROUTING = "routing"
    SPATIAL = "spatial"


@dataclass(frozen=True)
class Capabilities:
    """What a model can do; pages show what these allow and know no model's name."""

    modalities: tuple[Modality, ...]
    routers: tuple[str, ...] = ()
    spatial_attention: bool = False
    report_evidence: bool = False


@dataclass(frozen=True, eq=False)
class SurvivalOutput:
    """Output for a batch of ``b`` patients over ``t`` time bins.

    Parameters
    ----------
    logits : (b, t) tensor
        Log-odds of the discrete hazards.
    auxiliary : mapping of name to scalar tensor
        Losses of the model's own, already weighted; added to the survival loss in training.
    routing : RoutingTrace or None
        Only with ``Trace.ROUTING`` or ``Trace.SPATIAL``.
    attention : mapping of modality to (b, n) tensor
        Only with ``Trace.SPATIAL``: the class token's attention to each patch, 0 at padding.
    """

    logits: Tensor
    auxiliary: Mapping[str, Tensor] = field(default_factory=dict)
    routing: RoutingTrace | None = None
    attention: Mapping[Modality, Tensor] = field(default_factory=dict)

    @property
    def hazards(self) -> Tensor:
        """(b, t) P(event in bin | alive at its start), each in (0, 1)."""
        return torch.sigmoid(self.logits)

    @property
    def survival(self) -> Tensor:
        """(b, t) P(alive at the end of each bin) = ∏ (1 − hazard), computed in logs so that it never underflows."""
        return torch.exp(torch.cumsum(torch.nn.functional.logsigmoid(-self.logits), dim=1))

    @property
    def risk(self) -> Tensor:
        """(b,) −Σ survival: higher = earlier event (HDMoE's and MICE's risk score)."""
        return -self.survival.sum(dim=1)
