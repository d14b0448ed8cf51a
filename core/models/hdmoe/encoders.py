"""From each modality's inputs to its representation of one fixed width."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from core.cohort.modality import Modality
from core.features.batch import Batch
from core.features.preparation import InputShape
from core.models.hdmoe.config import HDMoEConfig
from core.models.layers.dropout import Dropout
from core.models.layers.snn import FamilyEncoder, snn_block
from core.models.layers.transmil import ClassTokenEncoder


class GenomicsEncoder(nn.Module):
    """Family tokens, then two Nyström layers; the class token is the representation."""

    def __init__(self, shape: InputShape, config: HDMoEConfig) -> None:
        super().__init__()
        self.families = FamilyEncoder(shape.families, config.family_hidden, config.width, config.gene_dropout)
        self.encoder = ClassTokenEncoder(config.width, positions=False)

    def forward(self, batch: Batch) -> tuple[Tensor, Tensor | None]:
        assert batch.genes is not None  # noqa: S101  a genomics encoder is only built for genomic inputs
        tokens = self.families(batch.genes)
        mask = torch.ones(tokens.shape[:2], dtype=torch.bool, device=tokens.device)
        return self.encoder(tokens, mask)[0], None


class BagEncoder(nn.Module):
    """Patch features (slides) or region features (volumes) → representation and attention per patch."""

    def __init__(self, modality: Modality, shape: InputShape, config: HDMoEConfig) -> None:
        super().__init__()
        self.modality = modality
        n_in, drop = (shape.bags or {})[modality], config.patch_dropout
        self.reduce = nn.Sequential(
            *(nn.Linear(n_in, config.width), nn.ReLU(), Dropout(drop)),
            *(nn.Linear(config.width, config.width), nn.ReLU(), Dropout(drop)),
        )
        self.encoder = ClassTokenEncoder(config.width, positions=modality is Modality.SLIDES)

    def forward(self, batch: Batch) -> tuple[Tensor, Tensor | None]:
        result: tuple[Tensor, Tensor] = self.encoder(self.reduce(batch.bags[self.modality]), batch.masks[self.modality])
        return result


class ClinicalEncoderNetwork(nn.Module):
    """Clinical columns → representation, normalised like the class tokens of the other modalities."""

    def __init__(self, shape: InputShape, config: HDMoEConfig) -> None:
        super().__init__()
        self.network = nn.Sequential(
            snn_block(shape.clinical, config.width, config.gene_dropout),
            snn_block(config.width, config.width, config.gene_dropout),
            nn.LayerNorm(config.width),
        )

    def forward(self, batch: Batch) -> tuple[Tensor, Tensor | None]:
        assert batch.clinical is not None  # noqa: S101  a clinical encoder is only built for clinical inputs
        result: Tensor = self.network(batch.clinical)
        return result, None


def encoder_for(modality: Modality, shape: InputShape, config: HDMoEConfig) -> nn.Module:
    """The encoder of a modality."""
    if modality is Modality.GENOMICS:
        return GenomicsEncoder(shape, config)
    if modality is Modality.CLINICAL:
        return ClinicalEncoderNetwork(shape, config)
    return BagEncoder(modality, shape, config)
