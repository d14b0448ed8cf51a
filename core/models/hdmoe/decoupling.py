"""HDMoE's decoupling loss: features of one level apart, the same feature across levels together (paper Eq. 5)."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812

from core.models.hdmoe.config import Distance


def _l1(a: Tensor, b: Tensor) -> Tensor:
    return (a - b).abs().mean(dim=-1)


def _mse(a: Tensor, b: Tensor) -> Tensor:
    return ((a - b) ** 2).mean(dim=-1)


def _kl(a: Tensor, b: Tensor) -> Tensor:
    """Symmetric Kullback-Leibler divergence of the softmaxes (the paper names KL, not its arguments)."""
    p, q = F.log_softmax(a, dim=-1), F.log_softmax(b, dim=-1)
    return 0.5 * ((p.exp() * (p - q)).sum(-1) + (q.exp() * (q - p)).sum(-1))


_DISTANCES: dict[str, Callable[[Tensor, Tensor], Tensor]] = {"l1": _l1, "mse": _mse, "kl": _kl}


def apart(a: Tensor, b: Tensor, metric: Distance) -> Tensor:
    """(b,) penalty for similar features: the cosine itself, or exp(−d) for a distance d (bounded, unlike −d)."""
    if metric == "cosine":
        return F.cosine_similarity(a, b, dim=-1)
    return torch.exp(-_DISTANCES[metric](a, b))


def together(a: Tensor, b: Tensor, metric: Distance) -> Tensor:
    """(b,) penalty for different features: 1 − cosine, or the distance."""
    if metric == "cosine":
        return 1 - F.cosine_similarity(a, b, dim=-1)
    return _DISTANCES[metric](a, b)


def decoupling_loss(
    within: Sequence[tuple[Tensor, Tensor]], across: Sequence[tuple[Tensor, Tensor]], metric: Distance
) -> Tensor:
    """Mean over the batch of Σ apart(within a level) + Σ together(across levels)."""
    parts = [apart(a.float(), b.float(), metric) for a, b in within]
    parts += [together(a.float(), b.float(), metric) for a, b in across]
    return torch.stack(parts).sum(dim=0).mean()
