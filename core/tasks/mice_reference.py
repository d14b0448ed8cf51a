"""A plain MICE to measure against: one patient at a time, one expert at a time, fp32 (MODELS.md 1.2.1, literally).

It computes the same function as :class:`core.models.mice.model.MICE` with the same weights: every expert is a network
of its own with matrices of its own rank, and a patient meets them one after the other. Kept for the benchmark and its
tests; nothing else uses it.
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

from core.features.batch import Batch
from core.models.layers.stacked_transformer import StackedTransformer
from core.models.mice.model import MICE


class PlainLayer(nn.Module):
    """Pre-norm attention and hidden layer of one expert."""

    def __init__(self, width: int, rank: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.rank, self.heads = rank, heads
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.to_qkv, self.to_out = nn.Linear(width, 3 * heads * rank, bias=False), nn.Linear(heads * rank, width)
        self.hidden = nn.Sequential(
            nn.Linear(width, rank), nn.GELU(), nn.Dropout(dropout), nn.Linear(rank, width), nn.Dropout(dropout)
        )
        self.drop = nn.Dropout(dropout)

    def forward(self, x: Tensor) -> Tensor:
        """(n, width) → (n, width)."""
        q, k, v = self.to_qkv(self.norm1(x)).view(len(x), 3, self.heads, self.rank).permute(1, 2, 0, 3)
        attention = torch.softmax(q @ k.transpose(1, 2) * self.rank**-0.5, dim=-1)
        x = x + self.drop(self.to_out((attention @ v).transpose(0, 1).reshape(len(x), -1)))
        out: Tensor = x + self.hidden(self.norm2(x))
        return out


class PlainTransformer(nn.Module):
    """One expert: its class token before the tokens, then its layers."""

    def __init__(self, stack: StackedTransformer, i: int, dropout: float) -> None:
        super().__init__()
        rank = stack.ranks[i]
        self.token = nn.Parameter(stack.class_token[i].detach().clone())
        self.layers = nn.ModuleList(PlainLayer(stack.width, rank, stack.heads, dropout) for _ in stack.layers)
        with torch.no_grad():
            for plain, layer in zip(self.layers, stack.layers, strict=True):
                assert isinstance(plain, PlainLayer)  # noqa: S101
                _copy(plain, dict(layer.named_parameters()), i, rank)

    def forward(self, tokens: Tensor) -> Tensor:
        """(n, width) → (1 + n, width)."""
        x = torch.cat([self.token, tokens])
        for layer in self.layers:
            x = layer(x)
        return x


def _copy(plain: PlainLayer, weights: dict[str, Tensor], i: int, rank: int) -> None:
    """The weights of transformer ``i`` of a stacked layer, within its rank."""
    width = plain.norm1.weight.shape[0]
    plain.to_qkv.weight.copy_(weights["qkv"][i, ..., :rank].reshape(width, -1).t())
    plain.to_out.weight.copy_(weights["out"][i, :, :rank].reshape(-1, width).t())
    plain.to_out.bias.copy_(weights["out_bias"][i].flatten())
    first, last = plain.hidden[0], plain.hidden[3]
    assert isinstance(first, nn.Linear)  # noqa: S101
    assert isinstance(last, nn.Linear)  # noqa: S101
    first.weight.copy_(weights["w1"][i, :, :rank].t())
    first.bias.copy_(weights["b1"][i].flatten()[:rank])
    last.weight.copy_(weights["w2"][i, :rank].t())
    last.bias.copy_(weights["b2"][i].flatten())
    for norm, at in ((plain.norm1, 0), (plain.norm2, 2)):
        norm.weight.copy_(weights[f"norms.{at}"][i].flatten())
        norm.bias.copy_(weights[f"norms.{at + 1}"][i].flatten())


class PlainRouter(nn.Module):
    """One cancer's router."""

    def __init__(self, model: MICE, cancer: int) -> None:
        super().__init__()
        router = model.router
        self.config = model.config
        self.w1, self.b1, self.scale, self.shift, self.w2, self.b2 = (
            nn.Parameter(p[cancer].detach().clone())
            for p in (router.w1, router.b1, router.scale, router.shift, router.w2, router.b2)
        )

    def forward(self, token: Tensor) -> tuple[Tensor, Tensor]:
        """(width,) class token → (E,) weights of the overlapping experts and (1,) of the specialised one."""
        hidden = token @ self.w1 + self.b1[0]
        half = len(hidden) // 2
        hidden = torch.cat([F.layer_norm(part, (half,)) for part in torch.split(hidden, half)])
        out = F.gelu(hidden * self.scale[0] + self.shift[0]) @ self.w2 + self.b2[0]
        count = self.config.overlapping
        logits, scales, mix = out[:count], out[count : 2 * count], out[2 * count :]
        if self.training:
            spread = F.softplus(scales) if self.config.noise == "softplus" else scales
            logits = logits + torch.randn(count) * spread
        kept = torch.zeros(count, dtype=torch.bool).scatter(0, logits.topk(self.config.keep).indices, True)
        if self.config.renormalise:
            return torch.softmax(logits.masked_fill(~kept, float("-inf")), dim=0), mix
        return torch.softmax(logits, dim=0) * kept, mix


