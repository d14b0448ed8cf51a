"""MICE's router: one small network a cancer, noisy in training, that keeps some of the overlapping experts."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

from core.models.layers.by_group import ByGroup
from core.models.mice.config import MICEConfig


@dataclass(frozen=True, eq=False)
class Gates:
    """``soft`` (b, E) softmax over all experts · ``weight`` (b, E) what the kept experts are added with, 0 for the
    others · ``kept`` (b, E) bool · ``mix`` (b, 1) weight of the specialised expert."""

    soft: Tensor
    weight: Tensor
    kept: Tensor
    mix: Tensor


class CancerRouter(nn.Module):
    """Two Linear-LayerNorm-GELU branches of width 64, joined to 128, then a linear layer: E logits, E noise scales and
    the specialised expert's weight. Weights of all cancers are stacked (C, …).

    How the released branches are joined is not known from the texts at hand; the count of its parameters differs
    (3.22 M for 30 cancers there).
    """

    def __init__(self, cancers: int, config: MICEConfig) -> None:
        super().__init__()
        self.config, inner, outputs = config, 128, 2 * config.overlapping + 1
        self.w1 = nn.Parameter(torch.empty(cancers, config.width, inner).uniform_(-1, 1) * config.width**-0.5)
        self.b1 = nn.Parameter(torch.zeros(cancers, 1, inner))
        self.scale = nn.Parameter(torch.ones(cancers, 1, inner))
        self.shift = nn.Parameter(torch.zeros(cancers, 1, inner))
        self.w2 = nn.Parameter(torch.empty(cancers, inner, outputs).uniform_(-1, 1) * inner**-0.5)
        start = torch.zeros(cancers, 1, outputs)
        start[..., -1] = 1.0  # the specialised expert starts with full weight
        self.b2 = nn.Parameter(start)

    def forward(self, token: Tensor, groups: ByGroup) -> Gates:
        """Gates from the fusion transformer's class token (b, width)."""
        x = groups.scatter(token.float())
        pick = groups.present if len(groups.present) < len(self.w1) else slice(None)
        hidden = torch.baddbmm(self.b1[pick], x, self.w1[pick])
        branches = F.layer_norm(hidden.view(*hidden.shape[:-1], 2, -1), (hidden.shape[-1] // 2,)).flatten(-2)
        hidden = F.gelu(branches * self.scale[pick] + self.shift[pick])
        out = groups.gather(torch.baddbmm(self.b2[pick], hidden, self.w2[pick]))
        count = self.config.overlapping
        logits, scales, mix = out[:, :count], out[:, count : 2 * count], out[:, 2 * count :]
        if self.training:
            spread = F.softplus(scales) if self.config.noise == "softplus" else scales
            noise = torch.randn(logits.shape).to(logits.device)  # torch's CPU generator: the same on any device
            logits = logits + noise * spread
        return self._keep(logits, mix)

    def _keep(self, logits: Tensor, mix: Tensor) -> Gates:
        soft = torch.softmax(logits, dim=1)
        kept = torch.zeros_like(soft, dtype=torch.bool).scatter(1, soft.topk(self.config.keep, dim=1).indices, True)
        if self.config.renormalise:
            weight = torch.softmax(logits.masked_fill(~kept, float("-inf")), dim=1)
        else:
            weight = soft * kept
        return Gates(soft, weight, kept, mix)
