"""Self-normalising encoders of gene families (Klambauer et al., 2017; MODELS.md 1.1.1, ``genomics_fc``)."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from core.models.layers.dropout import AlphaDropout


def snn_block(n_in: int, n_out: int, dropout: float = 0.25) -> nn.Sequential:
    """Linear, ELU, AlphaDropout."""
    return nn.Sequential(nn.Linear(n_in, n_out), nn.ELU(), AlphaDropout(dropout))


class FamilyEncoder(nn.Module):
    """One token a gene family: genes of the family → hidden → width.

    Parameters
    ----------
    families : sequence of sequences of int
        Column numbers of each family; families may overlap.
    """

    def __init__(self, families: Sequence[Sequence[int]], hidden: int, width: int, dropout: float = 0.25) -> None:
        super().__init__()
        self.sizes = [len(f) for f in families]
        order = torch.tensor([c for family in families for c in family], dtype=torch.long)
        self.register_buffer("order", order, persistent=False)
        self.encoders = nn.ModuleList(
            nn.Sequential(snn_block(size, hidden, dropout), snn_block(hidden, width, dropout)) for size in self.sizes
        )

    def forward(self, genes: Tensor) -> Tensor:
        """(b, genes) → (b, families, width)."""
        order: Tensor = self.get_buffer("order")
        parts = torch.split(genes.index_select(1, order), self.sizes, dim=1)
        return torch.stack([encoder(part) for encoder, part in zip(self.encoders, parts, strict=True)], dim=1)
