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
    start = (x / sums[:, None, None, None]).view(b * h, m, m).transpose(1, 2)
    square = x.reshape(b * h, m, m) @ start
    product: Tensor = _Iteration.apply(rows.reshape(b * h, r, m) @ start, square, iterations)  # type: ignore[no-untyped-call]
    return product.view(b, h, r, m)


def _next(t: Tensor) -> Tensor:
    """T·p(T) = P0·T + T²(P1·I + P2·T + P3·T²): two products."""
    square = t @ t
    factor = (P3 * square).add_(t, alpha=P2)
    factor.diagonal(dim1=-2, dim2=-1).add_(P1)
    return torch.baddbmm(t, square, factor, beta=P0)


def _gradient(g: Tensor, t: Tensor) -> Tensor:
    """Gradient of :func:`_next` for symmetric ``g`` and ``t``: three products, symmetric again."""
    gt = g @ t
    gtt = gt @ t
    inner = gt.mul_(P2).add_(gtt, alpha=2 * P3)
    inner = torch.add(inner, inner.transpose(1, 2)).mul_(0.5).add_(g, alpha=P1)
    outer = torch.baddbmm(gtt, inner, t, beta=P2 / 2)
    return torch.add(outer, outer.transpose(1, 2)).add_(g, alpha=P0)


class _Iteration(torch.autograd.Function):
    """rows, T₀ → rows·p(T₀)·p(T₁)⋯, for (B, r, m) rows and symmetric (B, m, m) T₀."""

    @staticmethod
    def forward(ctx: Any, rows: Tensor, t: Tensor, iterations: int) -> Tensor:
        saved = []
        for i in range(iterations):
            once = rows @ t
            twice = once @ t
            powers = torch.cat([rows, once, twice], dim=1)
            saved += [powers, t]
            rows = (P0 * rows).add_(once, alpha=P1).add_(twice, alpha=P2).baddbmm_(twice, t, alpha=P3)
            if i + 1 < iterations:
                t = _next(t)
        ctx.save_for_backward(*saved)
        return rows

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, Tensor, None]:
        saved = ctx.saved_tensors
        later: Tensor | None = None  # gradient of the next T
        for powers, t in zip(saved[-2::-2], saved[::-2], strict=True):
            once = grad @ t
            twice = once @ t
            first = (P1 * grad).add_(once, alpha=P2).add_(twice, alpha=P3)
            second = (P2 * grad).add_(once, alpha=P3)
            by_rows = powers.transpose(1, 2) @ torch.cat([first, second, P3 * grad], dim=1)
            by_rows = by_rows.add_(by_rows.transpose(1, 2).clone()).mul_(0.5)
            later = by_rows if later is None else by_rows.add_(_gradient(later, t))
            grad = (P0 * grad).add_(once, alpha=P1).add_(twice, alpha=P2).baddbmm_(twice, t, alpha=P3)
        assert later is not None  # noqa: S101  there is at least one iteration
        return grad, later, None
