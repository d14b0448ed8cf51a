"""Let the gradient pass through chosen experts alone; every number stays what it was."""

from __future__ import annotations

import torch
from torch import Tensor

Through = tuple[str, int]
"""One expert: level name, expert number (one past the last routed expert = the shared one)."""


def expert_at(through: Through | None, level: str) -> int | None:
    """The expert of this level that is followed; None where no expert of it is."""
    return through[1] if through is not None and through[0] == level else None


def only(x: Tensor, expert: int | None, dim: int = 0) -> Tensor:
    """``x`` itself, with a gradient at place ``expert`` along ``dim`` only; all of it where ``expert`` is None.

    With C_k the experts' contributions to a sum, ∂f/∂x = Σ_k ∂f/∂C_k · ∂C_k/∂x (chain rule): what passes through each
    expert alone adds up to the whole gradient of what passes through the level.
    """
    if expert is None:
        return x
    kept = torch.arange(x.shape[dim], device=x.device) == expert
    shape = [1] * x.dim()
    shape[dim] = x.shape[dim]
    return torch.where(kept.view(shape), x, x.detach())