class PlainMICE(nn.Module):
    """The model for one patient, built from a fast one, whose weights it copies; the modalities' encoders are its own
    copies of the same modules, given one patient at a time."""

    def __init__(self, model: MICE) -> None:
        super().__init__()
        self.config, self.modalities = model.config, model.modalities
        drop = model.config.dropout
        self.encoders, self.synthesis = deepcopy(model.encoders), deepcopy(model.synthesis)
        self.cancer_token = nn.Parameter(model.cancer_token.detach().clone())
        self.fusion = PlainTransformer(model.fusion, 0, drop)
        self.overlapping = nn.ModuleList(
            PlainTransformer(stack, i, drop)
            for stack in model.overlapping.stacks
            if isinstance(stack, StackedTransformer)
            for i in range(len(stack.ranks))
        )
        cancers = range(len(model.cancer_token))
        self.specialised = nn.ModuleList(PlainTransformer(model.specialised, i, drop) for i in cancers)
        self.consensual = PlainTransformer(model.consensual, 0, drop)
        self.routers = nn.ModuleList(PlainRouter(model, i) for i in cancers)
        self.norm_scale = nn.Parameter(model.norm_scale.detach().clone())
        self.norm_shift = nn.Parameter(model.norm_shift.detach().clone())
        self.join = PlainTransformer(model.join, 0, drop)
        self.head = deepcopy(model.head)
        shift = model.hazard_shift
        self.hazard_shift = None if shift is None else nn.Parameter(shift.detach().clone())
        self.train(model.training)

    def forward(self, patient: Batch) -> tuple[Tensor, Tensor]:
        """(t,) logits of one patient (a batch of one), and its (m, width) encoded modalities."""
        cancer = int(patient.groups[0]) if patient.groups is not None else 0
        encoded = [self.encoders[m.value](patient) for m in self.modalities]
        real = torch.stack([e[0][0] if isinstance(e, tuple) else e[0] for e in encoded])  # a pool adds its attention
        present = [bool(patient.present[m][0]) for m in self.modalities]
        others = torch.stack([v for v, has in zip(real, present, strict=True) if has]).mean(dim=0)
        token = self.cancer_token[cancer]
        used = [
            v if has else self.synthesis[m.value](token[None], others[None])[0]
            for m, v, has in zip(self.modalities, real, present, strict=True)
        ]
        fused = self.fusion(torch.stack([token, *used]))
        weight, mix = self.routers[cancer](fused[0])
        tokens = fused[1:]
        overlap = torch.zeros_like(token)
        for i, expert in enumerate(self.overlapping):
            overlap = overlap + weight[i] * expert(tokens)[0]
        overlap = F.layer_norm(overlap, (len(token),)) * self.norm_scale[cancer] + self.norm_shift[cancer]
        special = self.specialised[cancer](tokens)[0] * mix
        joined = self.join(torch.stack([self.consensual(tokens)[0], special, overlap]))[0]
        if self.config.skip:
            joined = joined + torch.stack(used).mean(dim=0)
        logits: Tensor = self.head(joined)
        return logits if self.hazard_shift is None else logits + self.hazard_shift[cancer], real

    def patients(self, batch: Sequence[Batch]) -> tuple[Tensor, Tensor]:
        """(b, t) logits and (b, m, width) encoded modalities, one patient after the other."""
        logits, real = zip(*(self(patient) for patient in batch), strict=True)
        return torch.stack(logits), torch.stack(real)
