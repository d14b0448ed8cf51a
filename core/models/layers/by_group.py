"""Patients of several groups (cancers) side by side, so that each group's own weights meet all its patients at once."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True, eq=False)
class ByGroup:
    """Where each patient of a batch stands when the batch is laid out group by group.

    ``present`` (g,) the groups in the batch · ``row``, ``column`` (b,) a patient's group among them and place within
    it · ``largest`` patients of the largest group.
    """

    present: Tensor
    row: Tensor
    column: Tensor
    largest: int

    @classmethod
    def of(cls, group: Tensor, total: int | None = None) -> ByGroup:
        """From each patient's group number (b,). Where at least half of ``total`` groups are there all are laid out,
        also those without a patient: their weights then need not be picked out and put back."""
        present, row, counts = torch.unique(group, return_inverse=True, return_counts=True)
        if total is not None and 2 * len(present) >= total:
            present, row = torch.arange(total, device=group.device), group
            counts = torch.bincount(group, minlength=total)
        order = torch.argsort(row, stable=True)
        starts = torch.cumsum(counts, 0) - counts
        column = torch.empty_like(row)
        column[order] = torch.arange(len(row), device=row.device) - starts.repeat_interleave(counts)
        return cls(present, row, column, int(counts.max()))

    def scatter(self, x: Tensor) -> Tensor:
        """(b, …) → (g, largest, …), zeros where a group has fewer patients."""
        laid = x.new_zeros(len(self.present), self.largest, *x.shape[1:])
        return laid.index_put((self.row, self.column), x)

    def gather(self, laid: Tensor) -> Tensor:
        """(g, largest, …) → (b, …): back to the batch's order."""
        return laid[self.row, self.column]
