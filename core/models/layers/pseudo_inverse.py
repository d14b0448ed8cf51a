"""Products with a pseudo-inverse that is found by iteration, without forming it.

Nyström attention iterates Z₀ = Xᵀ/s, Z ← ¼Z(13I − T(15I − T(7I − T))) with T = XZ (Xiong et al., AAAI 2021, Eq. 11).
Every T is a polynomial of T₀ = XXᵀ/s: all are symmetric and commute, T itself follows T ← T·p(T) and Z ← Z·p(T) with
p(T) = ¼(13I − 15T + 7T² − T³). So rows·Z needs T alone: half the matrix products, and the few rows take the place
of the square Z. The gradient, written out below, uses the symmetry too. In exact arithmetic nothing changes.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

CACHED = 2**17  # numbers in the matrices worked on at a time, so that they stay in a CPU core's cache
P0, P1, P2, P3 = 3.25, -3.75, 1.75, -0.25  # p(T) = P0·I + P1·T + P2·T² + P3·T³


def largest_sums(x: Tensor) -> Tensor:
    """(b,) s = largest absolute row sum × largest absolute column sum of each sample's (b, h, m, m) matrices.

    Per sample, never per batch, so that a patient's result does not depend on its neighbours.
    """
    size = x.abs()
    return size.sum(dim=-1).amax(dim=(1, 2)) * size.sum(dim=-2).amax(dim=(1, 2))


def pinv_product(rows: Tensor, x: Tensor, sums: Tensor, iterations: int = 6) -> Tensor:
    """``rows`` @ pinv(``x``).

    Parameters
    ----------
    rows : (b, h, r, m) tensor
    x : (b, h, m, m) tensor
    sums : (b,) tensor
        Scale s of the start, from :func:`largest_sums`.
    iterations : int
    """
    b, h, r, m = rows.shape
    root = sums.sqrt()[:, None, None, None]
    rows, x = (rows / root).reshape(b * h, r, m), (x / root).reshape(b * h, m, m)
    many = b * h if x.device.type != "cpu" else max(1, CACHED // (m * m))
    parts = zip(torch.split(rows, many), torch.split(x, many), strict=True)
    products = [_Iteration.apply(*part, iterations) for part in parts]  # type: ignore[no-untyped-call]
    return torch.cat(products).view(b, h, r, m)


def _times_p(rows: Tensor, t: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """rows·p(T), rows·T and rows·T²."""
    once = rows @ t
    twice = once @ t
    return (P0 * rows).add_(once, alpha=P1).add_(twice, alpha=P2).add_(twice @ t, alpha=P3), once, twice


def _next(t: Tensor) -> Tensor:
    """T·p(T) = P0·T + T²(P1·I + P2·T + P3·T²): two products."""
    square = t @ t
    factor = (P3 * square).add_(t, alpha=P2)
    factor.diagonal(dim1=-2, dim2=-1).add_(P1)
    return (square @ factor).add_(t, alpha=P0)


def _with_transpose(x: Tensor) -> Tensor:
    return torch.add(x, x.transpose(1, 2))


def _gradient(g: Tensor, t: Tensor) -> Tensor:
    """Gradient of :func:`_next` for symmetric ``g`` and ``t``: three products, symmetric again."""
    gt = g @ t
    gtt = gt @ t
    inner = _with_transpose(gt.mul_(P2 / 2).add_(gtt, alpha=P3)).add_(g, alpha=P1)
    return _with_transpose((inner @ t).add_(gtt, alpha=P2 / 2)).add_(g, alpha=P0)


class _Iteration(torch.autograd.Function):
    """rows·xᵀ·p(T₀)·p(T₁)⋯ with T₀ = xxᵀ, for (B, r, m) rows and (B, m, m) x."""

    @staticmethod
    def forward(ctx: Any, rows: Tensor, x: Tensor, iterations: int) -> Tensor:
        saved = [rows, x]
        rows, t = rows @ x.transpose(1, 2), x @ x.transpose(1, 2)
        for i in range(iterations):
            following, once, twice = _times_p(rows, t)
            saved += [torch.cat([rows, once, twice], dim=1), t]
            rows = following
            if i + 1 < iterations:
                t = _next(t)
        ctx.save_for_backward(*saved)
        return rows

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, Tensor, None]:
        rows, x, *saved = ctx.saved_tensors
        for_t = torch.zeros_like(x)
        for i in reversed(range(len(saved) // 2)):
            powers, t = saved[2 * i], saved[2 * i + 1]
            following, once, twice = _times_p(grad, t)
            first = (P1 * grad).add_(once, alpha=P2).add_(twice, alpha=P3)
            second = (P2 * grad).add_(once, alpha=P3)
            half = powers.transpose(1, 2) @ torch.cat([first, second, P3 * grad], dim=1).mul_(0.5)
            last = 2 * i + 2 == len(saved)
            for_t = _with_transpose(half) if last else _gradient(for_t, t).add_(_with_transpose(half))
            grad = following
        return grad @ x, (grad.transpose(1, 2) @ rows).add_(for_t @ x, alpha=2), None
