"""A plain family-wise self-normalising network: the neural baseline every mixture has to beat.

Each gene family and the clinical columns become a token; the tokens' concatenation goes through one hidden layer to
the hazards. No routing, no interaction beyond that layer.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from core.cohort.modality import Modality
from core.errors import PrognoscopeError
from core.features.batch import Batch
from core.features.preparation import InputShape
from core.models.layers.snn import FamilyEncoder, snn_block
from core.models.network import SurvivalNetwork
from core.models.output import Capabilities, SurvivalOutput, Trace


@dataclass(frozen=True)
class SNNConfig:
    """Widths and dropout of the network."""

    family_hidden: int = 256
    width: int = 256
    dropout: float = 0.25


class SNN(SurvivalNetwork):
    """Family tokens and a clinical token → hazards."""

    def __init__(self, shape: InputShape, modalities: tuple[Modality, ...], bins: int, config: SNNConfig) -> None:
        super().__init__()
        unsupported = [m for m in modalities if m not in (Modality.GENOMICS, Modality.CLINICAL)]
        if unsupported:
            raise PrognoscopeError(
                f"the SNN cannot read {', '.join(unsupported)}", "the chosen modalities", "use genomics and clinical"
            )
        self.modalities = modalities
        tokens = 0
        if Modality.GENOMICS in modalities:
            self.genes = FamilyEncoder(shape.families, config.family_hidden, config.width, config.dropout)
            tokens += len(shape.families)
        if Modality.CLINICAL in modalities:
            self.clinical = snn_block(shape.clinical, config.width, config.dropout)
            tokens += 1
        self.body = snn_block(tokens * config.width, config.width, config.dropout)
        self.head = nn.Linear(config.width, bins)

    def start_from(self, log_odds: Tensor) -> None:
        """Begin at the hazards (bins,) of the average training patient."""
        with torch.no_grad():
            self.head.bias.copy_(log_odds)

    def capabilities(self) -> Capabilities:
        """No routers, no map."""
        return Capabilities(self.modalities)

    def forward(self, batch: Batch, trace: Trace = Trace.NONE) -> SurvivalOutput:
        """Hazard logits; a missing modality is all zeros."""
        parts = []
        if Modality.GENOMICS in self.modalities:
            assert batch.genes is not None  # noqa: S101
            parts.append(self.genes(batch.genes).flatten(1) * batch.present[Modality.GENOMICS][:, None])
        if Modality.CLINICAL in self.modalities:
            assert batch.clinical is not None  # noqa: S101
            parts.append(self.clinical(batch.clinical) * batch.present[Modality.CLINICAL][:, None])
        return SurvivalOutput(self.head(self.body(torch.cat(parts, dim=1))))
