"""The two products of softmax maps that Nyström attention needs, chosen for the memory they do not touch."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn import functional as F  # noqa: N812


def attend(queries: Tensor, keys: Tensor, values: Tensor, bias: Tensor | None) -> Tensor:
    """softmax(queries · keysᵀ + bias) · values for (b, h, ·, d) tensors; scale the queries or keys beforehand.

    bfloat16 on a CPU is faster with the map written out (half the bytes, and matrix instructions that the fused
    kernel does not reach); everything else takes the fused kernel.
    """
    if queries.dtype == torch.bfloat16 and queries.device.type == "cpu":
        scores = queries @ keys.transpose(-1, -2)
        return torch.softmax(scores if bias is None else scores + bias, dim=-1) @ values
    return F.scaled_dot_product_attention(queries, keys, values, attn_mask=bias, scale=1.0)


def landmark_row(queries: Tensor, keys: Tensor, weights: Tensor, bias: Tensor | None) -> Tensor:
    """weights · softmax(queries · keysᵀ + bias): one row of attention per head, through the landmarks.

    Parameters
    ----------
    queries : (b, h, m, d) tensor
        Landmarks, scaled.
    keys : (b, h, n, d) tensor
    weights : (b, h, 1, m) tensor
    bias : (b, 1, 1, n) tensor or None

    Returns
    -------
    (b, h, n) tensor
    """
    row: Tensor = _LandmarkRow.apply(queries, keys, weights, bias)  # type: ignore[no-untyped-call]
    return row


def _map(queries: Tensor, keys: Tensor, bias: Tensor | None, head: int) -> Tensor:
    scores = queries[:, head] @ keys[:, head].transpose(-1, -2)
    return torch.softmax(scores if bias is None else scores.add_(bias[:, 0]), dim=-1)


class _LandmarkRow(torch.autograd.Function):
    """Head by head, so that one (m, n) map at a time stays in the cache, and made again for the gradient."""

    @staticmethod
    def forward(ctx: Any, queries: Tensor, keys: Tensor, weights: Tensor, bias: Tensor | None) -> Tensor:
        ctx.save_for_backward(queries, keys, weights, bias)
        heads = range(queries.shape[1])
        return torch.cat([weights[:, i] @ _map(queries, keys, bias, i) for i in heads], dim=1)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, Tensor, Tensor, None]:
        queries, keys, weights, bias = ctx.saved_tensors
        for_queries, for_weights = torch.empty_like(queries), torch.empty_like(weights)
        for_keys = torch.empty_like(keys)
        for i in range(queries.shape[1]):
            attention = _map(queries, keys, bias, i)
            mean = attention @ grad[:, i, :, None]  # (b, m, 1)
            for_weights[:, i] = mean.transpose(1, 2)
            scores = (grad[:, i, None, :] - mean).mul_(attention).mul_(weights[:, i].transpose(1, 2))
            for_queries[:, i] = scores @ keys[:, i]
            for_keys[:, i] = scores.transpose(1, 2) @ queries[:, i]
        return for_queries, for_keys, for_weights, None
