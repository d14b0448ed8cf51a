"""From each modality's inputs to one vector a patient, and what stands in for a missing one."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from core.cohort.modality import Modality
from core.features.batch import Batch
from core.features.preparation import InputShape
from core.models.layers.attention_weights import AttentionWeights
from core.models.layers.dropout import Dropout
from core.models.layers.snn import FamilyEncoder, snn_block
from core.models.mice.config import MICEConfig


def mlp_block(n_in: int, n_out: int, dropout: float) -> nn.Sequential:
    """Linear, dropout, ReLU (MODELS.md 1.2.1, MLP_Block)."""
    return nn.Sequential(nn.Linear(n_in, n_out), Dropout(dropout), nn.ReLU())


class VectorGenes(nn.Module):
    """One vector of all genes → hidden → width (released)."""

    def __init__(self, shape: InputShape, config: MICEConfig) -> None:
        super().__init__()
        drop = config.dropout
        self.network = nn.Sequential(mlp_block(shape.genes, 512, drop), mlp_block(512, config.width, drop))

    def forward(self, batch: Batch) -> Tensor:
        assert batch.genes is not None  # noqa: S101  only built for genomic inputs
        result: Tensor = self.network(batch.genes)
        return result


class FamilyGenes(nn.Module):
    """Each gene family's self-normalising encoder, joined by one layer."""

    def __init__(self, shape: InputShape, config: MICEConfig) -> None:
        super().__init__()
        self.families = FamilyEncoder(shape.families, config.gene_hidden, config.width, config.dropout)
        self.join = snn_block(len(shape.families) * config.width, config.width, config.dropout)

    def forward(self, batch: Batch) -> Tensor:
        assert batch.genes is not None  # noqa: S101  only built for genomic inputs
        result: Tensor = self.join(self.families(batch.genes).flatten(1))
        return result


class Clinical(nn.Module):
    """Clinical columns → width."""

    def __init__(self, shape: InputShape, config: MICEConfig) -> None:
        super().__init__()
        self.network = nn.Sequential(
            snn_block(shape.clinical, config.clinical_hidden, config.dropout),
            snn_block(config.clinical_hidden, config.width, config.dropout),
        )

    def forward(self, batch: Batch) -> Tensor:
        assert batch.clinical is not None  # noqa: S101  only built for clinical inputs
        result: Tensor = self.network(batch.clinical)
        return result


class AttentionPool(nn.Module):
    """Bag → width by attention pooling: softmax over the patches of wᵀ tanh(V x) (MODELS.md 1.2.1, without Mamba)."""

    def __init__(self, modality: Modality, shape: InputShape, config: MICEConfig) -> None:
        super().__init__()
        self.modality = modality
        self.reduce = mlp_block((shape.bags or {})[modality], config.width, config.dropout)
        self.score = nn.Sequential(nn.Linear(config.width, 64), nn.Tanh(), nn.Linear(64, 1))
        self.used = AttentionWeights()

    def forward(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """(b, width) representation and (b, n) attention, 0 at padding."""
        features = self.reduce(batch.bags[self.modality])
        scores = self.score(features).squeeze(-1).float().masked_fill(~batch.masks[self.modality], float("-inf"))
        weights: Tensor = self.used(torch.softmax(scores, dim=1))
        return torch.bmm(weights[:, None].to(features.dtype), features)[:, 0], weights


def encoder_for(modality: Modality, shape: InputShape, config: MICEConfig) -> nn.Module:
    """The encoder of a modality."""
    if modality is Modality.GENOMICS:
        return FamilyGenes(shape, config) if config.gene_encoder == "families" else VectorGenes(shape, config)
    if modality is Modality.CLINICAL:
        return Clinical(shape, config)
    return AttentionPool(modality, shape, config)


class Synthesis(nn.Module):
    """What stands in for a missing modality.

    ``"cancer"``: a vector of the patient's cancer alone, the same for all its patients. ``"reconstruction"``: made
    from the cancer's vector and the mean of the modalities the patient has.
    """

    def __init__(self, config: MICEConfig) -> None:
        super().__init__()
        self.from_others = config.synthesis == "reconstruction"
        n_in = config.width * (2 if self.from_others else 1)
        self.network = mlp_block(n_in, config.width, config.dropout)

    def forward(self, cancer: Tensor, others: Tensor) -> Tensor:
        """(b, width) stand-ins from (b, width) cancer vectors and means of the present modalities."""
        result: Tensor = self.network(torch.cat([cancer, others], dim=1) if self.from_others else cancer)
        return result
