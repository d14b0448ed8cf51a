"""A plain family-wise self-normalising network: the neural baseline every mixture has to beat.

Each gene family, the clinical columns and each averaged bag (slides, volumes, reports) become a token; the tokens'
concatenation goes through one hidden layer to the hazards. No routing, no interaction beyond that layer.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from core.cohort.modality import Modality
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
    """Family tokens, a clinical token and a token for each averaged bag → hazards."""

    def __init__(self, shape: InputShape, modalities: tuple[Modality, ...], bins: int, config: SNNConfig) -> None:
        super().__init__()
        self.modalities = modalities
        tokens = 0
        if Modality.GENOMICS in modalities:
            self.genes = FamilyEncoder(shape.families, config.family_hidden, config.width, config.dropout)
            tokens += len(shape.families)
        if Modality.CLINICAL in modalities:
            self.clinical = snn_block(shape.clinical, config.width, config.dropout)
            tokens += 1
        widths = {m: w for m, w in (shape.bags or {}).items() if m in modalities}
        self.bags = nn.ModuleDict({m.value: snn_block(2 * w, config.width, config.dropout) for m, w in widths.items()})
        tokens += len(widths)
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
        return SurvivalOutput(self.head(self.embedding(batch)))

    def embedding(self, batch: Batch) -> Tensor:
        """(b, width) the hidden layer, from which the hazards are read."""
        parts = []
        if Modality.GENOMICS in self.modalities:
            assert batch.genes is not None  # noqa: S101
            parts.append(self.genes(batch.genes).flatten(1) * batch.present[Modality.GENOMICS][:, None])
        if Modality.CLINICAL in self.modalities:
            assert batch.clinical is not None  # noqa: S101
            parts.append(self.clinical(batch.clinical) * batch.present[Modality.CLINICAL][:, None])
        for name, block in self.bags.items():
            modality = Modality(name)
            averaged = block(_averaged(batch.bags[modality], batch.masks[modality]))
            parts.append(averaged * batch.present[modality][:, None])
        hidden: Tensor = self.body(torch.cat(parts, dim=1))
        return hidden


def _averaged(rows: Tensor, mask: Tensor) -> Tensor:
    """(b, n, d) with its (b, n) mask → (b, 2d): mean and standard deviation over the rows of each bag."""
    weight = mask[..., None].to(rows.dtype)
    count = weight.sum(dim=1)
    mean = (rows * weight).sum(dim=1) / count
    variance = ((rows - mean[:, None]) ** 2 * weight).sum(dim=1) / count
    return torch.cat([mean, torch.sqrt(variance + 1e-6)], dim=1)
