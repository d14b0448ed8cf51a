"""The overlapping experts: transformers of growing width over the same tokens."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from core.models.layers.stacked_transformer import StackedTransformer

STACKED = 5  # experts side by side in one stack; in one stack of all, the narrow ones would be mostly padding


class OverlappingExperts(nn.Module):
    """One transformer a rank; only the class tokens are used."""

    def __init__(self, width: int, ranks: tuple[int, ...], dropout: float) -> None:
        super().__init__()
        parts = [ranks[i : i + STACKED] for i in range(0, len(ranks), STACKED)]
        self.stacks = nn.ModuleList(StackedTransformer(width, part, dropout=dropout) for part in parts)

    def forward(self, tokens: Tensor) -> Tensor:
        """(b, n, width) tokens → (b, E, width) class tokens of the E experts."""
        outputs = []
        for stack in self.stacks:
            assert isinstance(stack, StackedTransformer)  # noqa: S101
            outputs.append(stack.class_tokens(tokens[None].expand(len(stack.ranks), *tokens.shape)))
        return torch.cat(outputs).transpose(0, 1)
