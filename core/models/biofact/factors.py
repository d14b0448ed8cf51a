"""The two low-rank residual experts and their gate: h' = h + Σ_k π_k E_k(h)."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from core.models.biofact.config import FACTORS, BioFactConfig
from core.models.layers.paths import only


@dataclass(frozen=True, eq=False)
class Factored:
    """``gate`` (b, 2) π · ``experts`` (b, 2, w) E_k(h) · ``joined`` (b, w) h'."""

    gate: Tensor
    experts: Tensor
    joined: Tensor


class FactorExperts(nn.Module):
    """E_k(h) = LayerNorm(B_k A_k h) with A_k (w → rank) and B_k (rank → w); π = softmax(W h), no top-k."""

    def __init__(self, config: BioFactConfig) -> None:
        super().__init__()
        self.random = config.router == "random"
        count, width, rank = len(FACTORS), config.width, config.rank
        self.down = nn.Parameter(torch.randn(count, width, rank) * width**-0.5)
        self.up = nn.Parameter(torch.randn(count, rank, width) * rank**-0.5)
        self.scale = nn.Parameter(torch.ones(count, width))
        self.shift = nn.Parameter(torch.zeros(count, width))
        self.gate = nn.Linear(width, count)
        self.register_buffer("salt", torch.randn(width, count, generator=torch.Generator().manual_seed(7)))

    def forward(self, h: Tensor, muted: tuple[int, ...] = (), through: int | None = None) -> Factored:
        """Experts, gate and the joined representation of (b, w) patients; ``muted`` experts add nothing.

        ``through`` is the one expert that hands on a gradient; then h itself hands on none.
        """
        low = torch.einsum("bw,kwr->bkr", h, self.down)
        experts = nn.functional.layer_norm(torch.einsum("bkr,krw->bkw", low, self.up), (h.shape[-1],))
        experts = experts * self.scale + self.shift
        gate = self._random_weights(h) if self.random else torch.softmax(self.gate(h), dim=1)
        keep = gate.new_ones(len(FACTORS))
        if muted:
            keep[list(muted)] = 0.0
        weight, added = only(gate * keep, through, 1), only(experts, through, 1)
        past = h if through is None else h.detach()
        return Factored(gate, experts, past + torch.einsum("bk,bkw->bw", weight, added))

    def _random_weights(self, h: Tensor) -> Tensor:
        """Weights that repeat for the same patient and tell nothing of them: the far digits of a projection of h."""
        salt = self.get_buffer("salt").double()
        digits = (h.detach().double() @ salt * 43758.5453).frac().abs()
        return (digits / digits.sum(dim=1, keepdim=True).clamp(min=1e-9)).to(h.dtype)
