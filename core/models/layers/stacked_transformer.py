"""Many small transformers of one shape family in single batched products: MICE's experts, without a loop over them.

A stack holds S transformers, each with its own class token, heads of its own width ("rank") and hidden layer of that
width. Ranks differ, so heads and hidden layers are stored at the widest rank with zeros beyond each transformer's
own. Those zeros stay zero in training: the gradient of a column that is multiplied by zero rows is zero, and the
other way round; the numbers are those of S separate transformers.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

from core.models.layers.dropout import Dropout

_Pick = Callable[[Tensor], Tensor]


class StackedTransformer(nn.Module):
    """S pre-norm transformers over the same kind of tokens; x ← x + Attention(LN x), x ← x + MLP(LN x), twice.

    Parameters
    ----------
    width : int
        Width of the tokens.
    ranks : sequence of S int
        Width of each transformer's heads and of its hidden layer.
    depth, heads : int
    dropout : float
        After each attention and hidden layer.
    """

    def __init__(self, width: int, ranks: Sequence[int], depth: int = 2, heads: int = 4, dropout: float = 0.1) -> None:
        super().__init__()
        self.width, self.heads, self.ranks = width, heads, tuple(ranks)
        stack = len(self.ranks)
        self.class_token = nn.Parameter(torch.randn(stack, 1, width) * 0.02)
        self.layers = nn.ModuleList(_Layer(width, self.ranks, heads, dropout) for _ in range(depth))

    def forward(self, x: Tensor, stack: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Run the transformers and keep every token.

        Parameters
        ----------
        x : (s, b, n, width) tensor
            Tokens for each transformer.
        stack : (s,) int tensor, optional
            Which transformers, where not all of them in order (a batch that holds some cancers only).

        Returns
        -------
        (s, b, width) class tokens, and (s, b, n, width) the other tokens
        """
        x = self._with_token(x, stack)
        for layer in self.layers:
            x = layer(x, stack)
        return x[:, :, 0], x[:, :, 1:]

    def class_tokens(self, x: Tensor, stack: Tensor | None = None) -> Tensor:
        """(s, b, width) class tokens alone: the last layer then computes no other token's queries or hidden layer."""
        x = self._with_token(x, stack)
        *before, last = self.layers
        for layer in before:
            x = layer(x, stack)
        result: Tensor = last(x, stack, first_only=True)[:, :, 0]
        return result

    def _with_token(self, x: Tensor, stack: Tensor | None) -> Tensor:
        token = self.class_token if stack is None else self.class_token[stack]
        return torch.cat([token[:, None].expand(-1, x.shape[1], -1, -1).to(x.dtype), x], dim=2)

    def used_parameters(self) -> int:
        """Number of parameters without the zeros beyond each rank."""
        return sum(m.used_parameters() for m in self.layers if isinstance(m, _Layer)) + self.class_token.numel()


class _Layer(nn.Module):
    """One attention and one hidden layer of every transformer of the stack."""

    def __init__(self, width: int, ranks: Sequence[int], heads: int, dropout: float) -> None:
        super().__init__()
        stack, widest = len(ranks), max(ranks)
        self.width, self.heads, self.ranks = width, heads, tuple(ranks)
        self.register_buffer("scale", torch.tensor([r**-0.5 for r in ranks]), persistent=False)
        self.qkv = nn.Parameter(torch.zeros(stack, width, 3, heads, widest))
        self.out = nn.Parameter(torch.zeros(stack, heads, widest, width))
        self.out_bias = nn.Parameter(torch.zeros(stack, 1, 1, width))
        self.w1 = nn.Parameter(torch.zeros(stack, width, widest))
        self.b1 = nn.Parameter(torch.zeros(stack, 1, 1, widest))
        self.w2 = nn.Parameter(torch.zeros(stack, widest, width))
        self.b2 = nn.Parameter(torch.zeros(stack, 1, 1, width))
        self.norms = nn.ParameterList(
            nn.Parameter(values.repeat(stack, 1)[:, None, None])
            for values in (torch.ones(width), torch.zeros(width), torch.ones(width), torch.zeros(width))
        )
        self.drop = Dropout(dropout)
        self._initialise()

    def _initialise(self) -> None:
        """Each matrix as ``nn.Linear`` starts it, within its own rank."""
        with torch.no_grad():
            for i, rank in enumerate(self.ranks):
                wide, narrow, merged = self.width**-0.5, rank**-0.5, (self.heads * rank) ** -0.5
                self.qkv[i, ..., :rank].uniform_(-wide, wide)
                self.out[i, :, :rank].uniform_(-merged, merged)
                self.w1[i, :, :rank].uniform_(-wide, wide)
                self.w2[i, :rank].uniform_(-narrow, narrow)

    def used_parameters(self) -> int:
        """Weights and biases within each transformer's rank."""
        width, heads = self.width, self.heads
        attention = sum(4 * width * heads * r + width for r in self.ranks)
        hidden = sum(2 * width * r + r + width for r in self.ranks)
        return attention + hidden + 4 * width * len(self.ranks)

    def forward(self, x: Tensor, stack: Tensor | None, first_only: bool = False) -> Tensor:
        """(s, b, n, width) → the same, or (s, b, 1, width): the first token alone."""

        def pick(parameter: Tensor) -> Tensor:
            return (parameter if stack is None else parameter.index_select(0, stack)).to(x.dtype)

        scale1, shift1, scale2, shift2 = (pick(p) for p in self.norms)
        queried = x[:, :, :1] if first_only else x
        x = queried + self._attend(_norm(x, scale1, shift1), queried.shape[2], pick)
        return x + self._hidden(_norm(x, scale2, shift2), pick)

    def _attend(self, x: Tensor, asking: int, pick: _Pick) -> Tensor:
        s, b, n, width = x.shape
        # all at once, also where few tokens ask: cutting the weights would copy more than is saved
        weights = pick(self.qkv).reshape(s, width, -1)
        q, k, v = torch.bmm(x.reshape(s, b * n, width), weights).view(s, b, n, 3, self.heads, -1).unbind(dim=3)
        q = q[:, :, :asking]
        q = q * pick(self.get_buffer("scale"))[:, None, None, None, None]
        q, k, v = (t.transpose(2, 3).flatten(0, 1) for t in (q, k, v))
        mixed = F.scaled_dot_product_attention(q, k, v, scale=1.0)  # (s·b, heads, asking, rank)
        merged = mixed.transpose(1, 2).reshape(s, b * asking, -1)
        out = torch.bmm(merged, pick(self.out).reshape(s, -1, width)).view(s, b, asking, width)
        result: Tensor = self.drop(out + pick(self.out_bias))
        return result

    def _hidden(self, x: Tensor, pick: _Pick) -> Tensor:
        s, b, n, width = x.shape
        inner = torch.bmm(x.reshape(s, b * n, width), pick(self.w1)).view(s, b, n, -1) + pick(self.b1)
        inner = self.drop(F.gelu(inner)).reshape(s, b * n, -1)
        out = torch.bmm(inner, pick(self.w2)).view(s, b, n, width) + pick(self.b2)
        result: Tensor = self.drop(out)
        return result


def _norm(x: Tensor, scale: Tensor, shift: Tensor) -> Tensor:
    """LayerNorm with a scale and shift of each transformer's own."""
    return F.layer_norm(x, (x.shape[-1],)) * scale + shift
