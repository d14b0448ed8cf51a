"""Products with a pseudo-inverse that is found by iteration, without forming it.

Razavi's iteration, as used by Nyström attention (Xiong et al., AAAI 2021, Eq. 11): Z₀ = Xᵀ/s and
Z ← ¼Z(13I − T(15I − T(7I − T))) with T = XZ. Every T is a polynomial of T₀, hence they commute, T itself follows
T ← ¼(13T − 15T² + T²(7T − T²)), and a row vector times Z needs T alone. That halves the matrix products, and a
sample's few rows take the place of the square matrix Z; in exact arithmetic nothing changes.
"""

from __future__ import annotations

import torch
from torch import Tensor


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
        Scale of the start, from :func:`largest_sums`.
    iterations : int
    """
    start = x.transpose(-1, -2) / sums[:, None, None, None]
    rows = rows @ start
    t = x @ start
    for i in range(iterations):
        once = rows @ t
        rows = 3.25 * rows - 0.25 * ((15 * rows - (7 * rows - once) @ t) @ t)
        if i + 1 < iterations:
            square = t @ t
            t = 3.25 * t - 3.75 * square + 0.25 * (square @ (7 * t - square))
    return rows
