"""The equations of MODELS.md 1.1.1 written naively: one patient, one expert, one token at a time, padding made real.

Only weights are read from the modules under test; nothing here calls their forward passes.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional as F

from core.cohort.modality import Modality
from core.models.hdmoe.model import HDMoE
from core.models.layers.experts import ExpertLevel
from core.models.layers.nystrom import NystromAttention
from core.models.layers.transmil import ClassTokenEncoder


def literal_pinv(x: Tensor, iterations: int = 6) -> Tensor:
    """Newton-Schulz pseudo-inverse of (heads, m, m), scaled by the largest row and column sum of the sample."""
    identity = torch.eye(x.shape[-1], dtype=x.dtype)
    z = x.transpose(-1, -2) / (x.abs().sum(-1).max() * x.abs().sum(-2).max())
    for _ in range(iterations):
        xz = x @ z
        z = 0.25 * z @ (13 * identity - xz @ (15 * identity - xz @ (7 * identity - xz)))
    return z


def literal_nystrom(layer: NystromAttention, x: Tensor) -> tuple[Tensor, Tensor]:
    """(n, width) of one sequence → (n, width) output and (n,) attention of the first token, mean over heads."""
    n, width = x.shape
    m, heads = layer.landmarks, layer.heads
    total = math.ceil(n / m) * m
    padded = torch.cat([torch.zeros(total - n, width, dtype=x.dtype), x])  # materialised zeros in front
    q, k, v = (
        part.reshape(total, heads, width // heads).transpose(0, 1)
        for part in (padded @ layer.to_qkv.weight.t()).chunk(3, dim=1)
    )
    q = q * (width // heads) ** -0.5
    segment = total // m
    q_landmark = torch.stack([q[:, i * segment : (i + 1) * segment].mean(dim=1) for i in range(m)], dim=1)
    k_landmark = torch.stack([k[:, i * segment : (i + 1) * segment].mean(dim=1) for i in range(m)], dim=1)
    first = torch.softmax(q @ k_landmark.transpose(1, 2), dim=-1)
    middle = torch.softmax(q_landmark @ k_landmark.transpose(1, 2), dim=-1)
    last = torch.softmax(q_landmark @ k.transpose(1, 2), dim=-1)
    left = first @ literal_pinv(middle)
    attended = left @ (last @ v)
    kernel = layer.residual.weight[:, 0, :, 0]
    half = kernel.shape[1] // 2
    with_border = F.pad(v, (0, 0, half, half))
    for tap in range(kernel.shape[1]):
        attended = attended + kernel[:, tap, None, None] * with_border[:, tap : tap + total]
    out = attended.transpose(0, 1).reshape(total, width) @ layer.to_out.weight.t() + layer.to_out.bias
    attention = (left @ last).mean(dim=0)[total - n]
    return out[-n:], attention[-n:]


def literal_class_token(encoder: ClassTokenEncoder, tokens: Tensor) -> Tensor:
    """(n, width) tokens of one patient → (width,) class token."""
    n, width = tokens.shape
    x = tokens
    if encoder.positions is not None:
        side = math.ceil(math.sqrt(n))
        x = torch.cat([tokens, tokens[: side * side - n]])
    x = torch.cat([encoder.class_token[0], x])
    x = x + literal_nystrom(encoder.layer1, encoder.norm1(x))[0]
    if encoder.positions is not None:
        grid = x[1:].t().reshape(1, width, side, side)
        mixed = grid
        for convolution in encoder.positions.convolutions:
            size = convolution.weight.shape[-1]
            mixed = mixed + F.conv2d(grid, convolution.weight, convolution.bias, padding=size // 2, groups=width)
        x = torch.cat([x[:1], mixed[0].reshape(width, side * side).t()])
    x = x + literal_nystrom(encoder.layer2, encoder.norm2(x))[0]
    return encoder.norm(x)[0]


def literal_expert(level: ExpertLevel, number: int, token: Tensor) -> Tensor:
    """One expert on one token; number E is the shared one."""
    hidden = torch.relu(token @ level.w1[number] + level.b1[number, 0])
    return torch.relu(hidden @ level.w2[number] + level.b2[number, 0])


def literal_level(level: ExpertLevel, tokens: Tensor, muted: tuple[int, ...] = ()) -> tuple[Tensor, Tensor]:
    """(k, d) tokens of one patient → routed and shared outputs, both (k, d_out)."""
    routed, shared = [], []
    for token in tokens:
        gate = torch.softmax(level.gate @ token, dim=0)
        chosen = sorted(range(level.n_experts), key=lambda e, gate=gate: -float(gate[e]))[: level.top_k]
        total = torch.zeros(level.w2.shape[-1])
        for expert in chosen:
            if expert not in muted:
                total = total + gate[expert] * literal_expert(level, expert, token)
        routed.append(total)
        is_muted = level.n_experts in muted
        shared.append(torch.zeros_like(total) if is_muted else literal_expert(level, level.n_experts, token))
    return torch.stack(routed), torch.stack(shared)


def literal_rfr(rows: Tensor, segments: int) -> Tensor:
    """(r, d) → (r·d,): the first piece of every row, then the second of every row, and so on."""
    length = rows.shape[1] // segments
    pieces = []
    for piece in range(segments):
        for row in rows:
            pieces.append(row[piece * length : (piece + 1) * length])
    return torch.cat(pieces)


def literal_family_tokens(model: HDMoE, genes: Tensor, families: tuple[tuple[int, ...], ...]) -> Tensor:
    """(g,) scaled genes of one patient → (families, width)."""
    tokens = []
    for family, encoder in zip(families, model.encoders["genomics"].families.encoders, strict=True):
        x = genes[list(family)]
        for block in encoder:
            x = F.elu(F.linear(x, block[0].weight, block[0].bias))
        tokens.append(x)
    return torch.stack(tokens)


def literal_patch_tokens(model: HDMoE, bag: Tensor) -> Tensor:
    """(n, features) patches of one patient → (n, width)."""
    first, second = model.encoders["slides"].reduce[0], model.encoders["slides"].reduce[3]
    hidden = torch.relu(F.linear(bag, first.weight, first.bias))
    return torch.relu(F.linear(hidden, second.weight, second.bias))


def literal_representations(
    model: HDMoE, families: tuple[tuple[int, ...], ...], genes: Tensor | None, bag: Tensor | None
) -> list[Tensor]:
    """(width,) of each modality in the model's order, for a model of genes and slides."""
    found = []
    for modality in model.modalities:
        if modality is Modality.GENOMICS and genes is not None:
            tokens = literal_family_tokens(model, genes, families)
            found.append(literal_class_token(model.encoders["genomics"].encoder, tokens))
        elif modality is Modality.SLIDES and bag is not None:
            found.append(literal_class_token(model.encoders["slides"].encoder, literal_patch_tokens(model, bag)))
        else:
            found.append(model.missing[modality.value])
    return found


def literal_logits(model: HDMoE, representations: list[Tensor], s1: int, s2: int) -> Tensor:
    """Hazard logits of one patient for one pair of segment counts."""
    token = model.config.token
    routed, shared = [], []
    for modality, vector in zip(model.modalities, representations, strict=True):
        pieces = torch.stack(vector.split(token))
        own_routed, own_shared = literal_level(model.experts1[modality.value], pieces)
        routed.append(own_routed.flatten())
        shared.append(own_shared.flatten())
    tokens = torch.stack(literal_rfr(torch.stack([*routed, *shared]), s1).split(token))
    second_routed, second_shared = literal_level(model.experts2, tokens)
    row = literal_rfr(torch.stack([second_routed.flatten(), second_shared.flatten()]), s2)
    return F.linear(row, model.head.weight, model.head.bias)


def literal_mean_logits(model: HDMoE, representations: list[Tensor], pairs: list[tuple[int, int]]) -> Tensor:
    """Mean over pairs of segment counts."""
    return torch.stack([literal_logits(model, representations, s1, s2) for s1, s2 in pairs]).mean(dim=0)
